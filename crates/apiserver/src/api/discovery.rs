//! What the server serves, told to clients that ask; and the paths outside resources.
//!
//! Deliberately absent: making OpenAPI documents (see `openapi`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::ApiServer;
use crate::auth::User;
use crate::body::Body;
use crate::kinds::{Kind, Origin};
use crate::openapi;
use crate::reply;
use crate::status::Result;

/// The Kubernetes version that the server says it is.
pub const MINOR: &str = "34";

impl ApiServer {
    /// Paths that are no resources.
    pub(super) fn plain(&self, parts: &http::request::Parts, user: &User) -> Result<Response<Body>> {
        let path = parts.uri.path();
        let ok = |value: Value| Ok(reply::json(StatusCode::OK, &value));
        if parts.method != http::Method::GET {
            return Ok(reply::no_such_path());
        }
        self.authorize_path(user, "get", path)?;
        let accept = parts
            .headers
            .get(http::header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let aggregated = accept
            .split(',')
            .find(|part| part.contains("as=APIGroupDiscoveryList"));
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (segments.as_slice(), aggregated) {
            (["healthz" | "livez" | "readyz", ..], _) => {
                Ok(reply::text(StatusCode::OK, "text/plain; charset=utf-8", "ok"))
            }
            (["version"], _) => ok(version()),
            (["openapi", "v3"], _) => ok(openapi::index(&self.kinds())),
            (["openapi", "v3", "api", version], _) => self.openapi("", version),
            (["openapi", "v3", "apis", group, version], _) => self.openapi(group, version),
            ([], _) => ok(json!({"paths": self.paths()})),
            ([root @ ("api" | "apis")], Some(accept)) => {
                let v2 = accept.contains("v=v2;") || accept.ends_with("v=v2");
                let version = if v2 { "v2" } else { "v2beta1" };
                let value = self.aggregated(*root == "api", version);
                let text = serde_json::to_vec(&value).expect("a JSON value always has a text");
                let r#type = if v2 {
                    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
                } else {
                    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
                };
                Ok(reply::text(StatusCode::OK, r#type, text))
            }
            (["api"], None) => ok(json!({
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}],
            })),
            (["apis"], None) => {
                let groups: Vec<Value> = self
                    .groups()
                    .into_iter()
                    .map(|(g, v)| group(&g, &v, false))
                    .collect();
                ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
            }
            (["api", version], _) => self.resources("", version),
            (["apis", name], _) => match self.groups().get(*name) {
                Some(versions) => ok(group(name, versions, true)),
                None => Ok(reply::no_such_path()),
            },
            (["apis", group, version], _) => self.resources(group, version),
            _ => Ok(reply::no_such_path()),
        }
    }

    fn openapi(&self, group: &str, version: &str) -> Result<Response<Body>> {
        match openapi::document(&self.kinds(), group, version) {
            Some(document) => Ok(reply::json(StatusCode::OK, &document)),
            None => Ok(reply::no_such_path()),
        }
    }

    fn paths(&self) -> Vec<String> {
        let mut paths: BTreeSet<String> = [
            "/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/version",
        ]
        .map(String::from)
        .into();
        for (group, versions) in self.groups() {
            paths.extend(versions.iter().map(|version| format!("/apis/{group}/{version}")));
            paths.insert(format!("/apis/{group}"));
        }
        paths.into_iter().collect()
    }

    /// The named groups and their versions.
    fn groups(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for kind in self.kinds().iter().filter(|kind| !kind.group.is_empty()) {
            groups
                .entry(kind.group.clone())
                .or_default()
                .insert(kind.version.clone());
        }
        groups
    }

