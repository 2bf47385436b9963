//! The client for the cluster: from flags, the pod's service account or a kubeconfig.

use anyhow::Context;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use secrecy::SecretString;

use super::args::Connection;
use crate::fence::Fence;
use crate::meter::Meter;

/// How the cluster is reached, and the controller's own namespace.
///
/// # Errors
/// When a kubeconfig can't be read, or there is none and this is no pod.
pub async fn config(connection: &Connection) -> anyhow::Result<Config> {
    let Connection {
        kubeconfig,
        context,
        cluster,
        user,
        namespace,
        server,
        token,
        certificate_authority,
        client_certificate,
        client_key,
        insecure_skip_tls_verify,
        tls_server_name,
        act_as,
        act_as_group,
        username,
        password,
        proxy_url,
    } = connection.clone();
    let options = KubeConfigOptions {
        context,
        cluster,
        user,
    };
    let chosen = options.context.is_some() || options.cluster.is_some() || options.user.is_some();
    let mut config = match kubeconfig {
        Some(path) => {
            let read = Kubeconfig::read_from(&path).with_context(|| format!("reading {}", path.display()))?;
            Config::from_custom_kubeconfig(read, &options).await?
        }
        None if chosen => Config::from_kubeconfig(&options).await?,
        None => match &server {
            Some(server) => Config::new(server.parse().context("reading --server")?),
            None => Config::infer().await?,
        },
    };
    if let Some(server) = server {
        config.cluster_url = server.parse().context("reading --server")?;
    }
    if let Some(namespace) = namespace.filter(|n| !n.is_empty()) {
        config.default_namespace = namespace;
    }
    if let Some(path) = certificate_authority {
        let pem = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        config.root_cert = Some(certificates(&pem)?);
    }
    if let Some(url) = proxy_url {
        config.proxy_url = Some(url.parse().context("reading --proxy-url")?);
    }
    config.accept_invalid_certs |= insecure_skip_tls_verify;
    config.tls_server_name = tls_server_name.or(config.tls_server_name);
    let auth = &mut config.auth_info;
    if let Some(token) = token {
        auth.token_file = None;
        auth.token = Some(SecretString::from(token));
    }
    auth.client_certificate = client_certificate.or(auth.client_certificate.take());
    auth.client_key = client_key.or(auth.client_key.take());
    auth.username = username.or(auth.username.take());
    auth.password = password.map(SecretString::from).or(auth.password.take());
    auth.impersonate = act_as.or(auth.impersonate.take());
    if !act_as_group.is_empty() {
        auth.impersonate_groups = Some(act_as_group);
    }
    Ok(config)
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
    use rustls::pki_types::pem::PemObject as _;
    let read: Result<Vec<_>, _> = rustls::pki_types::CertificateDer::pem_slice_iter(pem).collect();
    Ok(read
        .context("reading certificates")?
        .into_iter()
        .map(|c| c.to_vec())
        .collect())
}

/// Two clients: one for the controller, behind the fence, and one for the lease and the configuration.
///
/// # Errors
/// When certificates or credentials are unusable.
pub fn clients(config: Config, fence: &Fence, meter: &Meter) -> anyhow::Result<(Client, Client)> {
    let own = ClientBuilder::try_from(config.clone())?.with_layer(meter).build();
    let fenced = ClientBuilder::try_from(config)?
        .with_layer(meter)
        .with_layer(fence)
        .build();
    Ok((fenced, own))
}
