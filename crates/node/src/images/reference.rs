//! Image references in the long form, by docker's rules.

/// A reference that no registry can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {0:?}: invalid reference format")]
pub struct InvalidReference(pub String);

/// Gives the long form: `debian` becomes `docker.io/library/debian:latest`.
///
/// # Errors
/// When the text is no reference: empty parts, upper case in the path, or other characters.
pub fn normalize(text: &str) -> Result<String, InvalidReference> {
    let invalid = || InvalidReference(text.to_string());
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let (name, tag) = match rest.rfind(':').filter(|colon| !rest[*colon..].contains('/')) {
        Some(colon) => (&rest[..colon], Some(&rest[colon + 1..])),
        None => (rest, None),
    };
    let is_host = |part: &str| {
        part.contains(['.', ':']) || part == "localhost" || part.chars().any(|c| c.is_ascii_uppercase())
    };
    let (host, path) = match name.split_once('/') {
        Some((host, path)) if is_host(host) => (host, path.to_string()),
        _ => ("docker.io", name.to_string()),
    };
    let host = if host == "index.docker.io" {
        "docker.io"
    } else {
        host
    };
    let path = if host == "docker.io" && !path.contains('/') {
        format!("library/{path}")
    } else {
        path
    };
    let path_ok = path.split('/').all(|part| {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(part.chars().next())
            && edge(part.chars().last())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    });
    let tag_ok = tag.is_none_or(|tag| {
        let first = tag.chars().next();
        first.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            && tag.len() <= 128
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    });
    let digest_ok = digest.is_none_or(|digest| {
        digest.split_once(':').is_some_and(|(kind, hex)| {
            !kind.is_empty() && hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
        })
    });
    if !path_ok || !tag_ok || !digest_ok {
        return Err(invalid());
    }
    Ok(match (tag, digest) {
        (_, Some(digest)) => format!("{host}/{path}@{digest}"),
        (tag, None) => format!("{host}/{path}:{}", tag.unwrap_or("latest")),
    })
}

#[cfg(test)]
mod tests {
    use super::normalize;

    #[test]
    fn references_get_their_long_form() {
        let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (given, expected) in [
            ("debian", Some("docker.io/library/debian:latest".to_string())),
            ("debian:9.1", Some("docker.io/library/debian:9.1".into())),
            (
                "argoproj/argosay:v2",
                Some("docker.io/argoproj/argosay:v2".into()),
            ),
            ("docker.io/debian", Some("docker.io/library/debian:latest".into())),
            (
                "index.docker.io/debian",
                Some("docker.io/library/debian:latest".into()),
            ),
            ("localhost/x", Some("localhost/x:latest".into())),
            ("localhost:5000/x/y:1", Some("localhost:5000/x/y:1".into())),
            ("quay.io/a/b/c", Some("quay.io/a/b/c:latest".into())),
            (
                &format!("debian@{digest}"),
                Some(format!("docker.io/library/debian@{digest}")),
            ),
            (
                &format!("debian:9@{digest}"),
                Some(format!("docker.io/library/debian@{digest}")),
            ),
            ("", None),
            ("Debian", None),
            ("a//b", None),
            ("a:", None),
            ("a b", None),
            ("{{inputs.parameters.image}}", None),
        ] {
            assert_eq!(normalize(given).ok(), expected, "{given}");
        }
    }
}
