//! How the API server is found: kubeconfig, then what options say otherwise.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use argosy_model::k8s::ObjectMeta;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kube::client::ClientBuilder;
use kube::client::retry::RetryPolicy;
use kube::config::{KubeConfigOptions, Kubeconfig};
use secrecy::ExposeSecret;
use tower::buffer::BufferLayer;
use tower::retry::RetryLayer;

use crate::api::Api;
use crate::failure::advise;

/// Options of every command, each also an environment variable `ARGO_...`.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Options {
    /// Namespace
    #[arg(short, long, global = true, env = "ARGO_NAMESPACE", hide_env = true)]
    pub namespace: Option<String>,
    /// Kubeconfig file; otherwise KUBECONFIG, then ~/.kube/config
    #[arg(long, global = true, env = "ARGO_KUBECONFIG", hide_env = true)]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, global = true, env = "ARGO_CONTEXT", hide_env = true)]
    pub context: Option<String>,
    /// Cluster of the kubeconfig
    #[arg(long, global = true, env = "ARGO_CLUSTER", hide_env = true)]
    pub cluster: Option<String>,
    /// User of the kubeconfig
    #[arg(long, global = true, env = "ARGO_USER", hide_env = true)]
    pub user: Option<String>,
    /// Address of the Kubernetes API
    #[arg(long, global = true, env = "ARGO_KUBERNETES_SERVER", hide_env = true)]
    pub server: Option<String>,
    /// Bearer token for the Kubernetes API
    #[arg(long, global = true)]
    pub token: Option<String>,
    /// User name for basic authentication
    #[arg(long, global = true, env = "ARGO_USERNAME", hide_env = true)]
    pub username: Option<String>,
    /// Password for basic authentication
    #[arg(long, global = true, env = "ARGO_PASSWORD", hide_env = true)]
    pub password: Option<String>,
    /// Proxy for requests to the Kubernetes API
    #[arg(long, global = true, env = "ARGO_PROXY_URL", hide_env = true)]
    pub proxy_url: Option<String>,
    /// User to act as
    #[arg(long = "as", global = true, env = "ARGO_AS", hide_env = true)]
    pub as_user: Option<String>,
    /// Group to act as; can be repeated
    #[arg(long, global = true, env = "ARGO_AS_GROUP", hide_env = true)]
    pub as_group: Vec<String>,
    /// UID to act as
    #[arg(long, global = true, env = "ARGO_AS_UID", hide_env = true)]
    pub as_uid: Option<String>,
    /// File with the certificate authority of the server
    #[arg(long, global = true, env = "ARGO_CERTIFICATE_AUTHORITY", hide_env = true)]
    pub certificate_authority: Option<PathBuf>,
    /// File with a client certificate; needs --client-key
    #[arg(
        long,
        global = true,
        env = "ARGO_CLIENT_CERTIFICATE",
        hide_env = true,
        requires = "client_key"
    )]
    pub client_certificate: Option<PathBuf>,
    /// File with the key of the client certificate
    #[arg(
        long,
        global = true,
        env = "ARGO_CLIENT_KEY",
        hide_env = true,
        requires = "client_certificate"
    )]
    pub client_key: Option<PathBuf>,
    /// Don't check the server's certificate
    #[arg(long, global = true, env = "ARGO_INSECURE_SKIP_TLS_VERIFY", hide_env = true)]
    pub insecure_skip_tls_verify: bool,
    /// Name that the server's certificate must have
    #[arg(long, global = true, env = "ARGO_TLS_SERVER_NAME", hide_env = true)]
    pub tls_server_name: Option<String>,
    /// Longest time of one request, such as 30s; 0 is no limit
    #[arg(
        long,
        global = true,
        default_value = "0",
        env = "ARGO_REQUEST_TIMEOUT",
        hide_env = true
    )]
    pub request_timeout: String,
    /// Address of an Argo server; not supported, commands talk to the Kubernetes API
    #[arg(short = 's', long, global = true, env = "ARGO_SERVER", hide_env = true)]
    pub argo_server: Option<String>,
    /// Options about an Argo server, which have no effect on the Kubernetes API
    #[command(flatten)]
    pub argo: ArgoServer,
    /// Instance of the controller that workflows belong to
    #[arg(long, global = true, env = "ARGO_INSTANCEID", hide_env = true)]
    pub instanceid: Option<String>,
}

