//! A real kube-apiserver in place of ours, so that the same exchanges show where the two differ.
//!
//! `ARGOSY_REAL_API` names the kubeconfig of a server with its controllers and without nodes, whose namespace `default`
//! may be emptied; run with one thread. `cargo xtask conformance --api` starts such a server and does all that.
//! Deliberately absent: starting one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::common::definitions;

/// The variable that names the kubeconfig.
pub const REAL: &str = "ARGOSY_REAL_API";

/// How long a definition may take until its kind is served.
const BOUND: Duration = Duration::from_secs(30);

/// A client of the real server.
pub struct Real {
    client: kube::Client,
    /// How it is reached.
    config: kube::Config,
}

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
        let client = kube::Client::try_from(config.clone()).expect("a client");
        let real = Real { client, config };
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
        let begin = Instant::now();
        real.send("DELETE", "/api/v1/namespaces/n", Value::Null).await;
        while real.send("GET", "/api/v1/namespaces/n", Value::Null).await != 404 {
            assert!(begin.elapsed() < BOUND, "namespace n does not go in time");
        }
        let now = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        for kind in ["pods", "configmaps", "secrets"] {
            let path = format!("/api/v1/namespaces/default/{kind}");
            real.send("DELETE", &path, now.clone()).await;
        }
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        for kind in ["rolebindings", "roles"] {
            real.send(
                "DELETE",
                &format!("{rbac}/namespaces/default/{kind}"),
                Value::Null,
            )
            .await;
        }
        for role in ["sum", "part-a", "part-b"] {
            real.send("DELETE", &format!("{rbac}/clusterroles/{role}"), Value::Null)
                .await;
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
        let answer = self.answer(request.body(Full::new(body.into())).expect("a request"));
        let answer = answer.await;
        let code = answer.status().as_u16();
        // Read to its end, so that the connection serves again.
        let _ = answer.into_body().collect().await;
        code
    }

    /// kube's client of it.
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// A client of one who shows a token.
    pub fn bearer(&self, token: String) -> kube::Client {
        let mut config = self.config.clone();
        config.auth_info = kube::config::AuthInfo {
            token: Some(token.into()),
            ..kube::config::AuthInfo::default()
        };
        kube::Client::try_from(config).expect("a client")
    }

    /// The answer, whose body may go on for long.
    pub async fn answer(&self, request: Request<Full<Bytes>>) -> Response<kube::client::Body> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        let request = Request::from_parts(parts, kube::client::Body::from(body));
        self.client.send(request).await.expect("the server answers")
    }
}
