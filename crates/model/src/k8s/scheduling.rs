//! Where a pod may run.

use crate::k8s::meta::LabelSelector;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// Preferences for nodes and neighbours.
    pub struct Affinity ("Affinity") {
        /// For nodes.
        pub node_affinity: Option<NodeAffinity> = "nodeAffinity", omit;
        /// To be near pods.
        pub pod_affinity: Option<PodAffinity> = "podAffinity", omit;
        /// To be far from pods.
        pub pod_anti_affinity: Option<PodAntiAffinity> = "podAntiAffinity", omit;
    }

    /// Preferences for nodes.
    pub struct NodeAffinity ("NodeAffinity") {
        /// What must hold when the pod is placed.
        pub required_during_scheduling_ignored_during_execution: Option<NodeSelector> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// What should hold, by weight.
        pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredSchedulingTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// Nodes that any of several terms selects.
    pub struct NodeSelector ("NodeSelector") {
        /// The terms.
        pub node_selector_terms: List<NodeSelectorTerm> = "nodeSelectorTerms", keep;
    }

    /// Conditions on a node that must all hold.
    pub struct NodeSelectorTerm ("NodeSelectorTerm") {
        /// Conditions on labels.
        pub match_expressions: Vec<NodeSelectorRequirement> = "matchExpressions", omit;
        /// Conditions on fields.
        pub match_fields: Vec<NodeSelectorRequirement> = "matchFields", omit;
    }

    /// One condition on a node.
    pub struct NodeSelectorRequirement ("NodeSelectorRequirement") {
        /// Key.
        pub key: String = "key", keep;
        /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
        pub operator: String = "operator", keep;
        /// Values to compare with.
        pub values: Vec<String> = "values", omit;
    }

    /// A preference with a weight.
    pub struct PreferredSchedulingTerm ("PreferredSchedulingTerm") {
        /// Weight from 1 to 100.
        pub weight: i32 = "weight", keep;
        /// The nodes that are preferred.
        pub preference: NodeSelectorTerm = "preference", keep;
    }

    /// Preferences to be near pods.
    pub struct PodAffinity ("PodAffinity") {
        /// What must hold when the pod is placed.
        pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// What should hold, by weight.
        pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// Preferences to be far from pods.
    pub struct PodAntiAffinity ("PodAntiAffinity") {
        /// What must hold when the pod is placed.
        pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// What should hold, by weight.
        pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// Pods, and what counts as near.
    pub struct PodAffinityTerm ("PodAffinityTerm") {
        /// Labels that select objects.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Namespaces of the pods; our own when empty.
        pub namespaces: Vec<String> = "namespaces", omit;
        /// Label of nodes that says what counts as one place.
        pub topology_key: String = "topologyKey", keep;
        /// Further namespaces by label.
        pub namespace_selector: Option<LabelSelector> = "namespaceSelector", omit;
        /// Keys of the pod's labels whose values others must share.
        pub match_label_keys: Vec<String> = "matchLabelKeys", omit;
        /// Keys of the pod's labels whose values others must not share.
        pub mismatch_label_keys: Vec<String> = "mismatchLabelKeys", omit;
    }

    /// A preference with a weight.
    pub struct WeightedPodAffinityTerm ("WeightedPodAffinityTerm") {
        /// Weight from 1 to 100.
        pub weight: i32 = "weight", keep;
        /// The pods.
        pub pod_affinity_term: PodAffinityTerm = "podAffinityTerm", keep;
    }

    /// A taint of nodes that is tolerated.
    pub struct Toleration ("Toleration") {
        /// Key of the taint; all keys when empty.
        pub key: String = "key", omit;
        /// `Equal` when empty, `Exists`, `Lt` or `Gt`.
        pub operator: String = "operator", omit;
        /// Value of the taint.
        pub value: String = "value", omit;
        /// Effect of the taint; all effects when empty.
        pub effect: String = "effect", omit;
        /// How long `NoExecute` is tolerated; for ever when unset.
        pub toleration_seconds: Option<i64> = "tolerationSeconds", omit;
    }

    /// How evenly pods are spread.
    pub struct TopologySpreadConstraint ("TopologySpreadConstraint") {
        /// Largest difference between two places.
        pub max_skew: i32 = "maxSkew", keep;
        /// Label of nodes that says what counts as one place.
        pub topology_key: String = "topologyKey", keep;
        /// `DoNotSchedule` or `ScheduleAnyway`.
        pub when_unsatisfiable: String = "whenUnsatisfiable", keep;
        /// Labels that select objects.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Least number of places.
        pub min_domains: Option<i32> = "minDomains", omit;
        /// Whether the pod's affinity narrows the places: `Honor` or `Ignore`.
        pub node_affinity_policy: Option<String> = "nodeAffinityPolicy", omit;
        /// Whether taints narrow the places: `Honor` or `Ignore`.
        pub node_taints_policy: Option<String> = "nodeTaintsPolicy", omit;
        /// Keys of the pod's labels whose values others must share.
        pub match_label_keys: Vec<String> = "matchLabelKeys", omit;
    }

    /// A reason not to place the pod yet.
    pub struct PodSchedulingGate ("PodSchedulingGate") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
    }

    /// A further condition of readiness.
    pub struct PodReadinessGate ("PodReadinessGate") {
        /// Type of the condition.
        pub condition_type: String = "conditionType", keep;
    }
}
