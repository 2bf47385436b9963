//! The server as kube's client sees it, in process and over TLS.
//!
//! Deliberately absent: the words of single errors (see `exchanges`).

use std::sync::Arc;
use std::time::Duration;

use argosy_apiserver::{
    ApiServer, ContainerRef, ExecOptions, ExecStreams, Kubelet, KubeletError, LogOptions, LogStream, Options,
    definition,
};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{
    Api, AttachParams, DeleteParams, DynamicObject, GroupVersionKind, ListParams, LogParams, Patch,
    PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::discovery::ApiResource;
use kube::runtime::{WatchStreamExt, reflector, watcher};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::common::TestApi;

const BOUND: Duration = Duration::from_secs(20);
const TOKEN: &str = "owner-token";

fn options() -> Options {
    Options {
        definitions: vec![definition("example.com", "v1", "widgets", "Widget", true)],
        admin_token: Some(TOKEN.into()),
        ..Options::default()
    }
}

fn in_process() -> (Arc<ApiServer>, kube::Client) {
    let server = ApiServer::new(options()).expect("the server starts");
    let client = kube::Client::new(server.service(), "default");
    (server, client)
}

async fn over_tls(server: &Arc<ApiServer>, token: Option<String>) -> kube::Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("the listener has an address");
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
    let uri = format!("https://{address}").parse().expect("a URL");
    let mut config = kube::Config::new(uri);
    config.root_cert = Some(pem_certificates(server.ca_pem()));
    config.auth_info.token = token.map(|token| token.into());
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    kube::Client::try_from(config).expect("a client")
}

fn pem_certificates(pem: &str) -> Vec<Vec<u8>> {
    use base64::Engine;
    let text: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    vec![
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .expect("PEM is base64"),
    ]
}

async fn works(client: kube::Client) {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let map: ConfigMap =
        serde_json::from_value(json!({"metadata": {"generateName": "m-"}, "data": {"a": "1"}})).unwrap();
    let made = maps.create(&PostParams::default(), &map).await.unwrap();
    let name = made.metadata.name.clone().unwrap();
    assert!(name.starts_with("m-") && name.len() == 7, "{name}");
    let patch = json!({"data": {"b": "2", "a": null}});
    let patched = maps
        .patch(&name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    assert_eq!(
        patched.data.unwrap().into_iter().collect::<Vec<_>>(),
        [("b".to_owned(), "2".to_owned())]
    );
    let stale = maps
        .replace(&name, &PostParams::default(), &made)
        .await
        .unwrap_err();
    assert!(matches!(stale, kube::Error::Api(status) if status.code == 409));
    let list = maps.list(&ListParams::default()).await.unwrap();
    assert!(
        list.items
            .iter()
            .any(|map| map.metadata.name.as_ref() == Some(&name))
    );
    let from = list.metadata.resource_version.unwrap();
    let named = maps.get_metadata(&name).await.unwrap();
    assert_eq!(named.metadata.name, Some(name.clone()));
    let all = maps.list_metadata(&ListParams::default()).await.unwrap();
    assert!(all.items.iter().any(|map| map.metadata == named.metadata));
    maps.delete(&name, &DeleteParams::default()).await.unwrap();
    let events = maps.watch(&WatchParams::default(), &from).await.unwrap();
    let mut events = std::pin::pin!(events);
    let event = timeout(BOUND, events.try_next()).await.unwrap().unwrap().unwrap();
    assert!(matches!(event, WatchEvent::Deleted(map) if map.metadata.name == Some(name)));
}

#[tokio::test]
async fn typed_calls() {
    works(TestApi::empty().await.client()).await;
}

#[tokio::test]
async fn typed_calls_over_tls() {
    let (server, _) = in_process();
    works(over_tls(&server, Some(TOKEN.into())).await).await;
    let stranger = over_tls(&server, None).await;
    let refused = Api::<Pod>::default_namespaced(stranger)
        .list(&ListParams::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 401));
}

#[tokio::test]
async fn a_service_accounts_token_names_its_user() {
    let api = TestApi::empty().await;
    let token = token_of_default(&api).await;
    assert_eq!(
        name_behind(&api, token).await,
        "system:serviceaccount:default:default"
    );
}

