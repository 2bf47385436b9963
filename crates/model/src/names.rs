//! Names of the public interface: API group, kinds, labels, annotations and finalizers.
//!
//! Names that are computed (node ids, pod names) are in the engine.

/// API group of every custom resource.
pub const GROUP: &str = "argoproj.io";
/// Version of every custom resource.
pub const VERSION: &str = "v1alpha1";
/// Group and version as `apiVersion` writes them.
pub const API_VERSION: &str = "argoproj.io/v1alpha1";

/// A custom resource: how it is called where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `kind` of its objects.
    pub kind: &'static str,
    /// Its name in URLs.
    pub plural: &'static str,
    /// Names that users may type instead.
    pub short: &'static [&'static str],
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

/// All custom resources.
pub const KINDS: &[Kind] = &[
    Kind {
        kind: "Workflow",
        plural: "workflows",
        short: &["wf"],
        namespaced: true,
    },
    Kind {
        kind: "WorkflowTemplate",
        plural: "workflowtemplates",
        short: &["wftmpl"],
        namespaced: true,
    },
    Kind {
        kind: "CronWorkflow",
        plural: "cronworkflows",
        short: &["cwf", "cronwf"],
        namespaced: true,
    },
    Kind {
        kind: "ClusterWorkflowTemplate",
        plural: "clusterworkflowtemplates",
        short: &["clusterwftmpl", "cwft"],
        namespaced: false,
    },
    Kind {
        kind: "WorkflowEventBinding",
        plural: "workfloweventbindings",
        short: &["wfeb"],
        namespaced: true,
    },
    Kind {
        kind: "WorkflowTaskSet",
        plural: "workflowtasksets",
        short: &["wfts"],
        namespaced: true,
    },
    Kind {
        kind: "WorkflowTaskResult",
        plural: "workflowtaskresults",
        short: &[],
        namespaced: true,
    },
    Kind {
        kind: "WorkflowArtifactGCTask",
        plural: "workflowartifactgctasks",
        short: &["wfat"],
        namespaced: true,
    },
];

/// The custom resource with this `kind`.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.kind == name)
}

/// Labels.
pub mod label {
    /// Instance that the object belongs to; absent for the instance without a name.
    pub const CONTROLLER_INSTANCE_ID: &str = "workflows.argoproj.io/controller-instanceid";
    /// On everything that a workflow makes: the workflow's name.
    pub const WORKFLOW: &str = "workflows.argoproj.io/workflow";
    /// On workflows and pods: `true` when nothing more is to be done. Watches leave such objects out.
    pub const COMPLETED: &str = "workflows.argoproj.io/completed";
    /// On workflows: the phase.
    pub const PHASE: &str = "workflows.argoproj.io/phase";
    /// On workflows: `Pending` (to be archived), `Archived` (archived and still live), `Persisted` (read from the archive).
    pub const ARCHIVING_STATUS: &str = "workflows.argoproj.io/workflow-archiving-status";
    /// On pods that belong to no node: `agent` or `artifact-gc`.
    pub const COMPONENT: &str = "workflows.argoproj.io/component";
    /// On pods of an exit handler: `true`; stopping the workflow spares them.
    pub const ON_EXIT: &str = "workflows.argoproj.io/on-exit";
    /// Who made the object.
    pub const CREATOR: &str = "workflows.argoproj.io/creator";
    /// E-mail of who made the object, `@` as `.at.`.
    pub const CREATOR_EMAIL: &str = "workflows.argoproj.io/creator-email";
    /// Preferred user name of who made the object.
    pub const CREATOR_PREFERRED_USERNAME: &str = "workflows.argoproj.io/creator-preferred-username";
    /// Who acted on the object last.
    pub const ACTOR: &str = "workflows.argoproj.io/actor";
    /// E-mail of who acted last, `@` as `.at.`.
    pub const ACTOR_EMAIL: &str = "workflows.argoproj.io/actor-email";
    /// Preferred user name of who acted last.
    pub const ACTOR_PREFERRED_USERNAME: &str = "workflows.argoproj.io/actor-preferred-username";
    /// What was done last: Update, Suspend, Stop, Terminate, Resume or Retry.
    pub const ACTION: &str = "workflows.argoproj.io/action";
    /// On resubmitted workflows: the name of the earlier one.
    pub const RESUBMITTED_FROM: &str = "workflows.argoproj.io/resubmitted-from-workflow";
    /// On workflows started on a schedule: the name of the CronWorkflow.
    pub const CRON_WORKFLOW: &str = "workflows.argoproj.io/cron-workflow";
    /// On workflows submitted from a WorkflowTemplate: its name.
    pub const WORKFLOW_TEMPLATE: &str = "workflows.argoproj.io/workflow-template";
    /// On workflows submitted from a ClusterWorkflowTemplate: its name.
    pub const CLUSTER_WORKFLOW_TEMPLATE: &str = "workflows.argoproj.io/cluster-workflow-template";
    /// On workflows started by an event: the name of the binding.
    pub const WORKFLOW_EVENT_BINDING: &str = "workflows.argoproj.io/workflow-event-binding";
    /// On tasks of artifact clean-up: a hash of their pod's name.
    pub const ARTIFACT_GC_POD: &str = "workflows.argoproj.io/artifact-gc-pod";
    /// On task results: `true` once every output was reported.
    pub const REPORT_OUTPUTS_COMPLETED: &str = "workflows.argoproj.io/report-outputs-completed";
    /// On workflows made by a backfill: the name of its run.
    pub const BACKFILL: &str = "workflows.argoproj.io/backfill";
    /// On namespaces: how many workflows may run there at the same time.
    pub const PARALLELISM_LIMIT: &str = "workflows.argoproj.io/parallelism-limit";
    /// On ConfigMaps that workflows may use: `Cache`, `Parameter` or `ExecutorPlugin`.
    pub const CONFIG_MAP_TYPE: &str = "workflows.argoproj.io/configmap-type";
    /// On CronWorkflows: `true` when their stop condition was met.
    pub const CRON_COMPLETED: &str = "cronworkflows.argoproj.io/completed";
}

