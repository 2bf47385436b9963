//! Probes: asks a running container whether it has started, is ready, and is alive.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Probe;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::ask::Target;
use super::worker::Event;

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

/// Probes until the task is aborted or nothing is left to find out.
pub(crate) async fn run(target: Target) {
    let target = Arc::new(target);
    if let Some(probe) = &target.spec.startup_probe {
        let (sender, mut results) = mpsc::channel(1);
        let mut asking = JoinSet::new();
        asking.spawn(ask(Arc::clone(&target), "Startup", probe.clone(), sender));
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
        let kind = if of_life { "Liveness" } else { "Readiness" };
        asking.spawn(ask(Arc::clone(&target), kind, probe, sender));
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
async fn ask(target: Arc<Target>, kind: &'static str, probe: Probe, results: mpsc::Sender<bool>) {
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
                let why = match outcome {
                    Ok(refused) => refused.err().unwrap_or_default(),
                    Err(_) => format!("timed out after {}s", timeout.as_secs()),
                };
                let (container, message) = (target.spec.name.as_str(), format!("{kind} probe failed: {why}"));
                target.handle.notes.warning(Some(container), "Unhealthy", message);
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
        return target.run(exec.command.clone().unwrap_or_default()).await;
    }
    if let Some(tcp) = &probe.tcp_socket {
        return target.connect(tcp.host.as_deref(), &tcp.port).await;
    }
    if let Some(http) = &probe.http_get {
        return target.get(http).await;
    }
    if let Some(grpc) = &probe.grpc {
        return target.check_health(grpc).await;
    }
    Err("this kind of probe is not supported by the node".into())
}