#[tokio::test]
async fn a_token_secret_is_filled_for_its_account() {
    let api = TestApi::empty().await;
    let secrets: Api<Secret> = Api::default_namespaced(api.client());
    let secret = serde_json::from_value(serde_json::json!({
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "t", "annotations": {"kubernetes.io/service-account.name": "default"}},
    }));
    let made = secrets
        .create(&PostParams::default(), &secret.unwrap())
        .await
        .unwrap();
    // A controller of a real server fills it.
    let name = made.metadata.name.unwrap();
    let filled = async {
        loop {
            let data = secrets.get(&name).await.unwrap().data.unwrap_or_default();
            if data.contains_key("token") {
                return data;
            }
        }
    };
    let data = timeout(BOUND, filled).await.expect("the secret is filled");
    if let TestApi::Ours(server) = &api {
        assert_eq!(data["ca.crt"].0, server.ca_pem().as_bytes());
    }
    assert_eq!(data["namespace"].0, b"default");
    let token = String::from_utf8(data["token"].0.clone()).unwrap();
    assert_eq!(
        name_behind(&api, token).await,
        "system:serviceaccount:default:default"
    );
}

/// A token of the account that each namespace has.
async fn token_of_default(api: &TestApi) -> String {
    let accounts: Api<ServiceAccount> = Api::default_namespaced(api.client());
    let request = accounts
        .create_token_request("default", &PostParams::default(), &Default::default())
        .await
        .unwrap();
    request.status.unwrap().token
}

/// A client of one who shows a token.
async fn bearer(api: &TestApi, token: String) -> kube::Client {
    match api {
        TestApi::Ours(server) => over_tls(server, Some(token)).await,
        TestApi::Real(real) => real.bearer(token),
    }
}

/// Who the server takes the bearer of a token for.
async fn name_behind(api: &TestApi, token: String) -> String {
    let review: Api<SelfSubjectReview> = Api::all(bearer(api, token).await);
    let answer = review
        .create(&PostParams::default(), &Default::default())
        .await
        .unwrap();
    answer.status.unwrap().user_info.unwrap().username.unwrap()
}

#[tokio::test]
async fn a_reflector_follows_custom_objects() {
    let client = TestApi::empty().await.client();
    let widget = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::default_namespaced_with(client, &widget);
    let writer = reflector::store::Writer::new(widget.clone());
    let store = writer.as_reader();
    let follow = watcher(widgets.clone(), watcher::Config::default())
        .default_backoff()
        .reflect(writer);
    let follow = tokio::spawn(follow.applied_objects().for_each(|_| async {}));
    for number in 0..100 {
        let object = DynamicObject::new(&format!("w{number}"), &widget).data(json!({"spec": {"n": number}}));
        widgets.create(&PostParams::default(), &object).await.unwrap();
    }
    timeout(BOUND, async {
        while store.state().len() < 100 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the reflector sees all objects");
    follow.abort();
}

#[tokio::test]
async fn a_pod_has_its_account() {
    let client = TestApi::empty().await.client();
    let pods: Api<Pod> = Api::default_namespaced(client);
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}});
    let pod = pods
        .create(&PostParams::default(), &serde_json::from_value(pod).unwrap())
        .await
        .unwrap();
    let spec = pod.spec.unwrap();
    assert_eq!(spec.node_name, None);
    assert_eq!(spec.service_account_name.as_deref(), Some("default"));
    let mount = &spec.containers[0].volume_mounts.as_ref().unwrap()[0];
    assert_eq!(mount.mount_path, "/var/run/secrets/kubernetes.io/serviceaccount");
    assert_eq!(spec.volumes.unwrap()[0].name, mount.name);
    assert_eq!(pod.status.unwrap().phase.as_deref(), Some("Pending"));
}

/// Echoes: the log says what was asked, a command sends its input back in capitals.
struct Echo;

