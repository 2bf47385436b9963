//! A web server of one thread for tests: it answers by what a function makes of each request, and
//! keeps every request for the test to look at.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    /// Header lines, names in lower case.
    pub headers: Vec<String>,
    pub body: String,
}

/// Status line without the version, header lines, body.
pub type Reply = (&'static str, Vec<&'static str>, Vec<u8>);

/// A running server; it ends with the process.
pub struct Web {
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    /// Serves on a free port.
    pub fn start(reply: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that goes away is no fault of the server.
                let _ = answer(&stream.unwrap(), &reply, &kept);
            }
        });
        Self { address, asked }
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    stream: &TcpStream,
    reply: &impl Fn(&Asked) -> Reply,
    kept: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut asked = Asked::default();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if asked.line.is_empty() {
            asked.line = line.trim_end_matches(" HTTP/1.1").to_owned();
            continue;
        }
        let (name, value) = line.split_once(':').unwrap();
        let header = format!("{}:{value}", name.to_lowercase());
        if let Some(number) = header.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        asked.headers.push(header);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    kept.lock().unwrap().push(asked.clone());
    let (status, headers, body) = reply(&asked);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n")?;
    for header in headers {
        write!(stream, "{header}\r\n")?;
    }
    write!(stream, "Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)
}
