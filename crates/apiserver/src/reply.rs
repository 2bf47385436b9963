//! Making HTTP responses out of results.
//!
//! Deliberately absent: choosing what to answer.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

use crate::body::Body;
use crate::status::Status;

/// A JSON response.
pub fn json(code: StatusCode, value: &Value) -> Response<Body> {
    let bytes = serde_json::to_vec(value).expect("a JSON value always has a text");
    text(code, "application/json", bytes)
}

/// A response of a known text and type.
pub fn text(code: StatusCode, r#type: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    with_body(code, r#type, Body::full(bytes))
}

/// A response of a type with any body.
pub fn with_body(code: StatusCode, r#type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(r#type));
    response
}

/// The response that says what went wrong.
pub fn error(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(code, &status.to_value());
    if matches!(status.code(), 429 | 504) {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// What Kubernetes answers on paths that it does not serve.
pub fn no_such_path() -> Response<Body> {
    text(
        StatusCode::NOT_FOUND,
        "text/plain; charset=utf-8",
        Bytes::from_static(b"404 page not found\n"),
    )
}
