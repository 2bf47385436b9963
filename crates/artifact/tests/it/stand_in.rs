//! Small HTTP servers that answer as a test says and keep what they were asked.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// An answer: status line's rest, header fields, body.
pub struct Answer {
    pub status: &'static str,
    pub fields: String,
    pub body: String,
}

impl Answer {
    pub fn ok(body: impl Into<String>) -> Self {
        Self {
            status: "200 OK",
            fields: String::new(),
            body: body.into(),
        }
    }

    pub fn of(status: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            ..Self::ok(body)
        }
    }

    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header fields as they came.
    pub head: String,
    pub body: String,
}

impl Request {
    /// Everything, to look for words in it.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.head, self.body)
    }
}

/// A server on a port of its own; it ends with the process.
pub struct StandIn {
    pub port: u16,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl StandIn {
    pub fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve(answer, |mut connection, serve| serve(&mut connection))
    }

    /// A server for `localhost` over TLS, and the certificate to trust.
    pub fn start_tls(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let server = Self::serve(answer, move |connection, serve| {
            let session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(session, connection);
            serve(&mut stream);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        (server, made.cert.pem())
    }

    fn serve(
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &mut dyn FnMut(&mut dyn Wire)) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                wrap(connection.unwrap(), &mut |connection| {
                    let Some(request) = read(connection) else {
                        return;
                    };
                    let Answer { status, fields, body } = answer(&request);
                    kept.lock().unwrap().push(request);
                    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{fields}");
                    let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                    // The caller may have gone.
                    let _ = connection.write_all(answer.as_bytes());
                });
            }
        });
        Self { port, asked }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Request> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A connection, plain or not.
trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

fn read(connection: &mut dyn Wire) -> Option<Request> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ').map(str::to_owned);
    Some(Request {
        method: words.next()?,
        target: words.next()?,
        body: String::from_utf8_lossy(&body).into_owned(),
        head,
    })
}