    fn resources(&self, group: &str, version: &str) -> Result<Response<Body>> {
        let kinds = self.kinds();
        let mut list = Vec::new();
        for kind in kinds
            .iter()
            .filter(|kind| kind.group == group && kind.version == version)
        {
            list.push(resource(kind));
            for sub in subresources(kind) {
                list.push(json!({
                    "name": format!("{}/{}", kind.plural, sub.name), "singularName": "", "namespaced": kind.namespaced,
                    "kind": sub.kind, "verbs": sub.verbs, "group": sub.group, "version": sub.version,
                }));
            }
        }
        if list.is_empty() {
            return Ok(reply::no_such_path());
        }
        let name = if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        };
        for entry in &mut list {
            // The group and version are said only where they differ from the list's.
            let fields = entry.as_object_mut().expect("entries are objects");
            fields.retain(|field, value| !(matches!(field.as_str(), "group" | "version") && value == ""));
        }
        let value =
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": list});
        Ok(reply::json(StatusCode::OK, &value))
    }

    fn aggregated(&self, core: bool, version: &str) -> Value {
        let kinds = self.kinds();
        let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
        for kind in kinds.iter().filter(|kind| kind.group.is_empty() == core) {
            let versions = groups.entry(&kind.group).or_default();
            versions
                .entry(&kind.version)
                .or_default()
                .push(aggregated_resource(kind));
        }
        let items = groups.into_iter().map(|(group, versions)| {
            let versions: Vec<Value> = versions
                .into_iter()
                .map(|(version, resources)| json!({"version": version, "resources": resources, "freshness": "Current"}))
                .collect();
            let metadata = if group.is_empty() {
                json!({"creationTimestamp": null})
            } else {
                json!({"name": group, "creationTimestamp": null})
            };
            json!({"metadata": metadata, "versions": versions})
        });
        json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {},
            "items": items.collect::<Vec<_>>(),
        })
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": MINOR, "gitVersion": format!("v1.{MINOR}.0+argosy"), "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc",
        "platform": format!("linux/{}", if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }),
    })
}

fn group(name: &str, versions: &BTreeSet<String>, alone: bool) -> Value {
    let list: Vec<Value> = versions
        .iter()
        .rev()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    let mut group = json!({"name": name, "preferredVersion": list.first(), "versions": list});
    if alone {
        group["kind"] = "APIGroup".into();
        group["apiVersion"] = "v1".into();
    }
    group
}

fn resource(kind: &Kind) -> Value {
    let mut value = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
        "verbs": kind.verbs(),
    });
    if kind.origin != Origin::Review {
        value["storageVersionHash"] = "".into();
    }
    if !kind.short_names.is_empty() {
        value["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        value["categories"] = json!(kind.categories);
    }
    value
}

fn aggregated_resource(kind: &Arc<Kind>) -> Value {
    let scope = if kind.namespaced { "Namespaced" } else { "Cluster" };
    let response =
        |group: &str, version: &str, name: &str| json!({"group": group, "version": version, "kind": name});
    let mut value = json!({
        "resource": kind.plural, "responseKind": response(&kind.group, &kind.version, &kind.kind), "scope": scope,
        "singularResource": kind.singular, "verbs": kind.verbs(),
    });
    if !kind.short_names.is_empty() {
        value["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        value["categories"] = json!(kind.categories);
    }
    let subs: Vec<Value> = subresources(kind)
        .iter()
        .map(|sub| {
            let (group, version) =
                if sub.version.is_empty() { (kind.group.as_str(), kind.version.as_str()) } else { (sub.group, sub.version) };
            json!({"subresource": sub.name, "responseKind": response(group, version, &sub.kind), "verbs": sub.verbs})
        })
        .collect();
    if !subs.is_empty() {
        value["subresources"] = subs.into();
    }
    value
}

struct Sub {
    name: &'static str,
    kind: String,
    group: &'static str,
    version: &'static str,
    verbs: &'static [&'static str],
}

fn subresources(kind: &Kind) -> Vec<Sub> {
    let own = |name, verbs| Sub {
        name,
        kind: kind.kind.clone(),
        group: "",
        version: "",
        verbs,
    };
    let other = |name, kind: &str, group, version, verbs| Sub {
        name,
        kind: kind.into(),
        group,
        version,
        verbs,
    };
    let mut subs = Vec::new();
    if kind.status {
        subs.push(own("status", &["get", "patch", "update"][..]));
    }
    if kind.scale.is_some() {
        subs.push(other(
            "scale",
            "Scale",
            "autoscaling",
            "v1",
            &["get", "patch", "update"][..],
        ));
    }
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => {
            subs.push(other(
                "attach",
                "PodAttachOptions",
                "",
                "",
                &["create", "get"][..],
            ));
            subs.push(other("binding", "Binding", "", "", &["create"][..]));
            subs.push(own("ephemeralcontainers", &["get", "patch", "update"][..]));
            subs.push(other("eviction", "Eviction", "policy", "v1", &["create"][..]));
            subs.push(other("exec", "PodExecOptions", "", "", &["create", "get"][..]));
            subs.push(own("log", &["get"][..]));
            subs.push(other(
                "portforward",
                "PodPortForwardOptions",
                "",
                "",
                &["create", "get"][..],
            ));
            subs.push(own("resize", &["get", "patch", "update"][..]));
        }
        ("", "namespaces") => subs.push(own("finalize", &["update"][..])),
        ("", "serviceaccounts") => {
            subs.push(other(
                "token",
                "TokenRequest",
                "authentication.k8s.io",
                "v1",
                &["create"][..],
            ));
        }
        _ => {}
    }
    subs
}
