//! Keeps the next attempt away from the hosts where earlier ones failed (C-RTY-08).

use argosy_model::k8s::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod,
};

use super::PodRequest;

/// The label of a node that holds its host name, unless configured otherwise.
const HOST_NAME: &str = "kubernetes.io/hostname";
const NOT_IN: &str = "NotIn";

/// Adds the hosts to the pod's required node affinity.
pub(super) fn keep_away(pod: &mut Pod, request: &PodRequest<'_>) {
    let hosts = request.failed_hosts;
    if hosts.is_empty() {
        return;
    }
    let key = request
        .config
        .environment
        .get("RETRY_HOST_NAME_LABEL_KEY")
        .map_or(HOST_NAME, String::as_str);
    let required = pod
        .spec
        .affinity
        .get_or_insert_with(|| Box::new(Affinity::default()))
        .node_affinity
        .get_or_insert_with(NodeAffinity::default)
        .required_during_scheduling_ignored_during_execution
        .get_or_insert_with(NodeSelector::default);
    add(required, key, hosts);
}

fn add(required: &mut NodeSelector, key: &str, hosts: &[String]) {
    let wanted = || NodeSelectorRequirement {
        key: key.to_owned(),
        operator: NOT_IN.to_owned(),
        values: deduplicated(hosts.iter()),
    };
    let terms = &mut required.node_selector_terms;
    if terms.is_empty() {
        terms.push(NodeSelectorTerm::default());
    }
    for term in terms.iter_mut() {
        if term.match_expressions.is_empty() {
            term.match_expressions.push(wanted());
            return;
        }
        if let Some(known) = term
            .match_expressions
            .iter_mut()
            .find(|e| e.key == key && e.operator == NOT_IN)
        {
            known.values = deduplicated(known.values.iter().chain(hosts));
            return;
        }
    }
    terms[0].match_expressions.push(wanted());
}

fn deduplicated<'a>(hosts: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut result: Vec<String> = Vec::new();
    for host in hosts {
        if !result.contains(host) {
            result.push(host.clone());
        }
    }
    result
}
