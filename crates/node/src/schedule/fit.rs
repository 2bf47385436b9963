//! Whether a pod may run on the node now, and if not, why, in the words of Kubernetes' scheduler. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::affinity;
use crate::pod::next::is_sidecar;
use crate::spec::quantity::milli;

/// Amounts of resources by name, in thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Amounts(BTreeMap<String, i128>);

impl Amounts {
    fn read(list: Option<&BTreeMap<String, Quantity>>) -> Amounts {
        let amounts = list.into_iter().flatten();
        Amounts(
            amounts
                .filter_map(|(name, quantity)| Some((name.clone(), milli(quantity)?)))
                .collect(),
        )
    }

    fn of(resources: Option<&ResourceRequirements>) -> Amounts {
        Amounts::read(resources.and_then(|r| r.requests.as_ref()))
    }

    fn get(&self, name: &str) -> i128 {
        self.0.get(name).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, other: &Amounts) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_default() += amount;
        }
    }

    fn raise_to(&mut self, other: &Amounts) {
        for (name, amount) in &other.0 {
            let own = self.0.entry(name.clone()).or_default();
            *own = (*own).max(*amount);
        }
    }

    /// What a pod asks for: all that runs at once, or what its largest init container needs beside the sidecars before
    /// it.
    pub(super) fn asked(pod: &Pod) -> Amounts {
        let Some(spec) = &pod.spec else {
            return Amounts::default();
        };
        let of = |container: &Container| Amounts::of(container.resources.as_ref());
        let (mut together, mut sidecars, mut largest) =
            (Amounts::default(), Amounts::default(), Amounts::default());
        for container in &spec.containers {
            together.add(&of(container));
        }
        for init in spec.init_containers.iter().flatten() {
            let mut beside = sidecars.clone();
            beside.add(&of(init));
            if is_sidecar(init) {
                together.add(&of(init));
                sidecars = beside.clone();
            }
            largest.raise_to(&beside);
        }
        together.raise_to(&largest);
        // What the whole pod asks for counts instead of what its containers do.
        together.0.extend(Amounts::of(spec.resources.as_ref()).0);
        together.add(&Amounts::read(spec.overhead.as_ref()));
        together
    }
}

/// What the pods of the node take of it.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub(super) pods: usize,
    pub(super) amounts: Amounts,
}

impl Used {
    pub(super) fn add(&mut self, asked: &Amounts) {
        self.pods += 1;
        self.amounts.add(asked);
    }
}

/// Why a pod may not run on the node.
#[derive(Debug, PartialEq)]
pub(super) struct Misfit {
    reasons: Vec<String>,
    /// Not even an empty node could take it.
    never: bool,
}

impl Misfit {
    fn never(reason: &str) -> Misfit {
        Misfit {
            reasons: vec![reason.to_owned()],
            never: true,
        }
    }

    /// The message of a pod's condition, as a scheduler of version 1.34 words it.
    pub(super) fn message(&self) -> String {
        let mut reasons: Vec<String> = self.reasons.iter().map(|reason| format!("1 {reason}")).collect();
        reasons.sort();
        let preemption = match self.never {
            true => "Preemption is not helpful for scheduling",
            false => "No preemption victims found for incoming pod",
        };
        format!(
            "0/1 nodes are available: {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 \
             {preemption}.",
            reasons.join(", ")
        )
    }
}

/// Why the pod may not run beside what runs already; `None` when it may. The first kind of reason is told, in the order
/// in which a scheduler asks.
pub(super) fn misfit(pod: &Pod, asked: &Amounts, node: &Node, used: &Used) -> Option<Misfit> {
    let nothing = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&nothing);
    if affinity::is_cordoned(spec, node) {
        return Some(Misfit::never("node(s) were unschedulable"));
    }
    if affinity::is_tainted(spec, node) {
        return Some(Misfit::never("node(s) had untolerated taint(s)"));
    }
    if !affinity::is_wanted(spec, node) {
        return Some(Misfit::never("node(s) didn't match Pod's node affinity/selector"));
    }
    lacking(asked, node, used)
}

