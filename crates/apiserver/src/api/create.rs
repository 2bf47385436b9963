//! POST: making objects.
//!
//! Deliberately absent: what single kinds add on their own (see `defaults`, `api::definitions`).

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{ApiServer, Call, shown};
use crate::body::Body;
use crate::defaults;
use crate::kinds::{Kind, Origin};
use crate::meta;
use crate::random;
use crate::status::{Cause, Result, Status};
use crate::store::{Key, Object, Refused};
use crate::validate;

/// How often a generated name that is taken is replaced by another one.
const NAME_TRIES: usize = 8;

impl ApiServer {
    pub(super) fn create(&self, call: &Call) -> Result<Response<Body>> {
        let mut object = call.json()?;
        validate::envelope(&call.kind, &mut object)?;
        validate::place(&object, &call.target.namespace, None)?;
        self.tidy(call, &mut object)?;
        self.check_grant(call, None, &object)?;
        let made = self.make(&call.kind, &call.target.namespace, object, call.dry_run()?)?;
        Ok(shown(StatusCode::CREATED, call, &made))
    }

    /// Makes an object on behalf of the server itself.
    ///
    /// # Errors
    /// As POST answers.
    pub(super) fn make(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut object: Value,
        dry: bool,
    ) -> Result<Arc<Object>> {
        self.check_namespace(kind, namespace, &object)?;
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), kind.api_version().into());
            fields.insert("kind".to_owned(), kind.kind.as_str().into());
        }
        let generated = self.fill_metadata(kind, namespace, &mut object);
        let fields = object
            .as_object_mut()
            .filter(|_| kind.status && kind.origin == Origin::Custom);
        if let Some(fields) = fields {
            fields.remove("status");
        }
        self.admit(kind, &mut object)?;
        self.check_new(kind, &object)?;
        let object = if dry {
            dry_object(object)
        } else {
            self.insert(kind, namespace, object, generated)?
        };
        if !dry {
            self.after_create(kind, &object)?;
        }
        Ok(object)
    }

    fn insert(
        &self,
        kind: &Arc<Kind>,
        namespace: &str,
        mut object: Value,
        generated: bool,
    ) -> Result<Arc<Object>> {
        for _ in 0..NAME_TRIES {
            let name = meta::name(&object).to_owned();
            let key = Key::new(namespace, &name);
            let next = object.clone();
            match self
                .store
                .write(&kind.resource, |core| core.create(&kind.resource, key, next))
            {
                Ok(change) => return Ok(change.object.clone()),
                Err(Refused::Exists) if generated => {
                    let name = format!("{}{}", meta::text(&object, "generateName"), random::suffix());
                    meta::set(&mut object, "name", name.into());
                }
                Err(Refused::Stuck) => return Err(Status::storage_stuck()),
                Err(_) => break,
            }
        }
        Err(Status::already_exists(
            &kind.group,
            &kind.plural,
            meta::name(&object),
        ))
    }

    /// Namespaced objects need a namespace that is there to stay.
    fn check_namespace(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<()> {
        if !kind.namespaced {
            return Ok(());
        }
        let found = self.store.read().get("namespaces", &Key::new("", namespace));
        let found = found.ok_or_else(|| Status::not_found("", "namespaces", namespace))?;
        if meta::is_terminating(&found.value) {
            let name = meta::name(object);
            return Err(Status::namespace_terminating(
                &kind.group,
                &kind.plural,
                name,
                namespace,
            ));
        }
        Ok(())
    }

    /// Gives what only the server may set; says whether the name was generated.
    fn fill_metadata(&self, kind: &Kind, namespace: &str, object: &mut Value) -> bool {
        let prefix = meta::text(object, "generateName").to_owned();
        let generated = meta::name(object).is_empty() && !prefix.is_empty();
        let Some(metadata) = meta::metadata_mut(object) else {
            return false;
        };
        for field in [
            "resourceVersion",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "generation",
        ] {
            metadata.remove(field);
        }
        if generated {
            // Names end within 63 characters, so the prefix gives way to the suffix.
            let kept: String = prefix.chars().take(58).collect();
            metadata.insert("name".to_owned(), format!("{kept}{}", random::suffix()).into());
        }
        if !namespace.is_empty() {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
        metadata.insert("uid".to_owned(), random::uid().into());
        metadata.insert("creationTimestamp".to_owned(), self.options.clock.text().into());
        if kind.counts_generations() {
            metadata.insert("generation".to_owned(), 1.into());
        }
        generated
    }

    /// What the server adds to a new object of this kind.
    fn admit(&self, kind: &Kind, object: &mut Value) -> Result<()> {
        if kind.origin == Origin::Custom {
            return Ok(());
        }
        self.fill_token_secret(kind, object);
        let world = defaults::World {
            clock: &self.options.clock,
            account: &|namespace, name| {
                let found = self
                    .store
                    .read()
                    .get("serviceaccounts", &Key::new(namespace, name));
                found.map(|account| account.value.clone())
            },
        };
        defaults::on_create(kind, object, &world)
    }

    fn check_new(&self, kind: &Kind, object: &Value) -> Result<()> {
        let mut causes = validate::metadata(kind, object);
        causes.extend(self.check_body(kind, object));
        if meta::name(object).is_empty() {
            let advice = "name or generateName is required";
            causes.insert(0, Cause::required("metadata.name", advice));
        }
        if causes.is_empty() {
            return Ok(());
        }
        Err(Status::invalid(
            &kind.group,
            &kind.kind,
            meta::name(object),
            &causes,
        ))
    }

    /// What follows from an object's existence.
    fn after_create(&self, kind: &Arc<Kind>, object: &Arc<Object>) -> Result<()> {
        match (kind.group.as_str(), kind.plural.as_str()) {
            ("", "namespaces") => self.furnish_namespace(&object.key.name)?,
            ("apiextensions.k8s.io", "customresourcedefinitions") => self.learn(&object.value),
            ("", "events") => self.drop_old_events(),
            ("rbac.authorization.k8s.io", "clusterroles") => self.sum_up_roles(),
            _ => {}
        }
        self.collect_orphan(kind, object);
        Ok(())
    }
}

/// What a dry run shows: an object that was not stored.
pub(super) fn dry_object(value: Value) -> Arc<Object> {
    let key = Key::new(meta::namespace(&value), meta::name(&value));
    let bytes = serde_json::to_vec(&value)
        .expect("a JSON value always has a text")
        .into();
    Arc::new(Object {
        key,
        revision: 0,
        value: Arc::new(value),
        bytes,
    })
}

/// `POST pods/NAME/binding`.
impl ApiServer {
    pub(super) fn bind(&self, call: &Call) -> Result<Response<Body>> {
        let binding = call.json()?;
        if binding["metadata"]["name"] != call.target.name {
            return Err(Status::bad_request(
                "name in URL does not match name in Binding object",
            ));
        }
        let node = binding["target"]["name"].as_str().unwrap_or_default().to_owned();
        if node.is_empty() {
            let causes = [Cause::required("target.name", "")];
            return Err(Status::invalid("", "Binding", &call.target.name, &causes));
        }
        let now = self.options.clock.text();
        self.change(&call.kind, &call.key(), |pod| {
            let bound = pod["spec"]["nodeName"].as_str().unwrap_or_default();
            if !bound.is_empty() {
                let why = format!("pod {} is already assigned to node {bound:?}", call.target.name);
                return Err(Status::conflict("", "pods/binding", &call.target.name, &why));
            }
            let mut pod = pod.clone();
            defaults::bind(&mut pod, &node, &now);
            Ok(pod)
        })?;
        let done = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
        });
        Ok(crate::reply::json(StatusCode::CREATED, &done))
    }
}
