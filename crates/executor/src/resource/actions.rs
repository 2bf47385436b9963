//! The actions of resource templates, as kubectl does them (rules X-RES-04 to X-RES-09), by
//! requests of our own. Waiting for conditions is in the parent.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::discovery::{Kind, by_kind, by_word};
use super::flags::Flags;
use super::merge::three_way;
use crate::api::{Api, Error};

/// What the last `apply` wanted.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How often a deleted object is looked at until it is gone: the first pause, and the longest.
const GONE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What an action is to do.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// `get`, `create`, `apply`, `patch`, `replace` or `delete`.
    pub action: &'a str,
    /// For patches: `strategic`, `merge` or `json`.
    pub merge_strategy: &'a str,
    /// The manifest's documents.
    pub manifest: &'a [Value],
    /// The manifest's file, for messages.
    pub file: &'a str,
    /// Further choices.
    pub flags: &'a Flags,
}

/// An object of a known kind.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// Where it is; empty for kinds without namespaces.
    pub namespace: String,
    /// The object as the server gave it.
    pub object: Value,
}

/// One object to act upon.
struct Target {
    kind: Kind,
    namespace: String,
    name: String,
    /// Its manifest, when there is one.
    wanted: Value,
}

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The request makes no sense; trying again does not help.
    #[error("{0}")]
    Order(String),
    /// The server said no.
    #[error("{text}")]
    Server {
        /// In the form that kubectl prints.
        text: String,
        /// What the server said.
        #[source]
        source: Error,
    },
}

impl Failed {
    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Server { source, .. } if source.is_transient)
    }
}

fn server(when: Option<&str>) -> impl Fn(Error) -> Failed + '_ {
    move |error| {
        let reason = if error.reason.is_empty() {
            String::new()
        } else {
            format!(" ({})", error.reason)
        };
        let when = when.map_or_else(String::new, |w| format!("{w}: "));
        let text = match error.code {
            0 => error.message.clone(),
            _ => format!("Error from server{reason}: {when}{}", error.message),
        };
        Failed::Server { text, source: error }
    }
}

/// Carries an order out; gives the objects it was about, as they are now.
///
/// # Errors
/// See [`Failed`].
pub async fn perform(api: &Api, order: &Order<'_>) -> Result<Vec<Found>, Failed> {
    let targets = targets(api, order).await?;
    let mut found = Vec::new();
    for target in targets {
        let object = match order.action {
            "create" => create(api, order, &target).await?,
            "apply" => apply(api, order, &target).await?,
            "patch" => patch(api, order, &target).await?,
            "replace" => replace(api, order, &target).await?,
            "get" => {
                let path = target.kind.path(&target.namespace, &target.name);
                api.get(&path).await.map_err(server(None))?
            }
            "delete" => {
                delete(api, order, &target).await?;
                continue;
            }
            other => return Err(Failed::Order(format!("error: unknown action {other}"))),
        };
        found.push(Found {
            kind: target.kind,
            namespace: target.namespace,
            object,
        });
    }
    Ok(found)
}

