//! Errors of the API: `metav1.Status` objects in the words that Kubernetes uses.
//!
//! Deliberately absent: deciding when an error applies.

use serde_json::{Map, Value, json};

/// A refused or failed request. Serialises as `kind: Status`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Status(Box<Inner>);

/// What handlers give back.
pub type Result<T, E = Status> = std::result::Result<T, E>;

#[derive(Clone, Debug)]
struct Inner {
    code: u16,
    reason: &'static str,
    message: String,
    details: Map<String, Value>,
    continue_token: Option<String>,
}

/// One reason why a field was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// `FieldValueInvalid` and its like.
    pub reason: &'static str,
    /// What is wrong, without the field's name.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

impl Cause {
    /// A field that must be present.
    pub fn required(field: impl Into<String>, advice: &str) -> Self {
        let message = if advice.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {advice}")
        };
        Cause {
            reason: "FieldValueRequired",
            message,
            field: field.into(),
        }
    }

    /// A value that the field may not have.
    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", go_value(value));
        Cause {
            reason: "FieldValueInvalid",
            message,
            field: field.into(),
        }
    }

    /// A value of the wrong JSON type.
    pub fn wrong_type(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        let message = format!("Invalid value: {}: {detail}", go_value(value));
        Cause {
            reason: "FieldValueTypeInvalid",
            message,
            field: field.into(),
        }
    }

    /// A value outside the known set.
    pub fn not_supported(field: impl Into<String>, value: &Value, known: &[String]) -> Self {
        let known = known
            .iter()
            .map(|known| format!("{known:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let message = format!(
            "Unsupported value: {}: supported values: {known}",
            go_value(value)
        );
        Cause {
            reason: "FieldValueNotSupported",
            message,
            field: field.into(),
        }
    }

    /// A field that may not be set or changed here.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Cause {
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {detail}"),
            field: field.into(),
        }
    }

    /// Two list elements with the same key.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        let message = format!("Duplicate value: {}", go_value(value));
        Cause {
            reason: "FieldValueDuplicate",
            message,
            field: field.into(),
        }
    }

    /// A reference to something that is not there.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        let message = format!("Not found: {}", go_value(value));
        Cause {
            reason: "FieldValueNotFound",
            message,
            field: field.into(),
        }
    }
}

