//! Where a kind's objects are in the API: asked from the server instead of guessed from the kind's
//! name (rule X-RES-10).

use serde_json::Value;

use crate::api::{Api, Error};

/// A kind of objects and its paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kind {
    /// `v1`, `batch/v1`
    pub api_version: String,
    /// `Job`
    pub kind: String,
    /// `jobs`
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub is_namespaced: bool,
}

impl Kind {
    /// The path of all objects.
    pub fn collection(&self, namespace: &str) -> String {
        let root = root_of(&self.api_version);
        match self.is_namespaced {
            true => format!("{root}/namespaces/{namespace}/{}", self.plural),
            false => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one object.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(namespace))
    }
}

fn root_of(api_version: &str) -> String {
    match api_version.contains('/') {
        true => format!("/apis/{api_version}"),
        false => format!("/api/{api_version}"),
    }
}

/// The kind of a manifest; `None` when the server does not have it.
///
/// # Errors
/// The API is not reached or says no.
pub async fn by_kind(api: &Api, api_version: &str, kind: &str) -> Result<Option<Kind>, Error> {
    find(api, api_version, |entry| entry["kind"] == kind).await
}

/// The kind of a word on a command line: plural, singular, short name, or `plural.group`.
///
/// # Errors
/// The API is not reached or says no.
pub async fn by_word(api: &Api, word: &str) -> Result<Option<Kind>, Error> {
    let word = word.to_ascii_lowercase();
    let (name, group) = word.split_once('.').unwrap_or((&word, ""));
    let is_it = |entry: &Value| {
        let short = entry["shortNames"]
            .as_array()
            .is_some_and(|names| names.iter().any(|n| n == name));
        let kind = entry["kind"].as_str().unwrap_or_default().to_ascii_lowercase();
        entry["name"] == name || entry["singularName"] == name || kind == name || short
    };
    let mut versions = if group.is_empty() {
        vec!["v1".to_owned()]
    } else {
        Vec::new()
    };
    let groups = api.get("/apis").await?;
    for found in groups["groups"].as_array().into_iter().flatten() {
        let full = found["name"].as_str().unwrap_or_default();
        let preferred = found["preferredVersion"]["groupVersion"]
            .as_str()
            .unwrap_or_default();
        if full == group || full.starts_with(&format!("{group}.")) || group.is_empty() {
            versions.push(preferred.to_owned());
        }
    }
    for version in versions {
        if let Some(kind) = find(api, &version, is_it).await? {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

async fn find(api: &Api, api_version: &str, is_it: impl Fn(&Value) -> bool) -> Result<Option<Kind>, Error> {
    let list = match api.get(&root_of(api_version)).await {
        Ok(list) => list,
        Err(error) if error.code == 404 => return Ok(None),
        Err(error) => return Err(error),
    };
    let resources = list["resources"].as_array().into_iter().flatten();
    // Entries with a slash are parts of objects.
    let mut whole = resources.filter(|e| e["name"].as_str().is_some_and(|n| !n.contains('/')));
    Ok(whole.find(|entry| is_it(entry)).map(|entry| Kind {
        api_version: api_version.to_owned(),
        kind: entry["kind"].as_str().unwrap_or_default().to_owned(),
        plural: entry["name"].as_str().unwrap_or_default().to_owned(),
        is_namespaced: entry["namespaced"] == true,
    }))
}
