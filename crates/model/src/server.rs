//! Small types of the server's interface that are part of the published types.

use crate::k8s::OwnerReference;
use crate::object::objects;

objects! {
    "v1alpha1"

    /// Changes to a workflow when it is submitted.
    pub struct SubmitOpts ("SubmitOpts") {
        /// Its name.
        pub name: String = "name", omit;
        /// What its name begins with.
        pub generate_name: String = "generateName", omit;
        /// The template that runs first.
        pub entry_point: String = "entryPoint", omit;
        /// Parameters as `name=value`.
        pub parameters: Vec<String> = "parameters", omit;
        /// Service account of its pods.
        pub service_account: String = "serviceAccount", omit;
        /// Whether to only show it.
        pub dry_run: bool = "dryRun", omit;
        /// Whether the server checks it but keeps nothing.
        pub server_dry_run: bool = "serverDryRun", omit;
        /// Labels as `key=value`, separated by commas.
        pub labels: String = "labels", omit;
        /// Owner of the workflow.
        pub owner_reference: Option<OwnerReference> = "ownerReference", omit;
        /// Annotations as `key=value`, separated by commas.
        pub annotations: String = "annotations", omit;
        /// Priority class of the pods.
        pub pod_priority_class_name: String = "podPriorityClassName", omit;
        /// Its priority.
        pub priority: Option<i32> = "priority", omit;
        /// Artifacts as `name=key`.
        pub artifacts: Vec<String> = "artifacts", omit;
    }

    /// A link that the UI shows.
    pub struct Link ("Link") {
        /// Text of the link.
        pub name: String = "name", keep;
        /// Where it is shown: `workflow`, `pod`, `pod-logs`, `event-source-logs`, `sensor-logs`, `workflow-list` or
        /// `chat`.
        pub scope: String = "scope", keep;
        /// Where it leads, with variables.
        pub url: String = "url", keep;
        /// Where it opens, as in HTML.
        pub target: String = "target", keep;
    }

    /// A further column of the UI's list.
    pub struct Column ("Column") {
        /// Title of the column.
        pub name: String = "name", keep;
        /// `label` or `annotation`.
        pub type_: String = "type", keep;
        /// Key.
        pub key: String = "key", keep;
    }

    /// Values that a label has among archived workflows.
    pub struct LabelValues ("LabelValues") {
        /// The values.
        pub items: Vec<String> = "items", omit;
    }

    /// Labels that archived workflows have.
    pub struct LabelKeys ("LabelKeys") {
        /// The keys.
        pub items: Vec<String> = "items", omit;
    }

    /// Version of the server and how it was built.
    pub struct Version ("Version") {
        /// Version.
        pub version: String = "version", keep;
        /// When it was built.
        pub build_date: String = "buildDate", keep;
        /// Commit.
        pub git_commit: String = "gitCommit", keep;
        /// Tag, if the commit has one.
        pub git_tag: String = "gitTag", keep;
        /// `clean` or `dirty`.
        pub git_tree_state: String = "gitTreeState", keep;
        /// Version of the compiler; the key's name is Go's.
        pub go_version: String = "goVersion", keep;
        /// Name of the compiler.
        pub compiler: String = "compiler", keep;
        /// Operating system and processor.
        pub platform: String = "platform", keep;
    }
}
