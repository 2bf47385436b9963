//! Credentials for registries: from pull secrets, and from the user's own docker configuration with its helpers.

use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::registry::PullOptions;

/// How long a helper program may take: it may ask a remote service.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);

/// User name and password for one registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.username)
    }
}

/// Finds the logins for a repository in one entry of a pull secret (`.dockerconfigjson` or `.dockercfg`), those that
/// name it most closely first.
pub(crate) fn logins(key: &str, content: &[u8], registry: &str, repository: &str) -> Vec<Credentials> {
    let Ok(document) = serde_json::from_slice::<Value>(content) else {
        return Vec::new();
    };
    let entries = match key {
        ".dockerconfigjson" => &document["auths"],
        ".dockercfg" => &document,
        _ => return Vec::new(),
    };
    let mut found: Vec<(usize, Credentials)> = entries
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| covers(name, registry, repository))
        .filter_map(|(name, entry)| Some((place_of(name).1.len(), read(entry)?)))
        .collect();
    found.sort_by_key(|(path_length, _)| std::cmp::Reverse(*path_length));
    found.into_iter().map(|(_, login)| login).collect()
}

/// Logins that the user has left on this machine.
pub(super) async fn of_user(options: &PullOptions, registry: &str, repository: &str) -> Vec<Credentials> {
    let Some(file) = &options.docker_config else {
        return Vec::new();
    };
    let Ok(content) = std::fs::read(file) else {
        return Vec::new();
    };
    let mut found = logins(".dockerconfigjson", &content, registry, repository);
    let document: Value = serde_json::from_slice(&content).unwrap_or_default();
    let server = match registry {
        "docker.io" => "https://index.docker.io/v1/",
        other => other,
    };
    let helper = document["credHelpers"][server]
        .as_str()
        .or(document["credsStore"].as_str());
    if let Some(helper) = helper {
        match ask_helper(helper, server).await {
            Ok(login) => found.extend(login),
            Err(error) => tracing::warn!(helper, registry, %error, "A helper gave no login"),
        }
    }
    found
}

/// Asks a program `docker-credential-NAME`; `None` when it knows no login.
async fn ask_helper(name: &str, server: &str) -> std::io::Result<Option<Credentials>> {
    let mut child = tokio::process::Command::new(format!("docker-credential-{name}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(format!("{server}\n").as_bytes()).await?;
    }
    let done = tokio::time::timeout(HELPER_TIMEOUT, child.wait_with_output())
        .await
        .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    let text = |name: &str| answer[name].as_str().map(String::from);
    Ok(text("Username")
        .zip(text("Secret"))
        .map(|(username, password)| Credentials { username, password }))
}

fn read(entry: &Value) -> Option<Credentials> {
    let text = |name: &str| entry[name].as_str().filter(|t| !t.is_empty()).map(String::from);
    if let (Some(username), Some(password)) = (text("username"), text("password")) {
        return Some(Credentials { username, password });
    }
    let decoded = String::from_utf8(STANDARD.decode(text("auth")?).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some(Credentials {
        username: username.to_string(),
        password: password.to_string(),
    })
}

/// Whether an entry is meant for a repository: its host, which may hold stars, and the beginning of its path.
fn covers(entry: &str, registry: &str, repository: &str) -> bool {
    let (host, path) = place_of(entry);
    let (host, registry): (Vec<&str>, Vec<&str>) = (host.split('.').collect(), registry.split('.').collect());
    host.len() == registry.len()
        && host
            .iter()
            .zip(registry)
            .all(|(pattern, text)| fits(pattern, text))
        && repository.starts_with(path)
}

/// Whether a text is as the pattern says, in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).any(|skipped| left.get(skipped..).is_some_and(|left| fits(rest, left)))
        }),
    }
}

/// Host and path of an entry; `https://index.docker.io/v1/` means all of Docker Hub.
fn place_of(entry: &str) -> (&str, &str) {
    let bare = entry.trim_start_matches("https://").trim_start_matches("http://");
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = match path.trim_end_matches('/') {
        "v1" | "v2" => "",
        path => path,
    };
    match host {
        "index.docker.io" | "registry-1.docker.io" => ("docker.io", path),
        host => (host, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_found_by_host_and_path() {
        let config = br#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0OjE="},
            "r.example:5000":{"username":"u","password":"p"}, "r.example:5000/team":{"username":"t","password":"p"},
            "*.cloud.example":{"username":"c","password":"p"}}}"#;
        for (registry, repository, expected) in [
            ("docker.io", "library/x", &["me"][..]),
            ("r.example:5000", "x", &["u"]),
            ("r.example:5000", "team/x", &["t", "u"]),
            ("r.example", "x", &[]),
            ("eu.cloud.example", "x", &["c"]),
            ("a.eu.cloud.example", "x", &[]),
            ("other", "x", &[]),
        ] {
            let found = logins(".dockerconfigjson", config, registry, repository);
            let names: Vec<&str> = found.iter().map(|l| l.username.as_str()).collect();
            assert_eq!(names, expected, "{registry}/{repository}");
        }
        assert_eq!(logins("token", config, "docker.io", "x"), []);
        assert_eq!(
            logins(".dockerconfigjson", config, "docker.io", "x")[0].password,
            "secret:1"
        );
    }
}