fn lacking(asked: &Amounts, node: &Node, used: &Used) -> Option<Misfit> {
    let there = Amounts::read(node.status.as_ref().and_then(|s| s.allocatable.as_ref()));
    let (mut reasons, mut never) = (Vec::new(), false);
    let pods = i128::try_from(used.pods).unwrap_or(i128::MAX / 1000);
    if (pods + 1) * 1000 > there.get("pods") {
        reasons.push("Too many pods".to_owned());
    }
    for (name, amount) in asked.0.iter().filter(|(_, amount)| **amount > 0) {
        if *amount > there.get(name) - used.amounts.get(name) {
            reasons.push(format!("Insufficient {name}"));
            never |= *amount > there.get(name);
        }
    }
    (!reasons.is_empty()).then_some(Misfit { reasons, never })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SELECTOR: &str = "1 node(s) didn't match Pod's node affinity/selector";

    fn node(extra: &Value) -> Node {
        let mut node = json!({
            "metadata": {"name": "n", "labels": {"disk": "ssd", "rank": "5"}},
            "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3"}},
        });
        node["spec"] = extra.clone();
        serde_json::from_value(node).unwrap()
    }

    fn pod(spec: &Value) -> Pod {
        serde_json::from_value(json!({"spec": spec})).unwrap()
    }

    /// What is told of a pod on a node with this spec, where pods with these specs run; nothing when it fits.
    #[track_caller]
    fn check(spec: Value, node_spec: Value, running: &[Value], reasons: &str, never: bool) {
        let mut used = Used::default();
        for spec in running {
            used.add(&Amounts::asked(&pod(spec)));
        }
        let pod = pod(&spec);
        let found = misfit(&pod, &Amounts::asked(&pod), &node(&node_spec), &used);
        let told = found.as_ref().map(Misfit::message).unwrap_or_default();
        let reason = told
            .strip_prefix("0/1 nodes are available: ")
            .and_then(|rest| rest.split(". no new claims").next());
        assert_eq!(reason.unwrap_or_default(), reasons, "{spec} {node_spec}");
        assert_eq!(found.is_some_and(|f| f.never), never, "{spec} {node_spec}");
    }

    fn asks(requests: Value) -> Value {
        json!({"containers": [{"name": "c", "resources": {"requests": requests}}]})
    }

    fn term(rule: Value) -> Value {
        let required = json!({"nodeSelectorTerms": [rule]});
        json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}})
    }

    #[test]
    fn a_pod_goes_only_to_a_node_that_it_selects() {
        let rule = |operator: &str, key: &str, values: Value| {
            term(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
        };
        let named = |name: &str| {
            term(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]}))
        };
        for (spec, fits) in [
            (json!({}), true),
            (json!({"nodeSelector": {"disk": "ssd"}}), true),
            (json!({"nodeSelector": {"disk": "ssd", "rank": "4"}}), false),
            (json!({"nodeSelector": {"none": ""}}), false),
            (rule("In", "disk", json!(["hdd", "ssd"])), true),
            (rule("In", "disk", json!(["hdd"])), false),
            (rule("NotIn", "disk", json!(["ssd"])), false),
            (rule("NotIn", "none", json!(["ssd"])), true),
            (rule("Exists", "disk", json!(null)), true),
            (rule("DoesNotExist", "disk", json!(null)), false),
            (rule("Gt", "rank", json!(["4"])), true),
            (rule("Lt", "rank", json!(["5"])), false),
            (rule("Gt", "disk", json!(["1"])), false),
            (named("n"), true),
            (named("m"), false),
            (term(json!({})), false),
        ] {
            let reason = if fits { "" } else { SELECTOR };
            check(spec, json!({}), &[], reason, !fits);
        }
    }

    #[test]
    fn a_node_keeps_pods_away() {
        let cordoned = "1 node(s) were unschedulable";
        let tainted = "1 node(s) had untolerated taint(s)";
        let taint = |effect: &str| json!({"taints": [{"key": "k", "value": "v", "effect": effect}]});
        let tolerates = |toleration: Value| json!({"tolerations": [toleration]});
        check(json!({}), json!({"unschedulable": true}), &[], cordoned, true);
        check(
            tolerates(json!({"operator": "Exists"})),
            json!({"unschedulable": true}),
            &[],
            "",
            false,
        );
        check(json!({}), taint("NoSchedule"), &[], tainted, true);
        check(json!({}), taint("PreferNoSchedule"), &[], "", false);
        for (toleration, fits) in [
            (json!({"key": "k", "value": "v"}), true),
            (
                json!({"key": "k", "operator": "Exists", "effect": "NoExecute"}),
                true,
            ),
            (json!({"key": "k", "value": "w"}), false),
            (json!({"key": "j", "operator": "Exists"}), false),
            (
                json!({"key": "k", "operator": "Exists", "effect": "NoSchedule"}),
                false,
            ),
        ] {
            let reason = if fits { "" } else { tainted };
            check(tolerates(toleration), taint("NoExecute"), &[], reason, !fits);
        }
    }

    #[test]
    fn a_pod_needs_room() {
        let big = asks(json!({"cpu": "2500m", "memory": "2Gi"}));
        check(
            big,
            json!({}),
            &[],
            "1 Insufficient cpu, 1 Insufficient memory",
            true,
        );
        let half = asks(json!({"cpu": "1500m"}));
        check(half.clone(), json!({}), &[], "", false);
        check(half.clone(), json!({}), &[half], "1 Insufficient cpu", false);
        check(
            asks(json!({"example.com/gpu": "1"})),
            json!({}),
            &[],
            "1 Insufficient example.com/gpu",
            true,
        );
        check(asks(json!({"example.com/gpu": "0"})), json!({}), &[], "", false);
        let full = [json!({}), json!({}), json!({})];
        check(json!({}), json!({}), &full, "1 Too many pods", false);
    }

    #[test]
    fn init_containers_and_sidecars_count_when_they_run() {
        let container = |name: &str, cpu: &str, policy: Value| json!({"name": name, "restartPolicy": policy, "resources": {"requests": {"cpu": cpu}}});
        let spec = json!({
            "initContainers": [
                container("before", "1900m", json!(null)), container("side", "300m", json!("Always")),
                container("after", "1600m", json!(null)),
            ],
            "containers": [container("main", "1", json!(null))],
            "overhead": {"cpu": "100m"},
        });
        assert_eq!(Amounts::asked(&pod(&spec)).get("cpu"), 2000);
        let whole = json!({"resources": {"requests": {"cpu": "1"}}, "containers": spec["containers"]});
        assert_eq!(Amounts::asked(&pod(&whole)).get("cpu"), 1000);
    }
}
