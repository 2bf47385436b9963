//! Label and field selectors: parsing their text and matching objects.
//!
//! Deliberately absent: which fields a kind may be selected by is asked of `field_of`, nothing else is stored here.

use serde_json::Value;

use crate::meta;
use crate::status::{Result, Status};

/// A parsed label selector; the empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<LabelRule>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelRule {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Greater(String, i64),
    Less(String, i64),
}

impl Labels {
    /// Reads the form of `labelSelector=`, for example `a=b,c!=d,e in (f,g),!h,i>3`.
    ///
    /// # Errors
    /// 400 for text that is no selector.
    pub fn parse(text: &str) -> Result<Self> {
        let mut rules = Vec::new();
        for part in split(text) {
            rules.push(label_rule(part).ok_or_else(|| {
                Status::bad_request(format!(
                    "unable to parse requirement: found '{part}', expected: a requirement"
                ))
            })?);
        }
        Ok(Labels(rules))
    }

    /// Reads a `metav1.LabelSelector`.
    pub fn from_object(selector: &Value) -> Self {
        let mut rules = Vec::new();
        if let Some(labels) = selector.get("matchLabels").and_then(Value::as_object) {
            for (key, value) in labels {
                rules.push(LabelRule::In(
                    key.clone(),
                    vec![value.as_str().unwrap_or_default().to_owned()],
                ));
            }
        }
        for rule in selector
            .get("matchExpressions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let key = rule["key"].as_str().unwrap_or_default().to_owned();
            let values = rule["values"].as_array().map(Vec::as_slice).unwrap_or_default();
            let values = values
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            rules.push(match rule["operator"].as_str() {
                Some("In") => LabelRule::In(key, values),
                Some("NotIn") => LabelRule::NotIn(key, values),
                Some("DoesNotExist") => LabelRule::Absent(key),
                _ => LabelRule::Exists(key),
            });
        }
        Labels(rules)
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the object's labels match.
    pub fn matches(&self, object: &Value) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let labels = meta::metadata(object).and_then(|metadata| metadata.get("labels")?.as_object());
        let get = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        self.0.iter().all(|rule| match rule {
            LabelRule::Exists(key) => get(key).is_some(),
            LabelRule::Absent(key) => get(key).is_none(),
            LabelRule::In(key, values) => get(key).is_some_and(|value| values.iter().any(|v| v == value)),
            LabelRule::NotIn(key, values) => get(key).is_none_or(|value| values.iter().all(|v| v != value)),
            LabelRule::Greater(key, bound) => number(get(key)).is_some_and(|value| value > *bound),
            LabelRule::Less(key, bound) => number(get(key)).is_some_and(|value| value < *bound),
        })
    }
}

fn number(text: Option<&str>) -> Option<i64> {
    text?.parse().ok()
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    if parts == [""] { Vec::new() } else { parts }
}

fn label_rule(part: &str) -> Option<LabelRule> {
    if let Some(key) = part.strip_prefix('!') {
        return Some(LabelRule::Absent(label_key(key)?));
    }
    if let Some(open) = part.find('(') {
        let values = part[open + 1..].strip_suffix(')')?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, operator) = part[..open].trim().rsplit_once(char::is_whitespace)?;
        let key = label_key(key)?;
        return match operator {
            "in" => Some(LabelRule::In(key, values)),
            "notin" => Some(LabelRule::NotIn(key, values)),
            _ => None,
        };
    }
    for operator in ["!=", "==", "=", ">", "<"] {
        let Some((key, value)) = part.split_once(operator) else {
            continue;
        };
        let (key, value) = (label_key(key)?, value.trim());
        if value.contains(['=', '!', '<', '>', ' ', '(']) {
            return None;
        }
        return Some(match operator {
            "!=" => LabelRule::NotIn(key, vec![value.to_owned()]),
            ">" => LabelRule::Greater(key, value.parse().ok()?),
            "<" => LabelRule::Less(key, value.parse().ok()?),
            _ => LabelRule::In(key, vec![value.to_owned()]),
        });
    }
    Some(LabelRule::Exists(label_key(part)?))
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
}

