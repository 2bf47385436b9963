//! The containers of a pod before patches and wrapping: ours, the template's, the user's beside them (C-BLD-10…C-BLD-15).

use argosy_model::k8s::{Container, Pod, VolumeMount};
use argosy_model::{Template, TemplateType, UserContainer, go_json};
use serde_json::Value;

use super::metadata::Trace;
use super::plugins::{self, Plugins};
use super::{Error, PodRequest, environment, location, resource, scheduling, security, tags, volumes};
use crate::config::Config;
use crate::merge::{schema, strategic};

/// Name of the container that holds the user's work.
pub(super) const MAIN: &str = "main";
/// Name of the init container of ours.
pub(super) const INIT: &str = "init";
/// Our container beside the user's.
pub(super) const WAIT: &str = "wait";
/// Our container beside the user's in the layout without init containers.
pub(super) const SUPERVISOR: &str = "supervisor";

/// A pod in the making.
pub(super) struct Draft<'a> {
    /// What was asked for.
    pub request: &'a PodRequest<'a>,
    /// The template with its archive location filled in.
    pub template: Template,
    /// What kind of template it is.
    pub kind: TemplateType,
    /// What the executor is told about the template.
    pub template_text: String,
    /// The pod so far.
    pub pod: Pod,
    /// Artifact plugins that the pod uses.
    pub plugins: Plugins,
    /// The container that `kubectl` picks.
    pub default_container: String,
    /// The trace of the pod.
    pub trace: Trace,
}

impl<'a> Draft<'a> {
    /// The containers, with their environment and without the volumes that we add.
    pub fn new(request: &'a PodRequest<'a>) -> Result<Self, Error> {
        let mut template = request.template.clone();
        let kind = kind_of(&template)
            .ok_or_else(|| Error::refused(format!("Template '{}' missing specification", template.name)))?;
        resource::own(request, &mut template)?;
        location::fill(request, &mut template);
        let template = tags::substitute_template(request, template)?;
        let template_text = template_text(request.config, &template);
        let trace = request
            .trace
            .cloned()
            .unwrap_or_else(|| Trace::derived(&request.workflow.metadata.uid, request.node_id));
        let plugins = plugins::of(request, &template);
        let mut draft = Self {
            request,
            template,
            kind,
            template_text,
            pod: Pod::default(),
            plugins,
            default_container: MAIN.to_owned(),
            trace,
        };
        let mains = draft.mains()?;
        if !mains.iter().any(|c| c.name == MAIN) {
            draft.default_container = mains.last().map(|c| c.name.clone()).unwrap_or_default();
        }
        draft.fill(mains)?;
        Ok(draft)
    }

    fn fill(&mut self, mains: Vec<Container>) -> Result<(), Error> {
        let mut containers = Vec::new();
        let mut init_containers = Vec::new();
        if self.has_aux() {
            containers.push(self.aux());
        }
        containers.extend(mains);
        containers.extend(self.template.sidecars.iter().map(|s| s.container.clone()));
        containers.extend(self.plugins.sidecars(self)?);
        if !self.initless() {
            init_containers.push(self.init());
            init_containers.extend(self.plugins.inits(self)?);
        }
        init_containers.extend(self.template.init_containers.iter().map(|c| c.container.clone()));
        for container in &mut init_containers {
            container.env.extend(environment::of_every_container(
                self,
                &container.name,
                !self.initless(),
            ));
        }
        for container in &mut containers {
            container
                .env
                .extend(environment::of_every_container(self, &container.name, false));
            self.add_layout_variables(container);
        }
        self.pod.spec.containers = containers.into();
        self.pod.spec.init_containers = init_containers;
        Ok(())
    }

    fn add_layout_variables(&self, container: &mut Container) {
        if !self.initless() {
            return;
        }
        let template = || environment::value("ARGO_TEMPLATE", &self.template_text);
        if container.name == SUPERVISOR || (container.name == MAIN && !self.has_aux()) {
            container.env.push(template());
        } else if self.has_aux() && !is_ours(&container.name) {
            container
                .env
                .push(environment::value("ARGO_WAIT_FOR_READY", "true"));
        }
    }

    /// Whether the pod has no init containers of ours (C-BLD-60).
    pub fn initless(&self) -> bool {
        self.request.config.initless_pod
    }

    /// Whether the output of the main container must be captured.
    pub fn include_script_output(&self) -> bool {
        self.request.include_script_output || self.kind == TemplateType::Data
    }

