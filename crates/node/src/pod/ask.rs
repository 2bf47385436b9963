//! Single questions to a running container, as probes and hooks ask them: run a command, connect, GET, gRPC health.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use k8s_openapi::api::core::v1::{Container as Spec, ContainerPort, GRPCAction, HTTPGetAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::handle::Handle;
use crate::runtime::{ProcessSpec, Stdio};

/// Method of the gRPC health service.
const HEALTH: &str = "/grpc.health.v1.Health/Check";
/// Bytes of an answer about health that are read; it is a number in two bytes.
const HEALTH_LIMIT: usize = 4096;

/// A container to be asked.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) handle: Arc<Handle>,
    pub(crate) spec: Spec,
    pub(crate) key: String,
    pub(crate) ip: String,
    pub(crate) process: ProcessSpec,
}

impl Target {
    /// Runs a command in the container; good when it ends with 0.
    pub(super) async fn run(&self, command: Vec<String>) -> Result<(), String> {
        let sandbox = self.handle.sandbox().ok_or("the sandbox is gone")?;
        let (key, exit) = self.handle.add_exec();
        let null = || {
            std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/null")
                .map_err(|e| e.to_string())
        };
        let io = Stdio::Pipes {
            stdin: null()?.into(),
            stdout: null()?.into(),
            stderr: null()?.into(),
        };
        let mut process = self.process.clone();
        process.argv = command;
        process.terminal = false;
        sandbox
            .exec(&key, &self.key, &process, io)
            .await
            .map_err(|e| e.to_string())?;
        match exit.await.map(|exit| exit.code()) {
            Ok(0) => Ok(()),
            Ok(code) => Err(format!("exit code {code}")),
            Err(_) => Err("the container ended".into()),
        }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, host: Option<&str>, port: &IntOrString) -> Result<(), String> {
        let address = self.address(host, port)?;
        let connected = TcpStream::connect(address).await;
        connected.map(drop).map_err(|e| e.to_string())
    }

    /// Asks for a page; good when the answer's code is from 200 to 399.
    pub(super) async fn get(&self, http: &HTTPGetAction) -> Result<(), String> {
        let address = self.address(http.host.as_deref(), &http.port)?;
        let text = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect(address).await.map_err(text)?;
        let request = request(http, address);
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

    /// Asks the gRPC health service.
    pub(super) async fn check_health(&self, grpc: &GRPCAction) -> Result<(), String> {
        let address = self.address(None, &IntOrString::Int(grpc.port))?;
        let stream = TcpStream::connect(address).await.map_err(|e| e.to_string())?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(|e| e.to_string())?;
        let ask = health(sender, address, grpc.service.as_deref().unwrap_or_default());
        // The connection moves only while it is polled; it goes with this future.
        tokio::select! {
            answer = ask => answer,
            ended = connection => Err(ended.map_or_else(|e| e.to_string(), |()| "the connection ended".into())),
        }
    }

    fn address(&self, host: Option<&str>, port: &IntOrString) -> Result<SocketAddr, String> {
        let named = |name: &str| {
            let ports: &[ContainerPort] = self.spec.ports.as_deref().unwrap_or_default();
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
        let host = host.filter(|host| !host.is_empty()).unwrap_or(&self.ip);
        let ip = host
            .parse()
            .map_err(|_| format!("host {host:?} must be an address"))?;
        Ok(SocketAddr::new(ip, number))
    }
}

fn request(http: &HTTPGetAction, address: SocketAddr) -> String {
    let path = http.path.as_deref().filter(|path| !path.is_empty());
    let mut request = format!(
        "GET {} HTTP/1.1\r\nUser-Agent: kube-probe/argosy\r\nConnection: close\r\nAccept: */*\r\n",
        path.unwrap_or("/")
    );
    let headers = http.http_headers.as_deref().unwrap_or_default();
    let names_host = headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("host"));
    if !names_host {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for header in headers {
        request.push_str(&format!("{}: {}\r\n", header.name, header.value));
    }
    request + "\r\n"
}

/// One call of the health service; good when the service says that it serves.
async fn health(
    sender: h2::client::SendRequest<Bytes>,
    address: SocketAddr,
    service: &str,
) -> Result<(), String> {
    let text = |error: h2::Error| error.to_string();
    let request = http::Request::post(format!("http://{address}{HEALTH}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .map_err(|e| e.to_string())?;
    let mut sender = sender.ready().await.map_err(text)?;
    let (answer, mut body) = sender.send_request(request, false).map_err(text)?;
    body.send_data(health_request(service)?, true).map_err(text)?;
    let answer = answer.await.map_err(text)?;
    let refused = |headers: &http::HeaderMap| {
        let field = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(String::from);
        let code = field("grpc-status").filter(|code| code != "0")?;
        Some(format!(
            "gRPC status {code}: {}",
            field("grpc-message").unwrap_or_default()
        ))
    };
    if let Some(refusal) = refused(answer.headers()) {
        return Err(refusal);
    }
    let mut stream = answer.into_body();
    let mut message = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.map_err(text)?;
        let _ = stream.flow_control().release_capacity(chunk.len());
        message.extend_from_slice(&chunk);
        if message.len() > HEALTH_LIMIT {
            return Err("an answer that is too long".into());
        }
    }
    if let Some(refusal) = stream.trailers().await.map_err(text)?.as_ref().and_then(refused) {
        return Err(refusal);
    }
    // After the five bytes in front of every message: field 1, a number; 1 is SERVING.
    match message.get(5..) {
        Some([0x08, 1]) => Ok(()),
        Some([0x08, status]) => Err(format!("health status {status}")),
        _ => Err("health status unknown".into()),
    }
}

/// A message with the name of the service in field 1.
fn health_request(service: &str) -> Result<Bytes, String> {
    // The length has one byte below 128; names are far shorter.
    let length = u8::try_from(service.len()).ok().filter(|length| *length < 128);
    let length = length.ok_or("the name of the service is too long")?;
    let mut field = BytesMut::new();
    if length > 0 {
        field.put_slice(&[0x0a, length]);
        field.put_slice(service.as_bytes());
    }
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(field.len() as u32);
    message.put_slice(&field);
    Ok(message.freeze())
}
