//! What a user says about registries, and what registries answer in the words of a kubelet's status.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use oci_client::errors::{OciDistributionError, OciErrorCode};
use serde::Deserialize;

use super::Error;

/// How images are pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PullOptions {
    /// Registries spoken to without TLS, `host:port`. Those of this machine (`localhost`, `127.…`) are anyway, unless
    /// their port is 443. Default: none.
    pub insecure_registries: Vec<String>,
    /// Registries to ask first, in their order, by the registry that they stand in for; with `http://` in front they
    /// are spoken to without TLS. Default: none.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// PEM files with certificates to trust besides the system's. Default: none.
    pub certificates: Vec<PathBuf>,
    /// A docker configuration (`config.json`) with logins. Default: none.
    pub docker_config: Option<PathBuf>,
}

impl PullOptions {
    /// Reads the options from a JSON file; without such a file they are the defaults.
    ///
    /// # Errors
    /// When the file cannot be read, is no JSON, or has an unknown field.
    pub fn read(file: &Path) -> Result<PullOptions, Error> {
        let bytes = match std::fs::read(file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(PullOptions::default()),
            read => read.map_err(Error::file(file))?,
        };
        serde_json::from_slice(&bytes).map_err(|e| Error::Damaged(format!("{}: {e}", file.display())))
    }

    /// Whether this registry is spoken to without TLS.
    pub(super) fn is_plain(&self, registry: &str) -> bool {
        let (host, port) = match registry.rsplit_once(':') {
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, port),
            _ => (registry, ""),
        };
        let own = host == "localhost" || host.starts_with("127.") || host == "[::1]";
        let mirror = format!("http://{registry}");
        own && port != "443"
            || self
                .insecure_registries
                .iter()
                .any(|insecure| insecure == registry)
            || self
                .mirrors
                .values()
                .flatten()
                .any(|known| known.trim_end_matches('/') == mirror)
    }
}

/// What a registry answered, as containerd would say it of this image.
pub(super) fn words(error: &OciDistributionError, image: &str) -> String {
    let resolving = |text: String| format!("failed to resolve reference {image:?}: {text}");
    let denied = |text: &str| {
        resolving(format!(
            "pull access denied, repository does not exist or may require authorization: {text}"
        ))
    };
    match error {
        OciDistributionError::ImageManifestNotFoundError(text) if text.contains("platform") => format!(
            "no match for platform in manifest: {image} is not made for linux/{}: not found",
            super::archive::architecture()
        ),
        OciDistributionError::ImageManifestNotFoundError(_) => resolving(format!("{image}: not found")),
        OciDistributionError::RegistryError { envelope, .. } => {
            use OciErrorCode::{BlobUnknown, Denied, ManifestUnknown, NameUnknown, NotFound, Unauthorized};
            let has = |code: &OciErrorCode| envelope.errors.iter().any(|error| error.code == *code);
            let said = || {
                let texts = envelope.errors.iter().map(|error| error.message.clone());
                texts.collect::<Vec<_>>().join("; ")
            };
            if [Denied, Unauthorized].iter().any(has) {
                denied(&said())
            } else if [ManifestUnknown, NameUnknown, NotFound, BlobUnknown]
                .iter()
                .any(has)
            {
                resolving(format!("{image}: not found"))
            } else {
                resolving(said())
            }
        }
        OciDistributionError::UnauthorizedError { url } => denied(&format!(
            "unexpected status from GET request to {url}: 401 Unauthorized"
        )),
        OciDistributionError::AuthenticationFailure(text) => {
            resolving(format!("failed to authorize: {text}"))
        }
        OciDistributionError::ServerError { code: 404, .. } => resolving(format!("{image}: not found")),
        OciDistributionError::ServerError { code, url, .. } => {
            resolving(format!("unexpected status from GET request to {url}: {code}"))
        }
        OciDistributionError::RequestError(error) => {
            let url = error.url().map(ToString::to_string).unwrap_or_default();
            resolving(format!("failed to do request: Get {url:?}: {}", innermost(error)))
        }
        other => format!("{other}"),
    }
}

/// The cause behind all others, which alone says something.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_only_where_it_is_said_or_on_this_machine() {
        let options: PullOptions = serde_json::from_str(
            r#"{"insecureRegistries": ["r.example:5000"], "mirrors": {"docker.io": ["http://m.example", "https://t.example"]}}"#,
        )
        .unwrap();
        for (registry, plain) in [
            ("r.example:5000", true),
            ("r.example", false),
            ("m.example", true),
            ("t.example", false),
            ("docker.io", false),
            ("localhost:5000", true),
            ("localhost", true),
            ("127.0.0.1:1338", true),
            ("[::1]:80", true),
            ("localhost:443", false),
        ] {
            assert_eq!(options.is_plain(registry), plain, "{registry}");
        }
    }

    #[test]
    fn unknown_fields_of_the_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("registries.json");
        assert_eq!(PullOptions::read(&file).unwrap(), PullOptions::default());
        std::fs::write(&file, r#"{"mirror": {}}"#).unwrap();
        let error = PullOptions::read(&file).unwrap_err().to_string();
        assert!(error.contains("unknown field `mirror`"), "{error}");
    }
}