impl Kubelet for Echo {
    fn logs(
        &self,
        container: ContainerRef,
        options: LogOptions,
    ) -> BoxFuture<'static, Result<LogStream, KubeletError>> {
        let lines = [
            format!("{}/{}\n", container.pod, container.container),
            format!("{:?}\n", options.tail_lines),
        ];
        Box::pin(async move { Ok(futures::stream::iter(lines.map(|line| Ok(line.into()))).boxed()) })
    }

    fn exec(
        &self,
        _container: ContainerRef,
        options: ExecOptions,
        mut streams: ExecStreams,
    ) -> BoxFuture<'static, Result<i32, KubeletError>> {
        Box::pin(async move {
            let mut text = String::new();
            if let Some(stdin) = &mut streams.stdin {
                stdin
                    .read_to_string(&mut text)
                    .await
                    .map_err(KubeletError::Failed)?;
            }
            let stdout = streams.stdout.as_mut().expect("the test asks for stdout");
            stdout
                .write_all(text.to_uppercase().as_bytes())
                .await
                .map_err(KubeletError::Failed)?;
            Ok(options.command[1].parse().unwrap_or(-1))
        })
    }
}

async fn commands_run(client: kube::Client) {
    let pods: Api<Pod> = Api::default_namespaced(client);
    let pod = json!({"metadata": {"generateName": "p-"}, "spec": {"containers": [{"name": "main", "image": "x:1"}]}});
    let pod = pods
        .create(&PostParams::default(), &serde_json::from_value(pod).unwrap())
        .await
        .unwrap();
    let name = pod.metadata.name.unwrap();
    let log = pods
        .logs(
            &name,
            &LogParams {
                tail_lines: Some(3),
                ..LogParams::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(log, format!("{name}/main\nSome(3)\n"));
    for code in ["0", "3"] {
        let params = AttachParams::default().stdin(true).stdout(true).stderr(false);
        let mut run = pods.exec(&name, vec!["exit", code], &params).await.unwrap();
        let mut stdin = run.stdin().unwrap();
        let mut stdout = run.stdout().unwrap();
        let status = run.take_status().unwrap();
        stdin.write_all(b"hello").await.unwrap();
        stdin.shutdown().await.unwrap();
        drop(stdin);
        let mut text = String::new();
        timeout(BOUND, stdout.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(text, "HELLO");
        let status = timeout(BOUND, status).await.unwrap().unwrap();
        let expected = if code == "0" { "Success" } else { "Failure" };
        assert_eq!(status.status.as_deref(), Some(expected));
        let causes = status
            .details
            .and_then(|details| details.causes)
            .unwrap_or_default();
        assert_eq!(
            causes.first().and_then(|cause| cause.message.as_deref()),
            (code != "0").then_some(code)
        );
    }
}

#[tokio::test]
async fn commands_run_in_containers() {
    let (server, client) = in_process();
    server.set_kubelet(Arc::new(Echo));
    commands_run(client).await;
    commands_run(over_tls(&server, Some(TOKEN.into())).await).await;
}

#[tokio::test]
async fn roles_decide_when_they_are_asked() {
    let api = TestApi::empty().await;
    let owner = api.client();
    let token = token_of_default(&api).await;
    let pods: Api<Pod> = Api::default_namespaced(bearer(&api, token).await);
    let refused = pods.list(&ListParams::default()).await.unwrap_err();
    let expected = "pods is forbidden: User \"system:serviceaccount:default:default\" cannot list resource \"pods\" in \
        API group \"\" in the namespace \"default\"";
    assert!(
        matches!(&refused, kube::Error::Api(s) if s.code == 403 && s.message == expected),
        "{refused}"
    );
    let roles: Api<Role> = Api::default_namespaced(owner.clone());
    let role = json!({"metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]});
    roles
        .create(&PostParams::default(), &serde_json::from_value(role).unwrap())
        .await
        .unwrap();
    let bindings: Api<RoleBinding> = Api::default_namespaced(owner);
    let binding = json!({
        "metadata": {"name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
    });
    bindings
        .create(&PostParams::default(), &serde_json::from_value(binding).unwrap())
        .await
        .unwrap();
    // A real server learns of roles by a watch.
    let listed = async { while pods.list(&ListParams::default()).await.is_err() {} };
    timeout(BOUND, listed).await.expect("the role counts");
    assert!(matches!(pods.get("x").await.unwrap_err(), kube::Error::Api(status) if status.code == 403));
}
