//! GET: one object, and lists by page.
//!
//! Deliberately absent: watches (see `api::watch`).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{BufMut, Bytes, BytesMut};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call, shown, versioned};
use crate::body::Body;
use crate::kinds::{Kind, Origin};
use crate::meta;
use crate::reply;
use crate::selector::{Fields, Labels};
use crate::status::{Result, Status};
use crate::store::{Key, Object, Page};

/// Which objects of a kind a list or watch is about.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub namespace: String,
    pub labels: Labels,
    pub fields: Fields,
}

impl Choice {
    /// # Errors
    /// 400 for selectors that cannot be read.
    pub fn of(call: &Call) -> Result<Self> {
        let custom = call.kind.origin == Origin::Custom;
        let labels = Labels::parse(call.query.get("labelSelector"))?;
        let mut fields = Fields::parse(call.query.get("fieldSelector"), &call.kind.resource, custom)?;
        if !call.target.name.is_empty() {
            let name = format!("metadata.name={}", call.target.name);
            fields = Fields::parse(&name, &call.kind.resource, custom)?;
        }
        Ok(Choice {
            namespace: call.target.namespace.clone(),
            labels,
            fields,
        })
    }

    pub fn takes(&self, object: &Object) -> bool {
        (self.namespace.is_empty() || *self.namespace == *object.key.namespace)
            && self.labels.matches(&object.value)
            && self.fields.matches(&object.value)
    }
}

/// In which form the client wants objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Object,
    /// As kubectl prints them.
    Table,
    /// Only their metadata.
    Metadata,
}

impl Form {
    /// The first form of `Accept` that we can make.
    pub fn of(call: &Call) -> Self {
        let accept = call.header(http::header::ACCEPT);
        let known = accept.split(',').find_map(|part| {
            let r#as = part
                .split(';')
                .find_map(|parameter| parameter.trim().strip_prefix("as="));
            match r#as {
                Some("Table") => Some(Form::Table),
                Some("PartialObjectMetadata" | "PartialObjectMetadataList") => Some(Form::Metadata),
                Some(_) => None,
                None => part.contains("json").then_some(Form::Object),
            }
        });
        known.unwrap_or(Form::Object)
    }
}

/// The metadata of an object as an object of its own.
pub(super) fn metadata_of(object: &Object) -> Value {
    let metadata = meta::metadata(&object.value).cloned().unwrap_or_default();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

impl ApiServer {
    pub(super) fn get(&self, call: &Call) -> Result<Response<Body>> {
        let object = self.found(call)?;
        Ok(shown(StatusCode::OK, call, &object))
    }

    pub(super) fn list(&self, call: &Call) -> Result<Response<Body>> {
        let choice = Choice::of(call)?;
        let limit = call
            .query
            .number("limit")
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(0);
        let (page, after) = self.page(call, &choice)?;
        let mut objects = page.objects.into_iter().filter(|object| choice.takes(object));
        let mut shown: Vec<Arc<Object>> = Vec::new();
        let mut metadata = json!({"resourceVersion": page.revision.to_string()});
        if limit == 0 {
            shown.extend(objects);
        } else {
            shown.extend(objects.by_ref().take(limit));
            let rest = objects.count();
            if let (Some(last), 1..) = (shown.last(), rest) {
                metadata["continue"] = token(page.revision, &last.key).into();
                if choice.labels.is_empty() && choice.fields.is_empty() {
                    metadata["remainingItemCount"] = rest.into();
                }
            }
        }
        tracing::trace!(resource = %call.kind.resource, objects = shown.len(), continued = after, "Listed");
        match Form::of(call) {
            Form::Object => Ok(list_response(&call.kind, &shown, &metadata)),
            Form::Table => Ok(reply::json(
                StatusCode::OK,
                &call.printing().list(&shown, &metadata),
            )),
            Form::Metadata => {
                let items: Vec<Value> = shown.iter().map(|object| metadata_of(object)).collect();
                let list = json!({
                    "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    "items": items,
                });
                Ok(reply::json(StatusCode::OK, &list))
            }
        }
    }

    /// The objects from which the list is picked, and whether this continues an earlier page.
    fn page(&self, call: &Call, choice: &Choice) -> Result<(Page, bool)> {
        let core = self.store.read();
        let resource = &call.kind.resource;
        let wanted = call.query.get("resourceVersion");
        let token = call.query.get("continue");
        if !token.is_empty() {
            let (revision, after) = read_token(token)?;
            let revision = if revision == 0 { core.revision() } else { revision };
            let page = core.list_at(resource, &choice.namespace, Some(&after), revision);
            let expired = |_| Status::continue_expired(self::token(0, &after));
            return page.map(|page| (page, true)).map_err(expired);
        }
        let revision = parse_revision(wanted)?;
        if revision > core.revision() {
            return Err(Status::too_large_version(revision, core.revision()));
        }
        if revision > 0 && call.query.get("resourceVersionMatch") == "Exact" {
            let page = core.list_at(resource, &choice.namespace, None, revision);
            let expired = |error: crate::store::Compacted| {
                Status::expired(format!(
                    "The resourceVersion for the provided list is too old. ({error})"
                ))
            };
            return page.map(|page| (page, false)).map_err(expired);
        }
        if let Some(name) = choice
            .fields
            .name()
            .filter(|_| !choice.namespace.is_empty() || !call.kind.namespaced)
        {
            let found = core.get(resource, &Key::new(&choice.namespace, name));
            return Ok((
                Page {
                    objects: found.into_iter().collect(),
                    revision: core.revision(),
                },
                false,
            ));
        }
        Ok((core.list(resource, &choice.namespace), false))
    }
}

/// Reads `resourceVersion=`; missing is 0.
///
/// # Errors
/// 400 for anything but a number.
pub(super) fn parse_revision(text: &str) -> Result<u64> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        Status::bad_request(format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        ))
    })
}

fn token(revision: u64, last: &Key) -> String {
    URL_SAFE_NO_PAD.encode(json!([revision, &*last.namespace, &*last.name]).to_string())
}

fn read_token(text: &str) -> Result<(u64, Key)> {
    let read = || {
        let value: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        Some((
            value[0].as_u64()?,
            Key::new(value[1].as_str()?, value[2].as_str()?),
        ))
    };
    read().ok_or_else(|| Status::bad_request("continue key is not valid: the token cannot be read"))
}

/// A list, joined from the stored texts of its objects.
pub(super) fn list_response(kind: &Kind, objects: &[Arc<Object>], metadata: &Value) -> Response<Body> {
    let size: usize = objects.iter().map(|object| object.bytes.len() + 1).sum();
    let head = format!(
        r#"{{"kind":"{}","apiVersion":"{}","metadata":{metadata},"items":["#,
        kind.list_kind,
        kind.api_version(),
    );
    let mut text = BytesMut::with_capacity(head.len() + size + 2);
    text.put_slice(head.as_bytes());
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            text.put_u8(b',');
        }
        text.put(object_text(kind, object));
    }
    text.put_slice(b"]}");
    reply::with_body(StatusCode::OK, "application/json", Body::full(text.freeze()))
}

/// The text of an object in the version of `kind`.
pub(super) fn object_text(kind: &Kind, object: &Object) -> Bytes {
    match versioned(kind, &object.value) {
        Some(value) => Bytes::from(value.to_string()),
        None => object.bytes.clone(),
    }
}
