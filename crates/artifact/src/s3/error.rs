//! What an S3 server says, in our terms: not there, try again, or no (rule X-S3-13).

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::store::{Error, chain};

/// Codes after which trying again may help.
const TRANSIENT: &[&str] = &[
    "RequestError",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "InternalError",
    "SlowDown",
    "ServiceUnavailable",
];

/// What the SDK says when no route to credentials applies.
const NO_CREDENTIALS: &str = "no credentials found in chain";

/// Turns a failed request into our error. Its message is the server's when there is one.
pub fn service<E>(error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map_or(0, |r| r.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let message = match (error.message(), code.as_str(), status) {
        (Some(message), ..) if !message.is_empty() => message.to_owned(),
        (_, "NoSuchKey", _) | (_, "NotFound", _) => "The specified key does not exist.".to_owned(),
        (_, "", 404) => "The specified key does not exist.".to_owned(),
        (_, "", 0) => chain(&error),
        (_, "", status) => format!("the s3 server answered {status}"),
        (_, code, status) => format!("{code} ({status})"),
    };
    if matches!(code.as_str(), "NoSuchKey" | "NotFound") || (code.is_empty() && status == 404) {
        return Error::NotFound(message);
    }
    // Nobody gives us keys, and asking again changes nothing.
    if let Some(start) = message.find(NO_CREDENTIALS) {
        return Error::Store {
            message: message[start..].to_owned(),
            is_transient: false,
        };
    }
    let unreached = matches!(
        error,
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) | SdkError::ResponseError(_)
    );
    let is_transient = unreached || status >= 500 || status == 429 || TRANSIENT.contains(&code.as_str());
    Error::Store {
        message,
        is_transient,
    }
}

/// Whether a failed request was answered with this code.
pub fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, code: &str) -> bool {
    error.code() == Some(code)
}
