//! Probes: asks a running container whether it has started, is ready, and is alive.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container as Spec, ContainerPort, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::handle::Handle;
use super::worker::Event;
use crate::runtime::{ProcessSpec, Stdio};

/// What a probe has found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The container has started.
    Started,
    /// It wants, or does not want, to be given work.
    Ready(bool),
    /// It must be ended.
    Condemned,
}

/// A container to be probed.
pub(crate) struct Target {
    pub(crate) handle: Arc<Handle>,
    pub(crate) spec: Spec,
    pub(crate) key: String,
    pub(crate) ip: String,
    pub(crate) process: ProcessSpec,
}

/// Probes until the task is aborted or nothing is left to find out.
pub(crate) async fn run(target: Target) {
    let target = Arc::new(target);
    if let Some(probe) = &target.spec.startup_probe {
        let (sender, mut results) = mpsc::channel(1);
        let mut asking = JoinSet::new();
        asking.spawn(ask(Arc::clone(&target), probe.clone(), sender));
        match results.recv().await {
            Some(true) => target.tell(Verdict::Started),
            _ => return target.tell(Verdict::Condemned),
        }
    }
    let mut asking = JoinSet::new();
    for (probe, of_life) in [
        (&target.spec.readiness_probe, false),
        (&target.spec.liveness_probe, true),
    ] {
        let Some(probe) = probe.clone() else {
            if !of_life {
                target.tell(Verdict::Ready(true));
            }
            continue;
        };
        let (sender, mut results) = mpsc::channel(1);
        asking.spawn(ask(Arc::clone(&target), probe, sender));
        let target = Arc::clone(&target);
        asking.spawn(async move {
            while let Some(good) = results.recv().await {
                match (of_life, good) {
                    (false, good) => target.tell(Verdict::Ready(good)),
                    (true, true) => {}
                    (true, false) => return target.tell(Verdict::Condemned),
                }
            }
        });
    }
    while asking.join_next().await.is_some() {}
}

impl Target {
    fn tell(&self, verdict: Verdict) {
        let (container, key) = (self.spec.name.clone(), self.key.clone());
        let _ = self.handle.events.send(Event::Probed {
            container,
            key,
            verdict,
        });
    }
}

/// Asks again and again; sends a result whenever its threshold is reached.
async fn ask(target: Arc<Target>, probe: Probe, results: mpsc::Sender<bool>) {
    let seconds =
        |value: Option<i32>, default: u64| value.map_or(default, |v| u64::try_from(v).unwrap_or(default));
    let period = Duration::from_secs(seconds(probe.period_seconds, 10).max(1));
    let timeout = Duration::from_secs(seconds(probe.timeout_seconds, 1).max(1));
    let (for_success, for_failure) = (
        seconds(probe.success_threshold, 1),
        seconds(probe.failure_threshold, 3),
    );
    tokio::time::sleep(Duration::from_secs(seconds(probe.initial_delay_seconds, 0))).await;
    let (mut good, mut bad) = (0u64, 0u64);
    loop {
        match tokio::time::timeout(timeout, once(&target, &probe)).await {
            Ok(Ok(())) => (good, bad) = (good + 1, 0),
            outcome => {
                tracing::debug!(container = target.spec.name, ?outcome, "Probe failed");
                (good, bad) = (0, bad + 1);
            }
        }
        let reached = (good >= for_success.max(1))
            .then_some(true)
            .or((bad >= for_failure.max(1)).then_some(false));
        if let Some(result) = reached
            && results.send(result).await.is_err()
        {
            return;
        }
        tokio::time::sleep(period).await;
    }
}

async fn once(target: &Target, probe: &Probe) -> Result<(), String> {
    if let Some(exec) = &probe.exec {
        return run_command(target, exec.command.clone().unwrap_or_default()).await;
    }
    if let Some(tcp) = &probe.tcp_socket {
        let address = address(target, tcp.host.as_deref(), &tcp.port)?;
        return TcpStream::connect(address)
            .await
            .map(drop)
            .map_err(|e| e.to_string());
    }
    if let Some(http) = &probe.http_get {
        return get(target, http).await;
    }
    Err("this kind of probe is not supported by the node".into())
}

async fn run_command(target: &Target, command: Vec<String>) -> Result<(), String> {
    let sandbox = target.handle.sandbox().ok_or("the sandbox is gone")?;
    let (key, exit) = target.handle.add_exec();
    let null = || {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")
            .map_err(|e| e.to_string())
    };
    let io = Stdio {
        stdin: null()?.into(),
        stdout: null()?.into(),
        stderr: null()?.into(),
    };
    let mut process = target.process.clone();
    process.argv = command;
    sandbox
        .exec(&key, &target.key, &process, io)
        .await
        .map_err(|e| e.to_string())?;
    match exit.await.map(|exit| exit.code()) {
        Ok(0) => Ok(()),
        Ok(code) => Err(format!("exit code {code}")),
        Err(_) => Err("the container ended".into()),
    }
}

fn address(target: &Target, host: Option<&str>, port: &IntOrString) -> Result<SocketAddr, String> {
    let named = |name: &str| {
        let ports: &[ContainerPort] = target.spec.ports.as_deref().unwrap_or_default();
        ports
            .iter()
            .find(|port| port.name.as_deref() == Some(name))
            .map(|port| port.container_port)
    };
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(text) => text.parse().ok().or_else(|| named(text)),
    };
    let number = number
        .and_then(|n| u16::try_from(n).ok())
        .ok_or_else(|| format!("no port {port:?}"))?;
    let host = host.filter(|host| !host.is_empty()).unwrap_or(&target.ip);
    let ip = host
        .parse()
        .map_err(|_| format!("host {host:?} of a probe must be an address"))?;
    Ok(SocketAddr::new(ip, number))
}

async fn get(target: &Target, http: &HTTPGetAction) -> Result<(), String> {
    if http.scheme.as_deref() == Some("HTTPS") {
        return Err("probes with HTTPS are not supported by the node".into());
    }
    let address = address(target, http.host.as_deref(), &http.port)?;
    let path = http
        .path
        .as_deref()
        .filter(|path| !path.is_empty())
        .unwrap_or("/");
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nUser-Agent: kube-probe/argosy\r\nConnection: close\r\nAccept: */*\r\n"
    );
    let headers = http.http_headers.as_deref().unwrap_or_default();
    if !headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("host"))
    {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for header in headers {
        request.push_str(&format!("{}: {}\r\n", header.name, header.value));
    }
    request.push_str("\r\n");
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(address).await.map_err(text)?;
    stream.write_all(request.as_bytes()).await.map_err(text)?;
    // "HTTP/1.1 200"
    let mut answer = [0u8; 12];
    stream.read_exact(&mut answer).await.map_err(text)?;
    let code = std::str::from_utf8(&answer)
        .ok()
        .and_then(|line| line.rsplit(' ').next()?.parse::<u16>().ok());
    match code {
        Some(200..=399) => Ok(()),
        _ => Err(format!("answer {}", String::from_utf8_lossy(&answer))),
    }
}
