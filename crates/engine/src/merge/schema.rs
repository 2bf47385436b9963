//! Which lists a strategic merge joins by a key: the merge keys of Kubernetes' and the workflow's types.
//!
//! Types without such lists need no entry: their maps are merged key by key, their lists replaced.

/// How the value behind a key is merged.
#[derive(Clone, Copy)]
pub enum Rule {
    /// Maps key by key, everything else as a whole.
    Plain,
    /// An object whose own keys have rules.
    Object(Type),
    /// A list whose items are found by the key named first.
    Keyed(&'static str, Type),
    /// A list of texts that is joined like a set.
    Set,
}

impl Rule {
    /// The rules inside an object behind this key.
    pub fn object(self) -> Type {
        match self {
            Self::Object(inner) => inner,
            Self::Plain | Self::Keyed(..) | Self::Set => plain,
        }
    }
}

/// The rules of a type: from key to rule.
pub type Type = fn(&str) -> Rule;

/// A type without lists that merge.
pub fn plain(_: &str) -> Rule {
    Rule::Plain
}

/// `Workflow`, `WorkflowTemplate` and `ClusterWorkflowTemplate`.
pub fn workflow(key: &str) -> Rule {
    match key {
        "metadata" => Rule::Object(metadata),
        "spec" => Rule::Object(workflow_spec),
        "status" => Rule::Object(workflow_status),
        _ => Rule::Plain,
    }
}

/// Metadata of objects.
pub fn metadata(key: &str) -> Rule {
    match key {
        "ownerReferences" => Rule::Keyed("uid", plain),
        "finalizers" => Rule::Set,
        _ => Rule::Plain,
    }
}

/// The specification of a workflow.
pub fn workflow_spec(key: &str) -> Rule {
    match key {
        "templates" => Rule::Keyed("name", template),
        "arguments" => Rule::Object(parameters_and_artifacts),
        "volumes" => Rule::Keyed("name", plain),
        "tolerations" => Rule::Keyed("key", plain),
        "imagePullSecrets" => Rule::Keyed("name", plain),
        "hostAliases" => Rule::Keyed("ip", plain),
        "templateDefaults" => Rule::Object(template),
        _ => Rule::Plain,
    }
}

fn workflow_status(key: &str) -> Rule {
    match key {
        "storedWorkflowTemplateSpec" => Rule::Object(workflow_spec),
        "outputs" => Rule::Object(parameters_and_artifacts),
        _ => Rule::Plain,
    }
}

/// A template.
pub fn template(key: &str) -> Rule {
    match key {
        "inputs" | "outputs" => Rule::Object(parameters_and_artifacts),
        "container" | "script" => Rule::Object(container),
        "dag" => Rule::Object(dag),
        "volumes" => Rule::Keyed("name", plain),
        "initContainers" | "sidecars" => Rule::Keyed("name", container),
        "tolerations" => Rule::Keyed("key", plain),
        "hostAliases" => Rule::Keyed("ip", plain),
        _ => Rule::Plain,
    }
}

fn parameters_and_artifacts(key: &str) -> Rule {
    match key {
        "parameters" | "artifacts" => Rule::Keyed("name", plain),
        _ => Rule::Plain,
    }
}

fn dag(key: &str) -> Rule {
    match key {
        "tasks" => Rule::Keyed("name", dag_task),
        _ => Rule::Plain,
    }
}

fn dag_task(key: &str) -> Rule {
    match key {
        "arguments" => Rule::Object(parameters_and_artifacts),
        "inline" => Rule::Object(template),
        _ => Rule::Plain,
    }
}

/// The specification of a pod.
pub fn pod_spec(key: &str) -> Rule {
    match key {
        "volumes" | "imagePullSecrets" | "schedulingGates" | "resourceClaims" => Rule::Keyed("name", plain),
        "containers" | "initContainers" | "ephemeralContainers" => Rule::Keyed("name", container),
        "hostAliases" => Rule::Keyed("ip", plain),
        "topologySpreadConstraints" => Rule::Keyed("topologyKey", plain),
        _ => Rule::Plain,
    }
}

/// A container.
pub fn container(key: &str) -> Rule {
    match key {
        "ports" => Rule::Keyed("containerPort", plain),
        "env" => Rule::Keyed("name", plain),
        "volumeMounts" => Rule::Keyed("mountPath", plain),
        "volumeDevices" => Rule::Keyed("devicePath", plain),
        _ => Rule::Plain,
    }
}
