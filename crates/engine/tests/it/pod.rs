//! What the recorded `pods.json` does not show: look-ups, deadlines, dollars, and our differences from the peer.

use std::collections::BTreeMap;

use argosy_engine::config::ImageConfig;
use argosy_engine::pod::{Built, Error, PodRequest, build};
use argosy_engine::{Config, Substitution};
use argosy_model::{ArtifactLocation, ArtifactRepository, Template, Workflow, decode, yaml};
use jiff::{SignedDuration, Timestamp};

struct Case {
    config: Config,
    workflow: Workflow,
    template: Template,
    images: BTreeMap<String, Result<ImageConfig, String>>,
    token_secrets: BTreeMap<String, String>,
    failed_hosts: Vec<String>,
    deadline: Option<SignedDuration>,
    repository: Option<ArtifactRepository>,
}

fn read<T: argosy_model::Field>(text: &str) -> T {
    decode::lenient(yaml::value(text).expect("YAML")).expect("the object is well formed")
}

fn case(template: &str) -> Case {
    Case {
        config: Config::default(),
        workflow: read("{metadata: {name: w, namespace: ns, uid: u1}, spec: {}}"),
        template: read(template),
        images: BTreeMap::new(),
        token_secrets: BTreeMap::new(),
        failed_hosts: Vec::new(),
        deadline: None,
        repository: None,
    }
}

impl Case {
    fn build(&self) -> Result<Built, Error> {
        let now = Timestamp::UNIX_EPOCH;
        build(&PodRequest {
            config: &self.config,
            workflow: &self.workflow,
            spec: &self.workflow.spec,
            template: &self.template,
            boundary: None,
            node_name: "w",
            node_id: "w",
            pod_name: "w",
            on_exit: false,
            include_script_output: false,
            now,
            started_at: Some(now),
            workflow_deadline: self.deadline.map(|left| now + left),
            retry_deadline: None,
            repository: self.repository.as_ref(),
            images: &self.images,
            token_secrets: &self.token_secrets,
            claims: &[],
            failed_hosts: &self.failed_hosts,
            trace: None,
            substitute: Substitution::NONE,
        })
    }

    fn variable(&self, name: &str) -> String {
        let built = self.build().expect("the pod can be built");
        let init = &built.pod.spec.init_containers[0];
        init.env
            .iter()
            .find(|v| v.name == name)
            .expect("the variable is there")
            .value
            .clone()
    }
}

const PLAIN: &str = "{name: t, container: {image: i, command: [c]}}";

#[test]
fn what_is_not_known_is_asked_for() {
    let mut asks = case("{name: t, container: {image: i}, executor: {serviceAccountName: sa}}");
    assert_eq!(
        asks.build().err(),
        Some(Error::TokenSecretUnknown {
            service_account: "sa".to_owned()
        })
    );
    asks.token_secrets.insert("sa".to_owned(), "secret".to_owned());
    assert_eq!(
        asks.build().err(),
        Some(Error::ImageUnknown {
            image: "i".to_owned()
        })
    );
    asks.images.insert("i".to_owned(), Err("no such host".to_owned()));
    let Some(Error::Refused(text)) = asks.build().err() else {
        panic!("refused")
    };
    assert!(
        text.starts_with("failed to look-up entrypoint/cmd for image \"i\", you must either"),
        "{text}"
    );
    assert!(text.ends_with(": no such host"), "{text}");
    asks.images.insert(
        "i".to_owned(),
        Ok(ImageConfig {
            entrypoint: vec!["e".to_owned()],
            cmd: vec!["a".to_owned()],
        }),
    );
    let main = asks.build().expect("all is known").pod.spec.containers[1].clone();
    assert_eq!(main.command.last().map(String::as_str), Some("e"));
    assert_eq!(main.args, ["a"]);
}

#[test]
fn x_aplg_04_the_time_for_connecting_to_a_plugin_is_passed_on() {
    let mut case = case(
        "
name: t
container: {image: i, command: [c]}
inputs: {artifacts: [{name: own, path: /a, plugin: {name: p, key: k, connectionTimeoutSeconds: 3}}]}
outputs: {artifacts: [{name: o, path: /o, plugin: {name: p, key: k}}]}
",
    );
    let driver = serde_json::json!({"name": "p", "image": "i:1", "connectionTimeoutSeconds": 7});
    case.config.artifact_drivers = vec![driver];
    let entry = ImageConfig {
        entrypoint: vec!["e".to_owned()],
        cmd: Vec::new(),
    };
    case.images.insert("i:1".to_owned(), Ok(entry));
    let told = case.variable("ARGO_TEMPLATE");
    let place = |secs: u8| format!("{{\"name\":\"p\",\"connectionTimeoutSeconds\":{secs},\"key\":\"k\"}}");
    assert!(told.contains(&place(3)) && told.contains(&place(7)), "{told}");
}

