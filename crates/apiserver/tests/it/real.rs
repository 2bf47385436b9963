//! A real kube-apiserver in place of ours, so that the same exchanges show where the two differ.
//!
//! `ARGOSY_REAL_API` names the kubeconfig of a server whose namespace `default` may be emptied; run with one thread.
//! Deliberately absent: starting one (`cargo xtask cluster`, or etcd and kube-apiserver of `cargo xtask parts`).

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::common::definitions;

/// The variable that names the kubeconfig.
pub const REAL: &str = "ARGOSY_REAL_API";

/// How long a definition may take until its kind is served.
const BOUND: Duration = Duration::from_secs(30);

/// A client of the real server.
pub struct Real(kube::Client);

impl Real {
    /// The server that the environment names, with an empty namespace `default`; `None` when it names none.
    pub async fn empty() -> Option<Self> {
        let path = std::env::var_os(REAL)?;
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let file = Kubeconfig::read_from(path).expect("ARGOSY_REAL_API names a kubeconfig");
        let choice = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(file, &choice).await;
        let mut config = config.expect("the kubeconfig makes sense");
        // An answer that says "later" is an answer too.
        config.default_retry = false;
        let real = Real(kube::Client::try_from(config).expect("a client"));
        for definition in definitions() {
            let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
            real.send("POST", crds, definition).await;
        }
        for kind in ["widgets", "gadgets"] {
            let begin = Instant::now();
            let path = format!("/apis/example.com/v1/namespaces/default/{kind}");
            while real.send("DELETE", &path, Value::Null).await != 200 {
                assert!(begin.elapsed() < BOUND, "{kind} are not served in time");
            }
        }
        for (definition, path) in [
            ("stricts.example.com", "/apis/example.com/v1/stricts"),
            ("things.new.io", "/apis/new.io/v1/things"),
        ] {
            let begin = Instant::now();
            let crd = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition}");
            real.send("DELETE", &crd, Value::Null).await;
            while real.send("GET", path, Value::Null).await != 404 {
                assert!(begin.elapsed() < BOUND, "{definition} does not go in time");
            }
        }
        let now = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        for kind in ["pods", "configmaps", "secrets"] {
            let path = format!("/api/v1/namespaces/default/{kind}");
            real.send("DELETE", &path, now.clone()).await;
        }
        for kind in ["rolebindings", "roles"] {
            let path = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/default/{kind}");
            real.send("DELETE", &path, Value::Null).await;
        }
        let account = json!({"metadata": {"name": "default"}});
        real.send("POST", "/api/v1/namespaces/default/serviceaccounts", account)
            .await;
        Some(real)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> u16 {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        self.answer(request.body(Full::new(body.into())).expect("a request"))
            .await
            .0
    }

    /// Code and body of the answer.
    pub async fn answer(&self, request: Request<Full<Bytes>>) -> (u16, Bytes) {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        let request = Request::from_parts(parts, kube::client::Body::from(body));
        let response = self.0.send(request).await.expect("the server answers");
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body");
        (code, body.to_bytes())
    }
}