/// Which objects an order is about: those of the manifest, or those that the flags name.
async fn targets(api: &Api, order: &Order<'_>) -> Result<Vec<Target>, Failed> {
    let flags = order.flags;
    let default_namespace = || {
        flags
            .namespace
            .clone()
            .unwrap_or_else(|| api.namespace().to_owned())
    };
    if !flags.words.is_empty() {
        return named(api, order, &default_namespace()).await;
    }
    let mut targets = Vec::new();
    for wanted in order.manifest {
        let text = |path: &str| {
            wanted
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if version.is_empty() || kind.is_empty() {
            return Err(Failed::Order(format!(
                "error: unable to decode {:?}: Object 'Kind' is missing in '{wanted}'",
                order.file
            )));
        }
        let namespace = text("/metadata/namespace");
        let Some(known) = by_kind(api, &version, &kind).await.map_err(server(None))? else {
            return Err(Failed::Order(format!(
                "error: resource mapping not found for name: {name:?} namespace: {namespace:?} from {:?}: no matches \
                 for kind {kind:?} in version {version:?}\nensure CRDs are installed first",
                order.file
            )));
        };
        let namespace = if namespace.is_empty() {
            default_namespace()
        } else {
            namespace
        };
        let namespace = if known.is_namespaced {
            namespace
        } else {
            String::new()
        };
        targets.push(Target {
            kind: known,
            namespace,
            name,
            wanted: wanted.clone(),
        });
    }
    Ok(targets)
}

/// `KIND NAME…`, `KIND/NAME…`, or `KIND` with a selector.
async fn named(api: &Api, order: &Order<'_>, namespace: &str) -> Result<Vec<Target>, Failed> {
    let flags = order.flags;
    let wanted = order.manifest.first().cloned().unwrap_or(Value::Null);
    let pairs: Vec<(&str, &str)> = match flags.words[0].contains('/') {
        true => flags.words.iter().filter_map(|w| w.split_once('/')).collect(),
        false => flags.words[1..]
            .iter()
            .map(|name| (flags.words[0].as_str(), name.as_str()))
            .collect(),
    };
    let kind_of = async |word: &str| {
        let known = by_word(api, word).await.map_err(server(None))?;
        known.ok_or_else(|| Failed::Order(format!("error: the server doesn't have a resource type {word:?}")))
    };
    let mut targets = Vec::new();
    for (word, name) in pairs {
        let kind = kind_of(word).await?;
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        targets.push(Target {
            kind,
            namespace,
            name,
            wanted: wanted.clone(),
        });
    }
    if !targets.is_empty() {
        return Ok(targets);
    }
    if flags.selector.is_none() && flags.field_selector.is_none() && !flags.all && order.action != "get" {
        return Err(Failed::Order(
            "error: resource(s) were provided, but no name was specified".to_owned(),
        ));
    }
    let kind = kind_of(&flags.words[0]).await?;
    let mut query = Vec::new();
    query.extend(
        flags
            .selector
            .as_ref()
            .map(|s| format!("labelSelector={}", escaped(s))),
    );
    query.extend(
        flags
            .field_selector
            .as_ref()
            .map(|s| format!("fieldSelector={}", escaped(s))),
    );
    let path = format!("{}?{}", kind.collection(namespace), query.join("&"));
    let list = api.get(&path).await.map_err(server(None))?;
    for item in list["items"].as_array().into_iter().flatten() {
        let name = item["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        targets.push(Target {
            kind: kind.clone(),
            namespace: namespace.to_owned(),
            name,
            wanted: item.clone(),
        });
    }
    Ok(targets)
}

/// The part of a path after the question mark.
fn query(flags: &Flags, manager: &str, more: &[(&str, &str)]) -> String {
    let manager = flags.field_manager.as_deref().unwrap_or(manager);
    let mut query = format!("?fieldManager={}", escaped(manager));
    if flags
        .dry_run
        .as_deref()
        .is_some_and(|d| d != "none" && d != "false")
    {
        query.push_str("&dryRun=All");
    }
    for (key, value) in more {
        query.push_str(&format!("&{key}={value}"));
    }
    query
}

async fn create(api: &Api, order: &Order<'_>, target: &Target) -> Result<Value, Failed> {
    let mut wanted = target.wanted.clone();
    if order.flags.save_config {
        note_applied(&mut wanted);
    }
    post(api, order, target, &wanted, "kubectl-create").await
}

async fn post(
    api: &Api,
    order: &Order<'_>,
    target: &Target,
    wanted: &Value,
    manager: &str,
) -> Result<Value, Failed> {
    let validation = order.flags.field_validation();
    let query = query(order.flags, manager, &[("fieldValidation", validation)]);
    let path = format!("{}{query}", target.kind.collection(&target.namespace));
    let when = format!("error when creating {:?}", order.file);
    api.create(&path, wanted).await.map_err(server(Some(&when)))
}

async fn apply(api: &Api, order: &Order<'_>, target: &Target) -> Result<Value, Failed> {
    if target.name.is_empty() {
        return Err(Failed::Order(format!(
            "error: error when retrieving current configuration of {:?}: resource name may not be empty",
            order.file
        )));
    }
    let path = target.kind.path(&target.namespace, &target.name);
    if order.flags.server_side {
        let force = if order.flags.force_conflicts {
            "true"
        } else {
            "false"
        };
        let validation = order.flags.field_validation();
        let query = query(
            order.flags,
            "kubectl",
            &[("force", force), ("fieldValidation", validation)],
        );
        let path = format!("{path}{query}");
        let sent = api.send(
            Method::PATCH,
            &path,
            "application/apply-patch+yaml",
            Some(&target.wanted),
        );
        return sent.await.map_err(server(None));
    }
    let mut wanted = target.wanted.clone();
    note_applied(&mut wanted);
    let current = match api.get(&path).await {
        Ok(current) => current,
        Err(error) if error.code == 404 => {
            return post(api, order, target, &wanted, "kubectl-client-side-apply").await;
        }
        Err(error) => return Err(server(None)(error)),
    };
    let last = current["metadata"]["annotations"][LAST_APPLIED].as_str();
    let last = last
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null);
    let change = three_way(&last, &wanted, &current);
    if change == json!({}) {
        return Ok(current);
    }
    let query = query(order.flags, "kubectl-client-side-apply", &[]);
    let when = format!("error when applying patch to {:?}", order.file);
    api.merge(&format!("{path}{query}"), &change)
        .await
        .map_err(server(Some(&when)))
}

