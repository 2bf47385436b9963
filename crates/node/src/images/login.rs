//! Credentials for registries from pull secrets.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Credentials;

/// Finds the login for a registry in one entry of a pull secret (`.dockerconfigjson` or `.dockercfg`).
pub(crate) fn login(key: &str, content: &[u8], registry: &str) -> Option<Credentials> {
    let document: Value = serde_json::from_slice(content).ok()?;
    let entries = match key {
        ".dockerconfigjson" => document.get("auths")?,
        ".dockercfg" => &document,
        _ => return None,
    };
    let (_, entry) = entries
        .as_object()?
        .iter()
        .find(|(host, _)| host_of(host) == registry)?;
    let text = |name: &str| entry[name].as_str().map(String::from);
    let (username, password) = match (text("username"), text("password")) {
        (Some(username), Some(password)) => (username, password),
        _ => {
            let decoded = String::from_utf8(STANDARD.decode(text("auth")?).ok()?).ok()?;
            let (username, password) = decoded.split_once(':')?;
            (username.to_string(), password.to_string())
        }
    };
    Some(Credentials {
        registry: registry.to_string(),
        username,
        password,
    })
}

/// `https://index.docker.io/v1/` means Docker Hub, whatever the path.
fn host_of(entry: &str) -> &str {
    let bare = entry.trim_start_matches("https://").trim_start_matches("http://");
    match bare.split('/').next().unwrap_or(bare) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::login;

    #[test]
    fn logins_are_found_by_host() {
        let config = br#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6c2VjcmV0OjE="},
            "r.example:5000":{"username":"u","password":"p"}}}"#;
        for (registry, expected) in [
            ("docker.io", Some(("me", "secret:1"))),
            ("r.example:5000", Some(("u", "p"))),
            ("other", None),
        ] {
            let found = login(".dockerconfigjson", config, registry);
            let found = found.as_ref().map(|l| (l.username.as_str(), l.password.as_str()));
            assert_eq!(found, expected, "{registry}");
        }
        assert_eq!(login("token", config, "docker.io"), None);
    }
}