#[test]
fn dollars_reach_the_executor_as_written() {
    let sent = |args: &str| {
        case(&format!(
            "{{name: t, container: {{image: i, command: ['{args}']}}}}"
        ))
        .variable("ARGO_TEMPLATE")
    };
    assert!(
        sent("$HOME costs 5$").contains("$HOME costs 5$"),
        "lone dollars mean nothing to Kubernetes"
    );
    assert!(sent("a$$b").contains("a$$$$b"));
    assert!(sent("$(ARGO_POD_NAME)").contains("$$(ARGO_POD_NAME)"));
    assert!(sent("$$$(X)").contains("$$$$$$(X)"));
}

#[test]
fn the_nearest_deadline_wins_and_none_left_means_no_pod() {
    let mut limited = case("{name: t, activeDeadlineSeconds: 30, container: {image: i, command: [c]}}");
    let deadline = |case: &Case| case.build().map(|built| built.pod.spec.active_deadline_seconds);
    assert_eq!(deadline(&limited), Ok(Some(30)));
    limited.deadline = Some(SignedDuration::from_secs(10));
    assert_eq!(deadline(&limited), Ok(Some(10)));
    assert_eq!(limited.variable("ARGO_DEADLINE"), "1970-01-01T00:00:10Z");
    limited.deadline = Some(SignedDuration::ZERO);
    assert_eq!(deadline(&limited), Err(Error::NoTimeLeft));
    let short = case("{name: t, timeout: 1s, container: {image: i, command: [c]}}");
    assert_eq!(
        deadline(&short),
        Err(Error::Refused("w exceeded its deadline".to_owned()))
    );
}

#[test]
fn arguments_of_every_container_can_be_moved_out() {
    let big = "x".repeat(140_000);
    let moved = case(&format!(
        "{{name: t, container: {{image: i, command: [c], args: [{big}]}}, sidecars: [{{name: s, image: i, command: [c], args: [{big}]}}]}}"
    ));
    let built = moved.build().expect("the pod can be built");
    let keys: Vec<&String> = built.config_maps[0].data.keys().collect();
    assert_eq!(
        keys,
        [
            "ARGO_CONTAINER_ARGS_FILE",
            "ARGO_CONTAINER_ARGS_FILE_s",
            "ARGO_TEMPLATE"
        ]
    );
    assert!(built.pod.spec.containers.iter().all(|c| c.args.is_empty()));
}

#[test]
fn a_container_with_our_image_keeps_its_own_tmp() {
    let image = Config::default().executor_image;
    let built = case(&format!(
        "{{name: t, container: {{image: '{image}', command: [c]}}}}"
    ))
    .build();
    let main = &built.expect("the pod can be built").pod.spec.containers[1];
    assert!(main.volume_mounts.iter().all(|m| m.mount_path != "/tmp"));
}

#[test]
fn failed_hosts_join_the_affinity_that_is_there() {
    let mut retried = case(
        "
name: t
container: {image: i, command: [c]}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
      - matchExpressions: [{key: kubernetes.io/hostname, operator: NotIn, values: [a]}]
",
    );
    retried.failed_hosts = vec!["a".to_owned(), "b".to_owned()];
    let affinity = retried
        .build()
        .expect("the pod can be built")
        .pod
        .spec
        .affinity
        .expect("an affinity");
    let required = affinity
        .node_affinity
        .and_then(|n| n.required_during_scheduling_ignored_during_execution);
    assert_eq!(
        required.expect("required terms").node_selector_terms[0].match_expressions[0].values,
        ["a", "b"]
    );
}

#[test]
fn without_init_containers_an_artifact_above_a_volume_is_refused() {
    let mut refused = case(
        "
name: t
volumes: [{name: v, emptyDir: {}}]
container: {image: i, command: [c], volumeMounts: [{name: v, mountPath: /data/v}]}
inputs: {artifacts: [{name: a, path: /data, raw: {data: d}}]}
",
    );
    assert!(refused.build().is_ok());
    refused.config.initless_pod = true;
    let Some(Error::Refused(text)) = refused.build().err() else {
        panic!("refused")
    };
    assert!(
        text.starts_with(
            "input artifact \"a\" path \"/data\" is an ancestor of volume mount \"v\" (/data/v);"
        ),
        "{text}"
    );
}

