//! Small types of the server's interface that are part of the published types.

use crate::k8s::OwnerReference;
use crate::object::objects;

objects! {
    "v1alpha1"

    /// `SubmitOpts` of the wire form.
    pub struct SubmitOpts ("SubmitOpts") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `generateName`.
        pub generate_name: String = "generateName", omit;
        /// Key `entryPoint`.
        pub entry_point: String = "entryPoint", omit;
        /// Key `parameters`.
        pub parameters: Vec<String> = "parameters", omit;
        /// Key `serviceAccount`.
        pub service_account: String = "serviceAccount", omit;
        /// Key `dryRun`.
        pub dry_run: bool = "dryRun", omit;
        /// Key `serverDryRun`.
        pub server_dry_run: bool = "serverDryRun", omit;
        /// Key `labels`.
        pub labels: String = "labels", omit;
        /// Key `ownerReference`.
        pub owner_reference: Option<OwnerReference> = "ownerReference", omit;
        /// Key `annotations`.
        pub annotations: String = "annotations", omit;
        /// Key `podPriorityClassName`.
        pub pod_priority_class_name: String = "podPriorityClassName", omit;
        /// Key `priority`.
        pub priority: Option<i32> = "priority", omit;
        /// Key `artifacts`.
        pub artifacts: Vec<String> = "artifacts", omit;
    }

    /// `Link` of the wire form.
    pub struct Link ("Link") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `scope`.
        pub scope: String = "scope", keep;
        /// Key `url`.
        pub url: String = "url", keep;
        /// Key `target`.
        pub target: String = "target", keep;
    }

    /// `Column` of the wire form.
    pub struct Column ("Column") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `type`.
        pub type_: String = "type", keep;
        /// Key `key`.
        pub key: String = "key", keep;
    }

    /// `LabelValues` of the wire form.
    pub struct LabelValues ("LabelValues") {
        /// Key `items`.
        pub items: Vec<String> = "items", omit;
    }

    /// `LabelKeys` of the wire form.
    pub struct LabelKeys ("LabelKeys") {
        /// Key `items`.
        pub items: Vec<String> = "items", omit;
    }

    /// `Version` of the wire form.
    pub struct Version ("Version") {
        /// Key `version`.
        pub version: String = "version", keep;
        /// Key `buildDate`.
        pub build_date: String = "buildDate", keep;
        /// Key `gitCommit`.
        pub git_commit: String = "gitCommit", keep;
        /// Key `gitTag`.
        pub git_tag: String = "gitTag", keep;
        /// Key `gitTreeState`.
        pub git_tree_state: String = "gitTreeState", keep;
        /// Key `goVersion`.
        pub go_version: String = "goVersion", keep;
        /// Key `compiler`.
        pub compiler: String = "compiler", keep;
        /// Key `platform`.
        pub platform: String = "platform", keep;
    }
}
