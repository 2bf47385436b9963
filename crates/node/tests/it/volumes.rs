//! What containers find: volumes, environment, user.

use expect_test::expect;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::fixture::{Fixture, check, one};

#[tokio::test(flavor = "multi_thread")]
async fn volumes_show_their_content() {
    let f = Fixture::start(|o| o.ca_pem = Some("CA".into())).await;
    objects(&f).await;
    let spec = json!({
        "volumes": [
            {"name": "map", "configMap": {"name": "settings"}},
            {"name": "key", "configMap": {"name": "settings", "items": [{"key": "a", "path": "deep/x", "mode": 256}]}},
            {"name": "secret", "secret": {"secretName": "login", "defaultMode": 256}},
            {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "claim", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "self", "downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            {"name": "optional", "configMap": {"name": "not-there", "optional": true}},
        ],
        "containers": [{
            "command": ["sh", "-c", "cat /map/a /map/b /key/deep/x /secret/word; echo; stat -c %a /key/deep/..data 2>/dev/null; \
                stat -L -c %a /secret/word /key/deep/x; cat /self/name; echo; (echo x > /map/a) 2>/dev/null || echo read-only; \
                grep -c ' /memory tmpfs' /proc/mounts; echo kept > /claim/file; ls /optional | wc -l; cat /only-a; echo; ls -d /claim/new/folder; stat -c %a /memory-part"],
            "volumeMounts": [
                {"name": "map", "mountPath": "/map"}, {"name": "key", "mountPath": "/key"},
                {"name": "secret", "mountPath": "/secret"}, {"name": "memory", "mountPath": "/memory"},
                {"name": "claim", "mountPath": "/claim"}, {"name": "self", "mountPath": "/self"},
                {"name": "optional", "mountPath": "/optional"},
                {"name": "map", "mountPath": "/only-a", "subPath": "a"},
                {"name": "claim", "mountPath": "/sub", "subPath": "new/folder"},
                {"name": "memory", "mountPath": "/memory-part", "subPath": "part"},
            ],
        }],
    });
    check(
        &f,
        "volumes",
        spec,
        expect![[r#"
            Succeeded
            main: Completed 0
              | 121open sesame
              | 400
              | 400
              | volumes
              | read-only
              | 1
              | 0
              | 1
              | /claim/new/folder
              | 777
        "#]],
    )
    .await;
    let again = json!({
        "volumes": [{"name": "claim", "persistentVolumeClaim": {"claimName": "data"}}],
        "containers": [{"command": ["cat", "/claim/file"], "volumeMounts": [{"name": "claim", "mountPath": "/claim"}]}],
    });
    check(
        &f,
        "claim-again",
        again,
        expect![[r#"
        Succeeded
        main: Completed 0
          | kept
    "#]],
    )
    .await;
    let escape = json!({
        "volumes": [{"name": "v", "emptyDir": {}}],
        "initContainers": [{"name": "link", "command": ["sh", "-c", "busybox ln -s / /v/out"],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        "containers": [{"command": ["ls"], "volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "out/etc"}]}],
    });
    check(&f, "escape", escape, expect![[r#"
        Failed
        link: Completed 0
        main: StartError 128 "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: subPath \"out/etc\": leads out of the volume"
    "#]]).await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_account_is_mounted() {
    let f = Fixture::start(|o| o.ca_pem = Some("CA".into())).await;
    let script = "cd /var/run/secrets/kubernetes.io/serviceaccount; ls; cat namespace; echo; \
        test $(cat token | wc -c) -gt 20 && echo token; env | grep KUBERNETES_ | sort";
    let spec =
        json!({"automountServiceAccountToken": true, "containers": [{"command": ["sh", "-c", script]}]});
    check(
        &f,
        "account",
        spec,
        expect![[r#"
        Succeeded
        main: Completed 0
          | ca.crt
          | namespace
          | token
          | default
          | token
          | KUBERNETES_PORT=tcp://127.0.0.1:6443
          | KUBERNETES_SERVICE_HOST=127.0.0.1
          | KUBERNETES_SERVICE_PORT=6443
          | KUBERNETES_SERVICE_PORT_HTTPS=6443
    "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_comes_from_all_sources() {
    let f = Fixture::start(|o| o.api_address = None).await;
    objects(&f).await;
    let spec = json!({"containers": [{
        "command": ["sh", "-c", "env | grep -v -e PATH -e HOME -e PWD -e SHLVL | sort; echo $0 $1"],
        "args": ["$(PLAIN)", "$$(PLAIN) $(UNKNOWN)"],
        "envFrom": [{"configMapRef": {"name": "settings"}, "prefix": "MAP_"}, {"secretRef": {"name": "login"}}],
        "resources": {"limits": {"memory": "64Mi", "cpu": "500m"}},
        "env": [
            {"name": "PLAIN", "value": "p"},
            {"name": "COMPOSED", "value": "<$(PLAIN)$(MAP_a)>"},
            {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "b"}}},
            {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "z", "optional": true}}},
            {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "login", "key": "word"}}},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
    }]});
    check(
        &f,
        "environment",
        spec,
        expect![[r#"
        Succeeded
        main: Completed 0
          | COMPOSED=<p1>
          | CPU=1
          | FROM_IMAGE=yes
          | FROM_MAP=2
          | FROM_SECRET=open sesame
          | HOSTNAME=environment
          | MAP_a=1
          | MAP_b=2
          | MEMORY=64
          | NODE=test-node
          | PLAIN=p
          | POD=environment
          | word=open sesame
          | p $(PLAIN) $(UNKNOWN)
    "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn security_contexts_are_obeyed() {
    let f = Fixture::start(|_| {}).await;
    if !rustix::process::geteuid().is_root() {
        let spec = json!({"containers": [{"command": ["id"], "securityContext": {"runAsUser": 5}}]});
        f.create("other-user", spec).await;
        let story = f.story(&f.ended("other-user").await).await;
        assert!(
            story.contains("only user 0 exists for a node that does not run as root"),
            "{story}"
        );
        return f.node.shutdown().await;
    }
    let spec = json!({
        "securityContext": {"runAsUser": 1001, "supplementalGroups": [7], "fsGroup": 9},
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [
            {"name": "alice", "command": ["sh", "-c", "id; echo $HOME; touch /v/x && stat -c %g /v/x; grep CapEff /proc/self/status"],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
            {"name": "root", "securityContext": {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}, "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true},
                "command": ["sh", "-c", "grep -e CapEff -e NoNewPrivs /proc/self/status; touch /x 2>/dev/null || echo read-only"]},
        ],
    });
    check(
        &f,
        "users",
        spec,
        expect![[r#"
            Succeeded
            alice: Completed 0
              | uid=1001(alice) gid=1002(alice) groups=7,9,50(staff),1002(alice)
              | /srv/alice
              | 9
              | CapEff:	0000000000000000
            root: Completed 0
              | CapEff:	0000000000000001
              | NoNewPrivs:	1
              | read-only
        "#]],
    )
    .await;
    let spec = json!({"containers": [{"command": ["id"], "securityContext": {"runAsNonRoot": true}}]});
    check(&f, "not-root", spec, expect![[r#"
        Failed
        main: StartError 128 "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container has runAsNonRoot and image will run as root: uid 0"
    "#]]).await;
    f.node.shutdown().await;
}

async fn objects(f: &Fixture) {
    let map = json!({"metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}});
    let secret = json!({"metadata": {"name": "login"}, "stringData": {"word": "open sesame"}});
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let params = PostParams::default();
    let maps: Api<ConfigMap> = Api::default_namespaced(f.client.clone());
    maps.create(&params, &serde_json::from_value(map).unwrap())
        .await
        .unwrap();
    let secrets: Api<Secret> = Api::default_namespaced(f.client.clone());
    secrets
        .create(&params, &serde_json::from_value(secret).unwrap())
        .await
        .unwrap();
    let claims: Api<PersistentVolumeClaim> = Api::default_namespaced(f.client.clone());
    claims
        .create(&params, &serde_json::from_value(claim).unwrap())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_running_pods_follow_their_objects() {
    let f = Fixture::start(|options| options.volume_refresh = std::time::Duration::from_millis(50)).await;
    let maps: Api<ConfigMap> = Api::default_namespaced(f.client.clone());
    let map = |data: serde_json::Value| {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map"}, "data": data});
        serde_json::from_value::<ConfigMap>(map).unwrap()
    };
    let first = map(json!({"a": "one", "b": "stays"}));
    maps.create(&PostParams::default(), &first).await.unwrap();
    let mut spec = one(
        "until grep -q two /v/a && ! test -L /v/b; do sleep 0.01; done; ls /v; until grep -q new /p/l; do sleep 0.01; done",
    );
    spec["volumes"] = json!([
        {"name": "v", "configMap": {"name": "map"}},
        {"name": "p", "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "v", "mountPath": "/v"}, {"name": "p", "mountPath": "/p"}]);
    f.create("pod", spec).await;
    f.wait("pod", |pod| crate::fixture::phase(pod) == "Running").await;
    let merge = kube::api::Patch::Merge(json!({"data": {"a": "two", "b": null, "c": "new"}}));
    maps.patch("map", &Default::default(), &merge).await.unwrap();
    let label = kube::api::Patch::Merge(json!({"metadata": {"labels": {"is": "new"}}}));
    f.pods().patch("pod", &Default::default(), &label).await.unwrap();
    let pod = f.ended("pod").await;
    assert_eq!(
        f.story(&pod).await,
        "Succeeded\nmain: Completed 0\n  | a\n  | c\n"
    );
    f.node.shutdown().await;
}