/// Writes down on an object what was wanted of it.
fn note_applied(wanted: &mut Value) {
    let text = format!("{wanted}\n");
    wanted["metadata"]["annotations"][LAST_APPLIED] = json!(text);
}

async fn patch(api: &Api, order: &Order<'_>, target: &Target) -> Result<Value, Failed> {
    let content = match order.merge_strategy {
        "json" => "application/json-patch+json",
        "merge" => "application/merge-patch+json",
        "" | "strategic" => "application/strategic-merge-patch+json",
        other => {
            return Err(Failed::Order(format!(
                "error: --type must be one of [json merge strategic], not {other:?}"
            )));
        }
    };
    let query = query(order.flags, "kubectl-patch", &[]);
    let part = order
        .flags
        .subresource
        .as_ref()
        .map_or_else(String::new, |s| format!("/{s}"));
    let path = format!(
        "{}{part}{query}",
        target.kind.path(&target.namespace, &target.name)
    );
    // Kubernetes knows how to merge lists of its own kinds only; kubectl says so, and so does the
    // server.
    api.send(Method::PATCH, &path, content, Some(&target.wanted))
        .await
        .map_err(server(None))
}

async fn replace(api: &Api, order: &Order<'_>, target: &Target) -> Result<Value, Failed> {
    if order.flags.force {
        delete(api, order, target).await?;
        return post(api, order, target, &target.wanted, "kubectl-replace").await;
    }
    let path = target.kind.path(&target.namespace, &target.name);
    let mut wanted = target.wanted.clone();
    let when = format!("error when replacing {:?}", order.file);
    if wanted["metadata"]["resourceVersion"]
        .as_str()
        .is_none_or(str::is_empty)
    {
        let current = api.get(&path).await.map_err(server(Some(&when)))?;
        wanted["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
    }
    let validation = order.flags.field_validation();
    let query = query(order.flags, "kubectl-replace", &[("fieldValidation", validation)]);
    let path = format!("{path}{query}");
    let sent = api.send(Method::PUT, &path, "application/json", Some(&wanted));
    sent.await.map_err(server(Some(&when)))
}

/// Deletes an object and, unless told otherwise, waits until it is gone. One that is not there is
/// fine.
async fn delete(api: &Api, order: &Order<'_>, target: &Target) -> Result<(), Failed> {
    let flags = order.flags;
    let policy = match flags.cascade.as_deref() {
        Some("foreground") => "Foreground",
        Some("orphan" | "false") => "Orphan",
        _ => "Background",
    };
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
    if let Some(grace) = flags
        .grace_period
        .or(flags.force.then_some(0))
        .filter(|g| *g >= 0)
    {
        options["gracePeriodSeconds"] = json!(grace);
    }
    if flags
        .dry_run
        .as_deref()
        .is_some_and(|d| d != "none" && d != "false")
    {
        options["dryRun"] = json!(["All"]);
    }
    let path = target.kind.path(&target.namespace, &target.name);
    match api
        .send(Method::DELETE, &path, "application/json", Some(&options))
        .await
    {
        Err(error) if error.code == 404 => return Ok(()),
        Err(error) => {
            let when = format!("error when deleting {:?}", order.file);
            return Err(server(Some(&when))(error));
        }
        Ok(_) if flags.no_wait || options.get("dryRun").is_some() => return Ok(()),
        Ok(_) => {}
    }
    let mut uid = Value::Null;
    let (mut pause, longest) = GONE;
    // The pod's own deadline ends this if nothing else does.
    loop {
        match api.get(&path).await {
            Err(error) if error.code == 404 => return Ok(()),
            Err(error) if !error.is_transient => return Err(server(None)(error)),
            Err(_) => {}
            Ok(object) => {
                let now = &object["metadata"]["uid"];
                if !uid.is_null() && uid != *now {
                    // Someone made a new one of the same name.
                    return Ok(());
                }
                uid = now.clone();
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// A text for the part of a path after the question mark.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