    /// Whether a container of ours runs beside the user's.
    pub fn has_aux(&self) -> bool {
        match self.kind {
            TemplateType::Data => false,
            TemplateType::Resource => {
                let staged = self
                    .template
                    .resource
                    .as_ref()
                    .is_some_and(|r| r.manifest_from.is_some());
                location::archives_logs(&self.template) || (self.initless() && staged)
            }
            _ => true,
        }
    }

    /// The command line of a subcommand of ours.
    pub fn command(&self, words: &[&str]) -> Vec<String> {
        let mut command = vec!["argoexec".to_owned()];
        command.extend(words.iter().map(|word| (*word).to_owned()));
        command.extend(log_flags(self.request.config));
        command
    }

    fn aux(&self) -> Container {
        let name = if self.initless() { SUPERVISOR } else { WAIT };
        let mut container = executor_container(self.request, &self.template, name);
        container.command = self.command(&[name]);
        let beside = self.plugins.sidecar_names(&self.plugins.beside(self.initless()));
        if self.initless() {
            container
                .env
                .push(environment::value("ARGO_INITLESS_POD", "true"));
            if !beside.is_empty() {
                container
                    .env
                    .push(environment::value("ARGO_ARTIFACT_PLUGIN_NAMES", beside));
            }
            if !self.plugins.inputs.is_empty() {
                let inputs = self.plugins.inputs.join(",");
                container
                    .env
                    .push(environment::value("ARGO_INPUT_ARTIFACT_PLUGIN_NAMES", inputs));
            }
        } else {
            container
                .env
                .push(environment::value("ARGO_ARTIFACT_PLUGIN_NAMES", beside));
        }
        self.restrict(&mut container, false);
        container
    }

    fn init(&self) -> Container {
        let mut container = executor_container(self.request, &self.template, INIT);
        container.command = self.command(&[INIT]);
        self.restrict(&mut container, false);
        container
    }

    /// Our containers of resource templates run with least rights unless configured otherwise (C-BLD-13).
    fn restrict(&self, container: &mut Container, read_only_root: bool) {
        if self.kind == TemplateType::Resource && container.security_context.is_none() {
            container.security_context = Some(Box::new(security::container(read_only_root)));
        }
    }

    fn mains(&self) -> Result<Vec<Container>, Error> {
        let template = &self.template;
        let mut mains = if let Some(container) = &template.container {
            vec![(**container).clone()]
        } else if let Some(script) = &template.script {
            let mut container = script.container.clone();
            if !script.source.is_empty() {
                container.args.push("/argo/staging/script".to_owned());
            }
            vec![container]
        } else if let Some(set) = &template.container_set {
            set.containers
                .iter()
                .map(|member| with_mounts(&member.container, &set.volume_mounts))
                .collect()
        } else {
            let mut container = executor_container(self.request, &self.template, MAIN);
            if let Some(resource) = &template.resource {
                container.command = self.command(&["resource", &resource.action]);
            } else if let Some(data) = &template.data {
                let json = go_json::to_string(data).expect("wire types are always valid JSON");
                container.command = self.command(&["data", &json]);
            }
            self.restrict(&mut container, true);
            vec![container]
        };
        for container in &mut mains {
            if container.name.is_empty() || self.kind != TemplateType::ContainerSet {
                MAIN.clone_into(&mut container.name);
            }
            if let Some(defaults) = &self.request.config.main_container {
                *container = merged(defaults, container)?;
            }
        }
        Ok(mains)
    }

    /// The user's containers that want the mounts of the main container (C-DMN-06).
    pub fn mirroring(&self) -> impl Iterator<Item = &UserContainer> {
        self.template
            .sidecars
            .iter()
            .chain(&self.template.init_containers)
            .filter(|c| c.mirror_volume_mounts == Some(true))
    }

    /// A container of the pod by name.
    pub fn container_mut(&mut self, name: &str) -> Option<&mut Container> {
        self.pod.spec.containers.iter_mut().find(|c| c.name == name)
    }

    /// Our container beside the user's.
    pub fn aux_mut(&mut self) -> Option<&mut Container> {
        let name = if self.initless() { SUPERVISOR } else { WAIT };
        self.container_mut(name)
    }

    /// Our init container.
    pub fn init_mut(&mut self) -> Option<&mut Container> {
        if self.initless() {
            return None;
        }
        self.pod.spec.init_containers.iter_mut().find(|c| c.name == INIT)
    }
}

