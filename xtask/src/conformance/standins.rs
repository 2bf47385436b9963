//! What the recorded workflows found around them, stood in for on this machine: a web server that answers for a few
//! hosts of the internet, and the S3 store that is called `minio`.
//!
//! Addresses in the files are replaced by those of the stand-ins on the way in, and back in what came out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;

use anyhow::Context;
use argosy_artifact::serve;
use serde_json::json;

/// Keys of the store, as the Secret `my-minio-cred` of the recorded set has them.
const KEYS: (&str, &str) = ("admin", "password");

/// The store's bucket, as the recorded workflows name it.
const BUCKET: &str = "my-bucket";

/// Longest body of a request that is echoed, in bytes; the recorded workflows send some words.
const LONGEST_BODY: u64 = 1024 * 1024;

/// Running stand-ins, until the program ends or this is dropped.
pub struct Standins {
    /// Text in files and what stands for it, the more special one first.
    replaced: Vec<(String, String)>,
    _store: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Standins {
    /// Starts them on free ports of an address that pods reach, whatever network they have.
    ///
    /// # Errors
    /// When no port is free or the store's folder can't be made.
    pub fn start() -> anyhow::Result<Self> {
        let address = reachable();
        let web = TcpListener::bind((address, 0)).context("listening for requests of http templates")?;
        let web_address = web.local_addr()?;
        std::thread::spawn(move || {
            for stream in web.incoming().flatten() {
                // Who asks for something strange gets no answer, which that case then tells.
                std::thread::spawn(move || drop(answer(&stream)));
            }
        });
        let folder = tempfile::tempdir().context("making a folder for the S3 store")?;
        let store = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("starting threads")?;
        let s3 = store
            .block_on(listen(folder.path(), address))
            .context("starting the S3 store")?;
        let web = |path: &str| format!("http://{web_address}{path}");
        let pair = |from: &str, to: String| (from.to_owned(), to);
        Ok(Self {
            replaced: vec![
                pair("https://raw.githubusercontent.com", web("/raw")),
                pair("https://google.com", web("/google")),
                pair("https://httpbin.org", web("")),
                pair("minio:9000", s3.to_string()),
            ],
            _store: store,
            _folder: folder,
        })
    }

    /// A file's text with the stand-ins' addresses.
    pub fn inward(&self, text: &str) -> String {
        self.replaced
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// A result with the addresses that the file had, as the recorded set has them.
    pub fn outward(&self, text: &str) -> String {
        // The set was recorded with the third host's name for the second's address.
        let recorded = self
            .replaced
            .iter()
            .filter(|(from, _)| !from.ends_with("google.com"));
        recorded.fold(text.to_owned(), |text, (from, to)| text.replace(to, from))
    }
}

/// An address of this machine that pods on the host's network and on a bridge reach: the one that faces outwards.
fn reachable() -> IpAddr {
    // A connected datagram socket knows its own address; nothing is sent.
    let facing = || -> std::io::Result<IpAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    };
    facing().unwrap_or(Ipv4Addr::LOCALHOST.into())
}

async fn listen(folder: &Path, address: IpAddr) -> anyhow::Result<SocketAddr> {
    let server = serve::Server::open(&serve::Options {
        root: folder.to_owned(),
        access_key: KEYS.0.to_owned(),
        secret_key: KEYS.1.to_owned(),
        buckets: vec![BUCKET.to_owned()],
    })?;
    let listener = tokio::net::TcpListener::bind((address, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(server.listen(listener, std::future::pending()));
    Ok(address)
}

/// Answers one request: `/status/N` with that status and nothing else, everything else with what was asked.
fn answer(stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let (mut length, mut x) = (0, String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "x" => value.trim().clone_into(&mut x),
            _ => {}
        }
    }
    let mut body = Vec::new();
    reader.take(length.min(LONGEST_BODY)).read_to_end(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    let status = path.strip_prefix("/status/").and_then(|n| n.parse::<u16>().ok());
    let said = match status {
        Some(_) => String::new(),
        // With spaces, as the recorded server wrote it.
        None => format!(
            "{{\"body\": {}, \"method\": {}, \"path\": {}, \"x\": {}}}",
            json!(body),
            json!(method),
            json!(path),
            json!(x)
        ),
    };
    write!(
        &mut &*stream,
        "HTTP/1.1 {} \r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        status.unwrap_or(200),
        said.len()
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::Standins;

    #[test]
    fn requests_are_echoed_and_addresses_come_back() {
        let standins = Standins::start().expect("ports are free");
        let url = standins.inward("https://google.com/x?a=1");
        let rest = url.strip_prefix("http://").expect("a plain address");
        let (host, path) = rest.split_once('/').expect("a path");
        let mut stream = std::net::TcpStream::connect(host).expect("it listens");
        write!(
            stream,
            "POST /{path} HTTP/1.1\r\nX: y\r\nContent-Length: 2\r\n\r\nhi"
        )
        .expect("it reads");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("it answers");
        assert!(
            said.ends_with(r#"{"body": "hi", "method": "POST", "path": "/google/x?a=1", "x": "y"}"#),
            "{said}"
        );
        assert_eq!(standins.outward(&url), "https://httpbin.org/google/x?a=1");
    }
}