/// Options of the published command line that concern only a way of talking that we don't have. They are read, so that
/// scripts that give them with every command go on working.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ArgoServer {
    /// Path before that of the server's API
    #[arg(long, global = true, hide = true, env = "ARGO_BASE_HREF")]
    pub argo_base_href: Option<String>,
    /// Talk HTTP 1 to the server
    #[arg(long, global = true, hide = true, env = "ARGO_HTTP1")]
    pub argo_http1: bool,
    /// Header for the server
    #[arg(short = 'H', long = "header", global = true, hide = true)]
    pub headers: Vec<String>,
    /// Talk to the server over TLS
    #[arg(short = 'e', long, global = true, hide = true, env = "ARGO_SECURE", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub secure: Option<bool>,
    /// Don't check the server's certificate
    #[arg(
        short = 'k',
        long,
        global = true,
        hide = true,
        env = "ARGO_INSECURE_SKIP_VERIFY"
    )]
    pub insecure_skip_verify: bool,
    /// Ask for answers without compression
    #[arg(long, global = true, hide = true)]
    pub disable_compression: bool,
    /// Level of the log of a client library
    #[arg(long, global = true, hide = true, default_value_t = 0)]
    pub gloglevel: i32,
}

/// Requests that wait for the connection; commands make few at a time.
const WAITING: usize = 64;

/// How often a request is made again that a server could not answer just now: for about five seconds, then the user is
/// told.
fn patience() -> RetryPolicy {
    let policy = RetryPolicy::new(Duration::from_millis(200), Duration::from_secs(2), 5, true);
    policy.expect("the shortest wait is shorter than the longest")
}

