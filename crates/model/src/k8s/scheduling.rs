//! Where a pod may run.

use crate::k8s::meta::LabelSelector;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// `Affinity` of the wire form.
    pub struct Affinity ("Affinity") {
        /// Key `nodeAffinity`.
        pub node_affinity: Option<NodeAffinity> = "nodeAffinity", omit;
        /// Key `podAffinity`.
        pub pod_affinity: Option<PodAffinity> = "podAffinity", omit;
        /// Key `podAntiAffinity`.
        pub pod_anti_affinity: Option<PodAntiAffinity> = "podAntiAffinity", omit;
    }

    /// `NodeAffinity` of the wire form.
    pub struct NodeAffinity ("NodeAffinity") {
        /// Key `requiredDuringSchedulingIgnoredDuringExecution`.
        pub required_during_scheduling_ignored_during_execution: Option<NodeSelector> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// Key `preferredDuringSchedulingIgnoredDuringExecution`.
        pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredSchedulingTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// `NodeSelector` of the wire form.
    pub struct NodeSelector ("NodeSelector") {
        /// Key `nodeSelectorTerms`.
        pub node_selector_terms: List<NodeSelectorTerm> = "nodeSelectorTerms", keep;
    }

    /// `NodeSelectorTerm` of the wire form.
    pub struct NodeSelectorTerm ("NodeSelectorTerm") {
        /// Key `matchExpressions`.
        pub match_expressions: Vec<NodeSelectorRequirement> = "matchExpressions", omit;
        /// Key `matchFields`.
        pub match_fields: Vec<NodeSelectorRequirement> = "matchFields", omit;
    }

    /// `NodeSelectorRequirement` of the wire form.
    pub struct NodeSelectorRequirement ("NodeSelectorRequirement") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `operator`.
        pub operator: String = "operator", keep;
        /// Key `values`.
        pub values: Vec<String> = "values", omit;
    }

    /// `PreferredSchedulingTerm` of the wire form.
    pub struct PreferredSchedulingTerm ("PreferredSchedulingTerm") {
        /// Key `weight`.
        pub weight: i32 = "weight", keep;
        /// Key `preference`.
        pub preference: NodeSelectorTerm = "preference", keep;
    }

    /// `PodAffinity` of the wire form.
    pub struct PodAffinity ("PodAffinity") {
        /// Key `requiredDuringSchedulingIgnoredDuringExecution`.
        pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// Key `preferredDuringSchedulingIgnoredDuringExecution`.
        pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// `PodAntiAffinity` of the wire form.
    pub struct PodAntiAffinity ("PodAntiAffinity") {
        /// Key `requiredDuringSchedulingIgnoredDuringExecution`.
        pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm> = "requiredDuringSchedulingIgnoredDuringExecution", omit;
        /// Key `preferredDuringSchedulingIgnoredDuringExecution`.
        pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm> = "preferredDuringSchedulingIgnoredDuringExecution", omit;
    }

    /// `PodAffinityTerm` of the wire form.
    pub struct PodAffinityTerm ("PodAffinityTerm") {
        /// Key `labelSelector`.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Key `namespaces`.
        pub namespaces: Vec<String> = "namespaces", omit;
        /// Key `topologyKey`.
        pub topology_key: String = "topologyKey", keep;
        /// Key `namespaceSelector`.
        pub namespace_selector: Option<LabelSelector> = "namespaceSelector", omit;
        /// Key `matchLabelKeys`.
        pub match_label_keys: Vec<String> = "matchLabelKeys", omit;
        /// Key `mismatchLabelKeys`.
        pub mismatch_label_keys: Vec<String> = "mismatchLabelKeys", omit;
    }

    /// `WeightedPodAffinityTerm` of the wire form.
    pub struct WeightedPodAffinityTerm ("WeightedPodAffinityTerm") {
        /// Key `weight`.
        pub weight: i32 = "weight", keep;
        /// Key `podAffinityTerm`.
        pub pod_affinity_term: PodAffinityTerm = "podAffinityTerm", keep;
    }

    /// `Toleration` of the wire form.
    pub struct Toleration ("Toleration") {
        /// Key `key`.
        pub key: String = "key", omit;
        /// Key `operator`.
        pub operator: String = "operator", omit;
        /// Key `value`.
        pub value: String = "value", omit;
        /// Key `effect`.
        pub effect: String = "effect", omit;
        /// Key `tolerationSeconds`.
        pub toleration_seconds: Option<i64> = "tolerationSeconds", omit;
    }

    /// `TopologySpreadConstraint` of the wire form.
    pub struct TopologySpreadConstraint ("TopologySpreadConstraint") {
        /// Key `maxSkew`.
        pub max_skew: i32 = "maxSkew", keep;
        /// Key `topologyKey`.
        pub topology_key: String = "topologyKey", keep;
        /// Key `whenUnsatisfiable`.
        pub when_unsatisfiable: String = "whenUnsatisfiable", keep;
        /// Key `labelSelector`.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Key `minDomains`.
        pub min_domains: Option<i32> = "minDomains", omit;
        /// Key `nodeAffinityPolicy`.
        pub node_affinity_policy: Option<String> = "nodeAffinityPolicy", omit;
        /// Key `nodeTaintsPolicy`.
        pub node_taints_policy: Option<String> = "nodeTaintsPolicy", omit;
        /// Key `matchLabelKeys`.
        pub match_label_keys: Vec<String> = "matchLabelKeys", omit;
    }

    /// `PodSchedulingGate` of the wire form.
    pub struct PodSchedulingGate ("PodSchedulingGate") {
        /// Key `name`.
        pub name: String = "name", keep;
    }

    /// `PodReadinessGate` of the wire form.
    pub struct PodReadinessGate ("PodReadinessGate") {
        /// Key `conditionType`.
        pub condition_type: String = "conditionType", keep;
    }
}
