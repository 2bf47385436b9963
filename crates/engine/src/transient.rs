//! Which error texts say that trying again can help (C-EXE-31).

/// Texts of network, API server and etcd errors that pass.
const TEXTS: [&str; 24] = [
    "exceeded quota",
    "Operation cannot be fulfilled on resourcequota",
    "resource quota evaluation timed out",
    "net/http: TLS handshake timeout",
    "TLS handshake timeout",
    "i/o timeout",
    "connection timed out",
    "connection reset by peer",
    "http2: client connection lost",
    "client connection lost",
    "connection refused",
    "http2: server sent GOAWAY",
    "http: server closed idle connection",
    "transport connection broken",
    "unexpected EOF",
    "no such host",
    "etcdserver: leader changed",
    "etcdserver: request timed out",
    "etcdserver: too many requests",
    "the server was unable to return a response in the time allotted",
    "request canceled while waiting for connection",
    "client rate limiter Wait returned an error",
    "unexpected error when reading response body",
    "the server is currently unable to handle the request",
];

/// Whether an answer of the API with this HTTP status says that trying again can help.
#[must_use]
pub fn is_transient_answer(status: u16, text: &str, pattern: &str) -> bool {
    matches!(status, 429 | 503 | 504) || is_transient(text, pattern)
}

/// Whether a text names an error that passes. `pattern` is a further regular expression; empty matches nothing.
#[must_use]
pub fn is_transient(text: &str, pattern: &str) -> bool {
    TEXTS.iter().any(|t| text.contains(t))
        || !pattern.is_empty() && regex::Regex::new(pattern).is_ok_and(|r| r.is_match(text))
}
