//! CustomResourceDefinitions: kinds that come and go.
//!
//! Deliberately absent: what schemas mean (see `schema`).

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::{ApiServer, Call};
use crate::kinds::{Kind, Origin};
use crate::schema;
use crate::status::{Cause, Result, Status};
use crate::types;
use crate::validate;

impl ApiServer {
    /// Serves the kinds of a definition from now on.
    pub(super) fn learn(&self, definition: &Value) {
        self.with_registry(|registry| registry.define(definition));
    }

    /// Stops serving the kinds of a definition and drops their objects.
    pub(super) fn unlearn(&self, definition: &Value) {
        let spec = &definition["spec"];
        let group = spec["group"].as_str().unwrap_or_default();
        let plural = spec["names"]["plural"].as_str().unwrap_or_default();
        let resource = crate::status::qualified(group, plural);
        let Some(kind) = self.kinds().of_resource(&resource) else {
            return;
        };
        let objects = self.store.read().list(&resource, "").objects;
        self.with_registry(|registry| registry.forget(definition));
        for object in objects {
            let (key, seen) = (object.key.clone(), object.revision);
            let removed = self
                .store
                .write(&kind.resource, |core| core.remove(&kind.resource, key, seen));
            if let Ok(change) = removed {
                self.after_remove(&kind, &change.object);
            }
        }
    }

    fn with_registry(&self, edit: impl FnOnce(&mut crate::kinds::Registry)) {
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = kinds.as_ref().clone();
        edit(&mut next);
        *kinds = Arc::new(next);
    }

    /// Drops what the kind does not know and fills in a custom kind's defaults.
    ///
    /// # Errors
    /// 400 when the client wants unknown fields to be refused.
    pub(super) fn tidy(&self, call: &Call, object: &mut Value) -> Result<()> {
        self.drop_unknown(call, object)?;
        if let Some(schema) = &call.kind.schema {
            schema::fill(schema, object);
        }
        Ok(())
    }

    /// Drops what the kind does not know.
    ///
    /// # Errors
    /// 400 when the client wants unknown fields to be refused.
    pub(super) fn drop_unknown(&self, call: &Call, object: &mut Value) -> Result<()> {
        let kind = &call.kind;
        let dropped = match (&kind.schema, types::name_of(kind).and_then(types::named)) {
            (Some(schema), _) => schema::prune(schema, object),
            (None, Some(r#type)) if kind.origin == Origin::Builtin => types::prune(r#type, object),
            _ => Vec::new(),
        };
        if dropped.is_empty() {
            return Ok(());
        }
        let said: Vec<String> = dropped
            .iter()
            .map(|path| format!("unknown field {path:?}"))
            .collect();
        match call.query.get("fieldValidation") {
            "Strict" => Err(Status::bad_request(format!(
                "{} in version {:?} cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                said.join(", ")
            ))),
            "Ignore" => Ok(()),
            _ => {
                call.warn(said);
                Ok(())
            }
        }
    }

    /// What is wrong with the part of an object that its kind describes.
    pub(super) fn check_body(&self, kind: &Kind, object: &Value) -> Vec<Cause> {
        match &kind.schema {
            Some(schema) => schema::check(schema, object),
            None => validate::body(kind, object),
        }
    }
}