#[test]
fn the_same_node_gets_the_same_trace() {
    let trace = || case(PLAIN).variable("TRACEPARENT");
    assert_eq!(trace(), trace());
    assert_eq!(trace().len(), "00-".len() + 32 + 1 + 16 + "-01".len());
}

/// The eight rows of the precedence: what the repository, the workflow and the template say, and whether logs are kept.
#[test]
fn x_log_01_c_arc_30_who_decides_on_logs() {
    let (yes, no) = (Some(true), Some(false));
    for (repository, workflow, template, kept) in [
        (yes, None, None, true),
        (yes, no, no, true),
        (no, yes, None, true),
        (None, yes, yes, true),
        (no, None, yes, true),
        (None, no, yes, true),
        (no, yes, no, false),
        (None, None, None, false),
        (no, no, None, false),
    ] {
        let what = format!("{repository:?} {workflow:?} {template:?}");
        let mut case = case(PLAIN);
        let mut place = read::<ArtifactRepository>("{s3: {endpoint: e, bucket: b, keyFormat: k}}");
        place.archive_logs = repository;
        case.repository = Some(place);
        case.workflow.spec.archive_logs = workflow;
        if template.is_some() {
            let location = ArtifactLocation {
                archive_logs: template,
                ..ArtifactLocation::default()
            };
            case.template.archive_location = Some(Box::new(location));
        }
        let sent: serde_json::Value = serde_json::from_str(&case.variable("ARGO_TEMPLATE")).expect("JSON");
        let sent = &sent["archiveLocation"];
        assert_eq!(sent["archiveLogs"].as_bool().unwrap_or(false), kept, "{what}");
        assert_eq!(
            sent["s3"].is_object(),
            kept,
            "the executor must know the place: {what}"
        );
    }
}

#[test]
fn x_log_01a_a_place_of_its_own_speaks_for_itself() {
    let mut case = case(
        "{name: t, container: {image: i, command: [c]}, archiveLocation: {s3: {endpoint: e, bucket: b, key: k}}}",
    );
    case.workflow.spec.archive_logs = Some(true);
    let sent: serde_json::Value = serde_json::from_str(&case.variable("ARGO_TEMPLATE")).expect("JSON");
    assert!(sent["archiveLocation"]["archiveLogs"].is_null(), "{sent}");
}

#[test]
fn c_rsc_02_the_workflow_owns_what_a_resource_template_makes() {
    let manifest = |template: &str| {
        let built = case(template).build()?;
        let init = &built.pod.spec.init_containers[0];
        let sent = init
            .env
            .iter()
            .find(|v| v.name == "ARGO_TEMPLATE")
            .expect("it is there");
        let sent: serde_json::Value = serde_json::from_str(&sent.value).expect("JSON");
        Ok(yaml::value(sent["resource"]["manifest"].as_str().expect("text")).expect("YAML"))
    };
    let resource = |owned: bool, manifest: &str| {
        format!(
            "{{name: t, resource: {{action: create, setOwnerReference: {owned}, manifest: '{manifest}'}}}}"
        )
    };
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: m}}";
    let plain: Result<_, Error> = manifest(&resource(false, map));
    assert!(plain.expect("built")["metadata"]["ownerReferences"].is_null());
    let owner = |uid: &str| {
        serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "w", "uid": uid,
            "controller": true, "blockOwnerDeletion": true,
        })
    };
    let owned = manifest(&resource(true, map)).expect("built");
    assert_eq!(
        owned["metadata"]["ownerReferences"],
        serde_json::json!([owner("u1")])
    );
    let other = "{kind: ConfigMap, metadata: {ownerReferences: [{name: other}]}}";
    let owned = manifest(&resource(true, other)).expect("built");
    assert_eq!(owned["metadata"]["ownerReferences"][1], owner("u1"));
    for (wrong, words) in [
        ("[1]", "must be one object"),
        ("{metadata: {ownerReferences: 1}}", "must be a list"),
    ] {
        let error = manifest(&resource(true, wrong)).expect_err(wrong);
        assert!(error.to_string().contains(words), "{error}");
    }
}