/// Whether a container is one of ours, which the emissary does not wrap.
pub(super) fn is_ours(name: &str) -> bool {
    name == WAIT || name == SUPERVISOR || name.starts_with(plugins::SIDECAR_PREFIX)
}

fn kind_of(template: &Template) -> Option<TemplateType> {
    Some(if template.container.is_some() {
        TemplateType::Container
    } else if template.container_set.is_some() {
        TemplateType::ContainerSet
    } else if template.script.is_some() {
        TemplateType::Script
    } else if template.resource.is_some() {
        TemplateType::Resource
    } else if template.data.is_some() {
        TemplateType::Data
    } else {
        return None;
    })
}

/// The flags with which all our programs log.
pub(super) fn log_flags(config: &Config) -> Vec<String> {
    [
        "--loglevel",
        &config.log_level,
        "--log-format",
        &config.log_format,
        "--gloglevel",
        &config.glog_level.to_string(),
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A container of ours, without a command (C-BLD-12).
pub(super) fn executor_container(request: &PodRequest<'_>, template: &Template, name: &str) -> Container {
    let config = request.config;
    let mut container = Container {
        name: name.to_owned(),
        image: config.executor_image.clone(),
        image_pull_policy: config.executor_image_pull_policy.clone(),
        env: environment::of_executor(request),
        ..Container::default()
    };
    if let Some(fragment) = &config.executor {
        if container.image_pull_policy.is_empty() {
            container
                .image_pull_policy
                .clone_from(&fragment.image_pull_policy);
        }
        container.args.clone_from(&fragment.args);
        container.resources = fragment.resources.clone();
        container.security_context.clone_from(&fragment.security_context);
    }
    if let Some(kube_config) = KubeConfig::of(request) {
        container
            .args
            .push(format!("--kubeconfig={}", kube_config.mount_path));
        container.volume_mounts.push(VolumeMount {
            name: kube_config.volume_name.to_owned(),
            mount_path: kube_config.mount_path.to_owned(),
            sub_path: kube_config.secret_key.to_owned(),
            read_only: true,
            ..VolumeMount::default()
        });
    }
    if scheduling::executor_account(request, template).is_some() {
        container.volume_mounts.push(volumes::executor_token_mount());
    }
    container
}

/// The configured kubeconfig of our containers (C-BLD-11).
pub(super) struct KubeConfig<'a> {
    pub secret_name: &'a str,
    pub secret_key: &'a str,
    pub volume_name: &'a str,
    pub mount_path: &'a str,
}

impl<'a> KubeConfig<'a> {
    pub fn of(request: &PodRequest<'a>) -> Option<Self> {
        let value = request.config.kube_config.as_ref()?;
        let text = |key: &str, default: &'a str| -> &'a str {
            value
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .unwrap_or(default)
        };
        Some(Self {
            secret_name: text("secretName", ""),
            secret_key: text("secretKey", ""),
            volume_name: text("volumeName", "kubeconfig"),
            mount_path: text("mountPath", "/kube/config"),
        })
    }
}

fn with_mounts(container: &Container, mounts: &[VolumeMount]) -> Container {
    let mut container = container.clone();
    container.volume_mounts.extend_from_slice(mounts);
    container
}

/// The configured defaults with the user's container over them.
fn merged(defaults: &Container, container: &Container) -> Result<Container, Error> {
    let json = |c: &Container| serde_json::to_value(c).expect("wire types are always valid JSON");
    let merged = strategic::merge(&json(defaults), &json(container), schema::container)
        .map_err(|error| Error::refused(error.to_string()))?;
    argosy_model::decode::lenient(merged).map_err(|error| Error::refused(error.to_string()))
}

/// What the executor is told: the template without its input parameters, safe from Kubernetes' expansion (C-BLD-16).
fn template_text(config: &Config, template: &Template) -> String {
    let mut told = template.clone();
    told.inputs.parameters.clear();
    plugins::add_timeouts(config, &mut told);
    go_json::to_string(&told).expect("wire types are always valid JSON")
}

/// The text for a container's environment that Kubernetes turns back into `text`: every dollar sign that it would read
/// as the begin of something is doubled.
pub(super) fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let run = rest.len() - rest.trim_start_matches('$').len();
        let doubled = run > 1 || rest[run..].starts_with('(');
        for _ in 0..run {
            result.push_str(if doubled { "$$" } else { "$" });
        }
        rest = &rest[run..];
    }
    result.push_str(rest);
    result
}