/// Annotations.
pub mod annotation {
    /// On pods and events of nodes: the node's id. A pod without it has the id as its name.
    pub const NODE_ID: &str = "workflows.argoproj.io/node-id";
    /// On pods and events of nodes: the node's full name.
    pub const NODE_NAME: &str = "workflows.argoproj.io/node-name";
    /// On events of nodes: the node's type.
    pub const NODE_TYPE: &str = "workflows.argoproj.io/node-type";
    /// On events of nodes: when the node started, in nanoseconds since 1970.
    pub const NODE_START_TIME: &str = "workflows.argoproj.io/node-start-time";
    /// On workflows: the rule for names of pods, `v1` or `v2`.
    pub const POD_NAME_FORMAT: &str = "workflows.argoproj.io/pod-name-format";
    /// On workflows started on a schedule: the time they were due.
    pub const SCHEDULED_TIME: &str = "workflows.argoproj.io/scheduled-time";
    /// On events of pods: the workflow's name.
    pub const WORKFLOW_NAME: &str = "workflows.argoproj.io/workflow-name";
    /// On events of pods: the workflow's uid.
    pub const WORKFLOW_UID: &str = "workflows.argoproj.io/workflow-uid";
    /// On pods: progress as `N/M`.
    pub const PROGRESS: &str = "workflows.argoproj.io/progress";
    /// On pods of artifact clean-up: its strategy.
    pub const ARTIFACT_GC_STRATEGY: &str = "workflows.argoproj.io/artifact-gc-strategy";
    /// On pods: `strategy/delay` of their clean-up, so that orphans can be cleaned too.
    pub const POD_GC_STRATEGY: &str = "workflows.argoproj.io/pod-gc-strategy";
    /// On workflows and pods: id of the trace.
    pub const TRACE_ID: &str = "workflows.argoproj.io/trace-id";
    /// On workflows and pods: id of the span.
    pub const SPAN_ID: &str = "workflows.argoproj.io/span-id";
    /// On pods, with a container's name behind it: the command that ends the container, as a JSON list.
    pub const KILL_COMMAND_PREFIX: &str = "workflows.argoproj.io/kill-cmd-";
    /// On service accounts: the Secret with their token.
    pub const SERVICE_ACCOUNT_TOKEN_NAME: &str = "workflows.argoproj.io/service-account-token.name";
    /// On service accounts: expression over a user's claims that lets the user act as the account.
    pub const RBAC_RULE: &str = "workflows.argoproj.io/rbac-rule";
    /// On service accounts: order of the rules; higher wins.
    pub const RBAC_RULE_PRECEDENCE: &str = "workflows.argoproj.io/rbac-rule-precedence";
    /// On ConfigMaps with artifact repositories: the key that is used when none is given.
    pub const DEFAULT_ARTIFACT_REPOSITORY: &str = "workflows.argoproj.io/default-artifact-repository";
    /// On templates: how their nodes are called in views; may hold variables.
    pub const DISPLAY_NAME: &str = "workflows.argoproj.io/display-name";
    /// On workflows and templates: title for the UI.
    pub const TITLE: &str = "workflows.argoproj.io/title";
    /// On workflows and templates: description for the UI.
    pub const DESCRIPTION: &str = "workflows.argoproj.io/description";
    /// On plugins: the versions they work with.
    pub const PLUGIN_VERSION: &str = "workflows.argoproj.io/version";
    /// On pods: the container that kubectl takes when none is named.
    pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
    /// On CronWorkflows: the schedules that were in force last, so that a change is noticed.
    pub const CRON_LAST_USED_SCHEDULE: &str = "cronworkflows.argoproj.io/last-used-schedule";
}

/// Finalizers.
pub mod finalizer {
    /// On workflows: artifacts are still to be deleted.
    pub const ARTIFACT_GC: &str = "workflows.argoproj.io/artifact-gc";
    /// On pods: the controller has not yet taken over their end.
    pub const POD_STATUS: &str = "workflows.argoproj.io/status";
    /// On volume claims: Kubernetes' own, which the controller removes from claims it deletes.
    pub const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";
}