/// A value as field errors print it.
fn go_value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Status(Box::new(Inner {
            code,
            reason,
            message,
            details: Map::new(),
            continue_token: None,
        }))
    }

    fn about(mut self, name: &str, group: &str, kind: &str) -> Self {
        for (field, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                self.0.details.insert(field.to_owned(), value.into());
            }
        }
        self
    }

    fn causes(mut self, causes: Vec<Value>) -> Self {
        self.0.details.insert("causes".to_owned(), Value::Array(causes));
        self
    }

    /// The HTTP status code.
    pub fn code(&self) -> u16 {
        self.0.code
    }

    /// The machine-readable reason, for example `NotFound`.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// The object as it goes over the wire.
    pub fn to_value(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.0.continue_token {
            metadata.insert("continue".to_owned(), token.as_str().into());
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.0.message, "reason": self.0.reason, "code": self.0.code,
        });
        if !self.0.details.is_empty() {
            status["details"] = Value::Object(self.0.details.clone());
        }
        status
    }

    /// The named object is not there. `group` is empty for the core group.
    pub fn not_found(group: &str, plural: &str, name: &str) -> Self {
        let resource = qualified(group, plural);
        Status::new(404, "NotFound", format!("{resource} {name:?} not found")).about(name, group, plural)
    }

    /// The name is taken.
    pub fn already_exists(group: &str, plural: &str, name: &str) -> Self {
        let resource = qualified(group, plural);
        Status::new(
            409,
            "AlreadyExists",
            format!("{resource} {name:?} already exists"),
        )
        .about(name, group, plural)
    }

    /// A write that does not fit the object's present state.
    pub fn conflict(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let resource = qualified(group, plural);
        Status::new(
            409,
            "Conflict",
            format!("Operation cannot be fulfilled on {resource} {name:?}: {why}"),
        )
        .about(name, group, plural)
    }

    /// A write on a version that is no longer the current one.
    pub fn modified(group: &str, plural: &str, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Status::conflict(group, plural, name, why)
    }

    /// Fields of another manager would be taken over by an apply.
    pub fn apply_conflict(message: String, causes: Vec<Value>) -> Self {
        Status::new(409, "Conflict", message).causes(causes)
    }

    /// The object breaks rules of its kind.
    pub fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Self {
        let said: Vec<String> = causes
            .iter()
            .map(|c| format!("{}: {}", c.field, c.message))
            .collect();
        let said = if let [only] = said.as_slice() {
            only.clone()
        } else {
            format!("[{}]", said.join(", "))
        };
        let kind_text = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let list = causes
            .iter()
            .map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field}))
            .collect();
        Status::new(422, "Invalid", format!("{kind_text} {name:?} is invalid: {said}"))
            .about(name, group, kind)
            .causes(list)
    }

    /// The request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Status::new(400, "BadRequest", message)
    }

    /// The resource does not know this verb.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Status::new(405, "MethodNotAllowed", message)
    }

    /// The credentials are missing or wrong.
    pub fn unauthorized() -> Self {
        Status::new(401, "Unauthorized", "Unauthorized")
    }

    /// The rules do not let this user do this.
    pub fn forbidden(group: &str, plural: &str, name: &str, why: &str) -> Self {
        let resource = qualified(group, plural);
        let subject = if name.is_empty() {
            resource
        } else {
            format!("{resource} {name:?}")
        };
        Status::new(403, "Forbidden", format!("{subject} is forbidden: {why}")).about(name, group, plural)
    }

    /// A path outside resources that this user may not see.
    pub fn forbidden_path(message: String) -> Self {
        Status::new(403, "Forbidden", message)
    }

    /// Nothing may be created in a namespace that is going away.
    pub fn namespace_terminating(group: &str, plural: &str, name: &str, namespace: &str) -> Self {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = json!({
            "reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated"),
        });
        Status::forbidden(group, plural, name, &why).causes(vec![cause])
    }

    /// The watch or list asks for a past that is no longer kept.
    pub fn expired(message: impl Into<String>) -> Self {
        Status::new(410, "Expired", message)
    }

    /// A list page asks for a past that is no longer kept; `token` continues with the present instead.
    pub fn continue_expired(token: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start \
            a new list without the continue parameter, or use the continue token in this response to retrieve the \
            remainder of the results. Continuing with the provided token results in an inconsistent list - objects \
            that were created, modified, or deleted between the time the first chunk was returned and now may show \
            up in the list.";
        let mut status = Status::expired(message);
        status.0.continue_token = Some(token);
        status
    }

    /// The read asks for a revision that has not been written yet.
    pub fn too_large_version(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let mut status = Status::new(504, "Timeout", message).causes(vec![cause]);
        status.0.details.insert("retryAfterSeconds".to_owned(), 1.into());
        status
    }

    /// The body is larger than the server takes.
    pub fn too_large(limit_bytes: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit_bytes}");
        Status::new(413, "RequestEntityTooLarge", message)
    }

    /// A JSON patch with more operations than the server takes.
    pub fn too_large_patch(operations: usize, limit: usize) -> Self {
        let message = format!("The allowed maximum operations in a JSON patch is {limit}, got {operations}");
        Status::new(413, "RequestEntityTooLarge", message)
    }

    /// A patch that does not fit the object.
    pub fn patch_misfit(message: String) -> Self {
        let message = format!("the server rejected our request due to an error in our request: {message}");
        Status::new(422, "Invalid", message)
    }

    /// The body's type is not one that this verb takes.
    pub fn unsupported_media_type(known: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            known.join(", ")
        );
        Status::new(415, "UnsupportedMediaType", message)
    }

    /// None of the asked-for forms can be made.
    pub fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json, application/yaml, \
            application/vnd.kubernetes.protobuf";
        Status::new(406, "NotAcceptable", message)
    }

    /// Eviction would break a disruption budget.
    pub fn too_many_requests(message: impl Into<String>) -> Self {
        Status::new(429, "TooManyRequests", message)
    }

    /// We failed.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        let mut status = Status::new(
            500,
            "InternalError",
            format!("Internal error occurred: {message}"),
        );
        status
            .0
            .details
            .insert("causes".to_owned(), json!([{"message": message.to_string()}]));
        status
    }

    /// The disk takes no writes at the moment.
    pub fn storage_stuck() -> Self {
        Status::new(
            503,
            "ServiceUnavailable",
            "the store cannot be written at the moment; is the disk full?",
        )
    }

    /// A part that would answer this is not plugged in or is not up.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Status::new(503, "ServiceUnavailable", message)
    }
}

/// `plural.group`, or `plural` in the core group.
pub fn qualified(group: &str, plural: &str) -> String {
    if group.is_empty() {
        plural.to_owned()
    } else {
        format!("{plural}.{group}")
    }
}