impl Options {
    /// Finds the server and makes a client for it. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no kubeconfig, or what it or an option says can't be used.
    pub async fn connect(&self) -> anyhow::Result<Api> {
        if self.argo_server.as_deref().is_some_and(|s| !s.is_empty()) {
            return Err(advise(
                anyhow::anyhow!("commands can't talk to an Argo server yet"),
                "leave out --argo-server and unset ARGO_SERVER to talk to the Kubernetes API",
            ));
        }
        let mut config = self.config().await?;
        let namespace = match self.namespace.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => config.default_namespace.clone(),
        };
        // It would try for minutes before it told anything.
        config.default_retry = false;
        let builder =
            ClientBuilder::try_from(config).context("preparing the client for the Kubernetes API")?;
        let client = builder
            .with_layer(&BufferLayer::new(WAITING))
            .with_layer(&RetryLayer::new(patience()))
            .build();
        Ok(Api::new(client, namespace))
    }

    /// Whether the user has said which API server is meant, beyond what a kubeconfig in its usual place says.
    pub fn names_a_server(&self) -> bool {
        let named = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let file = self
            .kubeconfig
            .as_ref()
            .is_some_and(|path| !path.as_os_str().is_empty());
        file || named(&self.server) || named(&self.context)
    }

    async fn config(&self) -> anyhow::Result<kube::Config> {
        let choice = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        let mut config = match (&self.kubeconfig, &self.server) {
            (Some(path), _) => {
                let file = Kubeconfig::read_from(path).map_err(|e| no_config(&e))?;
                kube::Config::from_custom_kubeconfig(file, &choice)
                    .await
                    .map_err(|e| no_config(&e))?
            }
            (None, Some(server)) if Kubeconfig::read().is_err() => kube::Config::new(address(server)?),
            (None, _) => match kube::Config::from_kubeconfig(&choice).await {
                Ok(config) => config,
                Err(error) => kube::Config::incluster().map_err(|_| no_config(&error))?,
            },
        };
        self.change(&mut config)?;
        Ok(config)
    }

    /// The value of the header `Authorization` that an Argo server gets (rule C-CONN-04).
    ///
    /// # Errors
    /// When there is no kubeconfig, or nothing in it makes a header.
    pub async fn authorization(&self) -> anyhow::Result<String> {
        if let Some(whole) = std::env::var("ARGO_TOKEN").ok().filter(|t| !t.is_empty()) {
            return Ok(whole);
        }
        let auth = self.config().await?.auth_info;
        if let (Some(user), Some(password)) = (&auth.username, &auth.password) {
            let pair = format!("{user}:{}", password.expose_secret());
            return Ok(format!("Basic {}", BASE64_STANDARD.encode(pair)));
        }
        if let Some(token) = &auth.token {
            return Ok(format!("Bearer {}", token.expose_secret()));
        }
        if let Some(file) = &auth.token_file {
            let token = std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
            return Ok(format!("Bearer {}", token.trim()));
        }
        anyhow::bail!("could not find a token")
    }

    fn change(&self, config: &mut kube::Config) -> anyhow::Result<()> {
        if let Some(server) = &self.server {
            config.cluster_url = address(server)?;
        }
        if let Some(proxy) = &self.proxy_url {
            let uri = proxy.parse().with_context(|| format!("--proxy-url {proxy}"))?;
            config.proxy_url = Some(uri);
        }
        if let Some(file) = &self.certificate_authority {
            std::fs::metadata(file).with_context(|| format!("reading {}", file.display()))?;
            config.root_cert_file = Some(file.clone());
        }
        config.accept_invalid_certs |= self.insecure_skip_tls_verify;
        if self.tls_server_name.is_some() {
            config.tls_server_name.clone_from(&self.tls_server_name);
        }
        let limit = crate::print::time::parse_duration(&self.request_timeout)
            .or_else(|| self.request_timeout.parse().ok());
        match limit {
            Some(0) => {}
            Some(secs) => config.read_timeout = Some(Duration::from_secs(secs.unsigned_abs())),
            None => anyhow::bail!(
                "--request-timeout {}: expected a length such as 30s",
                self.request_timeout
            ),
        }
        let auth = &mut config.auth_info;
        if let Some(token) = &self.token {
            auth.token = Some(token.clone().into());
        }
        if self.username.is_some() {
            auth.username.clone_from(&self.username);
        }
        if let Some(password) = &self.password {
            auth.password = Some(password.clone().into());
        }
        if self.as_user.is_some() {
            auth.impersonate.clone_from(&self.as_user);
        }
        if self.as_uid.is_some() {
            auth.impersonate_uid.clone_from(&self.as_uid);
        }
        if !self.as_group.is_empty() {
            auth.impersonate_groups = Some(self.as_group.clone());
        }
        let path = |p: &PathBuf| p.display().to_string();
        if let (Some(certificate), Some(key)) = (&self.client_certificate, &self.client_key) {
            auth.client_certificate = Some(path(certificate));
            auth.client_key = Some(path(key));
            (auth.client_certificate_data, auth.client_key_data) = (None, None);
        }
        Ok(())
    }

    /// The part of a label selector that keeps to the workflows of our instance.
    pub fn instance_selector(&self) -> String {
        match self.instanceid.as_deref() {
            Some(id) if !id.is_empty() => format!("{INSTANCE}={id}"),
            _ => format!("!{INSTANCE}"),
        }
    }

    /// Marks an object as one of our instance, if that has an id.
    pub fn label(&self, metadata: &mut ObjectMeta) {
        if let Some(id) = self.instanceid.as_deref().filter(|id| !id.is_empty()) {
            metadata.labels.insert(INSTANCE.to_owned(), id.to_owned());
        }
    }
}

/// Label that says to which controller a workflow belongs.
const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";

fn address(text: &str) -> anyhow::Result<http::Uri> {
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    full.parse()
        .with_context(|| format!("--server {text}: no address"))
}

fn no_config(error: &kube::config::KubeconfigError) -> anyhow::Error {
    advise(
        anyhow::anyhow!("no way to a Kubernetes API: {error}"),
        "set KUBECONFIG or --kubeconfig; without a cluster, `argosy run FILE` runs workflows on this machine",
    )
}