/// A parsed field selector; the empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// Reads the form of `fieldSelector=`, for example `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// 400 for text that is no selector and for fields by which objects of this resource cannot be selected.
    pub fn parse(text: &str, resource: &str, custom: bool) -> Result<Self> {
        let mut rules = Vec::new();
        for part in split(text) {
            let (field, equal, value) = if let Some((field, value)) = part.split_once("!=") {
                (field, false, value)
            } else if let Some((field, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (field, true, value)
            } else {
                return Err(Status::bad_request(format!(
                    "invalid selector: '{part}'; can't understand '{part}'"
                )));
            };
            if !is_selectable(field, resource, custom) {
                // Kinds with fields of their own say it in other words than those without.
                let own = custom || WITH_FIELDS.contains(&resource);
                return Err(Status::bad_request(if own {
                    format!("field label not supported: {field}")
                } else {
                    format!(
                        "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                    )
                }));
            }
            rules.push((field.to_owned(), equal, value.to_owned()));
        }
        Ok(Fields(rules))
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one name that it asks for, if it asks for one.
    pub fn name(&self) -> Option<&str> {
        self.0
            .iter()
            .find(|rule| rule.0 == "metadata.name" && rule.1)
            .map(|rule| rule.2.as_str())
    }

    /// Whether the object's fields match.
    pub fn matches(&self, object: &Value) -> bool {
        self.0
            .iter()
            .all(|(field, equal, value)| (field_of(object, field) == *value) == *equal)
    }
}

/// Kubernetes' own kinds that can be selected by more than name and namespace.
const WITH_FIELDS: [&str; 8] = [
    "events",
    "jobs.batch",
    "namespaces",
    "nodes",
    "pods",
    "replicationcontrollers",
    "secrets",
    "services",
];

fn is_selectable(field: &str, resource: &str, custom: bool) -> bool {
    if matches!(field, "metadata.name" | "metadata.namespace") {
        return true;
    }
    if custom {
        return false;
    }
    match resource {
        "pods" => matches!(
            field,
            "spec.nodeName"
                | "spec.restartPolicy"
                | "spec.schedulerName"
                | "spec.serviceAccountName"
                | "spec.hostNetwork"
                | "status.phase"
                | "status.podIP"
                | "status.nominatedNodeName"
        ),
        "events" => {
            field.starts_with("involvedObject.")
                || matches!(field, "reason" | "reportingComponent" | "source" | "type")
        }
        "secrets" => field == "type",
        "namespaces" => field == "status.phase",
        "nodes" => field == "spec.unschedulable",
        "jobs.batch" => field == "status.successful",
        "services" => matches!(field, "spec.clusterIP" | "spec.type"),
        _ => false,
    }
}

/// A field as selectors compare it: scalars as text, missing as empty (booleans as `false`).
fn field_of(object: &Value, path: &str) -> String {
    let path = if path == "source" {
        "source.component"
    } else {
        path
    };
    let mut at = object;
    for step in path.split('.') {
        match at.get(step) {
            Some(next) => at = next,
            None if matches!(path, "spec.hostNetwork" | "spec.unschedulable") => return "false".into(),
            None => return String::new(),
        }
    }
    match at {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn label_selectors_match_as_kubernetes_matches_them() {
        let object = json!({"metadata": {"labels": {"a": "1", "b": "x", "n/k": ""}}});
        let cases = [
            ("", true),
            ("a", true),
            ("!a", false),
            ("a=1", true),
            ("a==1,b=x", true),
            ("a!=1", false),
            ("zz!=1", true),
            ("a in (0, 1)", true),
            ("b notin (x,y)", false),
            ("zz notin (x)", true),
            ("a>0", true),
            ("a<1", false),
            ("b>0", false),
            ("n/k=", true),
            ("n/k,!c", true),
        ];
        for (text, expected) in cases {
            let got = Labels::parse(text).expect(text).matches(&object);
            assert_eq!(got, expected, "{text}");
        }
        for text in ["a=b=c", "a in b", "a>x", ",", "a b", "(a)"] {
            assert!(Labels::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn field_selectors_refuse_unknown_fields() {
        let pod =
            json!({"metadata": {"name": "p"}, "spec": {"nodeName": "n"}, "status": {"phase": "Running"}});
        let cases = [
            ("metadata.name=p", Some(true)),
            ("spec.nodeName=n,status.phase!=Running", Some(false)),
            ("spec.nodeName!=", Some(true)),
            ("spec.hostNetwork=false", Some(true)),
            ("spec.image=x", None),
            ("metadata.name", None),
        ];
        for (text, expected) in cases {
            let got = Fields::parse(text, "pods", false)
                .ok()
                .map(|fields| fields.matches(&pod));
            assert_eq!(got, expected, "{text}");
        }
    }
}
