//! Starting a server: the objects that exist from the first moment.
//!
//! Deliberately absent: controllers that would make them again when someone deletes them.

use std::sync::{Arc, OnceLock, RwLock};

use serde_json::{Value, json};

use super::ApiServer;
use crate::auth::{self, Authority, Identity};
use crate::kinds::Registry;
use crate::meta;
use crate::options::Options;
use crate::patch;
use crate::rbac;
use crate::status::{Result, Status};
use crate::store::{self, Key, Store};

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server's certificates could not be made.
    #[error("making the server's certificates failed")]
    Certificates(#[source] auth::Error),
    /// The file of the options could not be used.
    #[error("the file that keeps the objects cannot be used")]
    Store(#[source] store::Error),
    /// One of the objects of the options was refused.
    #[error("the object {name:?} that must exist from the start was refused")]
    Object {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Status,
    },
}

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

impl ApiServer {
    /// Starts a server with what `options` say must exist.
    ///
    /// # Errors
    /// [`StartError`] when the certificates cannot be made or an object of the options is refused.
    pub fn new(options: Options) -> Result<Arc<Self>, StartError> {
        let (store, identity) = open(&options)?;
        let authority = Authority::new(&options, identity).map_err(StartError::Certificates)?;
        let server = Arc::new(ApiServer {
            store,
            kinds: RwLock::new(Arc::new(Registry::builtin())),
            kubelet: OnceLock::new(),
            authority,
            options,
        });
        server.resume();
        for name in NAMESPACES
            .into_iter()
            .chain(server.options.namespaces.iter().map(String::as_str))
        {
            server.ensure("", "v1", "namespaces", json!({"metadata": {"name": name}}))?;
        }
        for definition in &server.options.definitions {
            let (group, plural) = ("apiextensions.k8s.io", "customresourcedefinitions");
            server.ensure(group, "v1", plural, definition.clone())?;
            server.redefine(definition);
        }
        for (plural, object) in rbac::first::roles() {
            server.ensure("rbac.authorization.k8s.io", "v1", plural, object)?;
        }
        server.sum_up_roles();
        server.ensure("", "v1", "services", kubernetes_service())?;
        Ok(server)
    }

    /// Takes up what was kept: custom kinds, and deletions that the last process did not finish.
    fn resume(&self) {
        let kept = self.store.read().all();
        for (resource, object) in &kept {
            if &**resource == "customresourcedefinitions.apiextensions.k8s.io" {
                self.learn(&object.value);
            }
        }
        for (resource, object) in &kept {
            let Some(kind) = self.kinds().of_resource(resource) else {
                continue;
            };
            if meta::is_terminating(&object.value) {
                self.after_mark(&kind, object);
            }
            self.collect_orphan(&kind, object);
        }
    }

    fn ensure(&self, group: &str, version: &str, plural: &str, object: Value) -> Result<(), StartError> {
        let kind = self
            .kinds()
            .get(group, version, plural)
            .expect("the kind is one of the built-in ones");
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let namespace = object["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if self
            .store
            .read()
            .get(&kind.resource, &Key::new(&namespace, &name))
            .is_some()
        {
            return Ok(());
        }
        let made = self.make(&kind, &namespace, object, false);
        made.map(|_| ())
            .map_err(|source| StartError::Object { name, source })
    }

    /// Brings a definition that an older version of the caller left in the file up to date.
    fn redefine(&self, wanted: &Value) {
        let Some(kind) = self
            .kinds()
            .get("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        else {
            return;
        };
        let written = self.change(&kind, &Key::new("", meta::name(wanted)), |current| {
            Ok(patch::merge::apply(
                current.clone(),
                json!({"spec": wanted["spec"]}),
            ))
        });
        if let Err(status) = written {
            tracing::warn!(name = meta::name(wanted), %status, "A definition was not brought up to date");
        }
    }

    /// What a new namespace gets: the account that pods use by default, and the certificate they trust.
    pub(super) fn furnish_namespace(&self, namespace: &str) -> Result<()> {
        let kinds = self.kinds();
        let objects = [
            (
                "serviceaccounts",
                json!({"metadata": {"name": "default", "namespace": namespace}}),
            ),
            (
                "configmaps",
                json!({
                    "metadata": {
                        "name": "kube-root-ca.crt", "namespace": namespace,
                        "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to \
                            verify the kube-apiserver when using internal endpoints such as the internal service IP \
                            or kubernetes.default.svc. No other usage is guaranteed across distributions of \
                            Kubernetes clusters."},
                    },
                    "data": {"ca.crt": self.ca_pem()},
                }),
            ),
        ];
        for (plural, object) in objects {
            let kind = kinds
                .get("", "v1", plural)
                .expect("the kind is one of the built-in ones");
            match self.make(&kind, namespace, object, false) {
                Err(status) if status.reason() != "AlreadyExists" => return Err(status),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Opens the store, and finds (or makes) the identity that goes with it.
fn open(options: &Options) -> Result<(Store, Identity), StartError> {
    let Some(path) = &options.file else {
        let identity = Identity::new().map_err(StartError::Certificates)?;
        return Ok((Store::in_memory(options.limits), identity));
    };
    let (store, mut notes) = Store::on_disk(path, options.limits).map_err(StartError::Store)?;
    let kept = notes
        .remove(IDENTITY)
        .and_then(|text| serde_json::from_str(&text).ok());
    if let Some(identity) = kept {
        return Ok((store, identity));
    }
    // Only a journal may hold the file, so it is let go for a moment.
    drop(store);
    let identity = Identity::new().map_err(StartError::Certificates)?;
    let text = serde_json::to_string(&identity).expect("an identity is three texts");
    store::note(path, IDENTITY, &text).map_err(StartError::Store)?;
    let (store, _) = Store::on_disk(path, options.limits).map_err(StartError::Store)?;
    Ok((store, identity))
}

/// The name under which the file keeps the server's identity.
const IDENTITY: &str = "identity";

fn kubernetes_service() -> Value {
    json!({
        "metadata": {
            "name": "kubernetes", "namespace": "default",
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ipFamilies": ["IPv4"],
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
        },
    })
}
