//! CustomResourceDefinitions: kinds that come and go.
//!
//! Deliberately absent: checking objects against a definition's schema (see `schema`).

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::{ApiServer, Call};
use crate::kinds::Kind;
use crate::status::{Cause, Result};

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

    /// Checks (and completes) the part of an object that its kind describes.
    pub(super) fn check_body(
        &self,
        kind: &Kind,
        object: &mut Value,
        _call: Option<&Call>,
    ) -> Result<Vec<Cause>> {
        Ok(crate::validate::body(kind, object))
    }
}
