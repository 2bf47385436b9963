//! Volumes that show the file system of an image.

use argosy_node::Options;
use argosy_node::images::{ImageConfig, ProvidedFile, ProvidedImage};
use expect_test::expect;
use serde_json::json;

use crate::fixture::{File, Fixture, check, docker_archive, host, layer, phase};

/// An image of two layers, and one that is provided.
async fn fixture(runtime: fn(&mut Options)) -> Fixture {
    let provided = ProvidedImage {
        reference: "test/provided".into(),
        files: vec![ProvidedFile {
            source: std::fs::canonicalize("/bin/busybox").unwrap(),
            target: "/deep/down/busybox".into(),
        }],
        config: ImageConfig::default(),
    };
    let f = Fixture::start(|options| {
        options.provided_images.push(provided);
        runtime(options);
    })
    .await;
    let lower = layer(&[
        File::Folder("data", 0o755),
        File::Text("data/old", "old", 0o644),
        File::Text("data/gone", "", 0o644),
    ]);
    let upper = layer(&[
        File::Folder("data", 0o755),
        File::Text("data/.wh.gone", "", 0o644),
        File::Text("data/new", "new\n", 0o640),
    ]);
    let path = f.dir.path().join("layers.tar");
    docker_archive(&path, &[lower, upper], json!({}), &["test/data:1"]);
    f.node.images().import(&path).unwrap();
    f
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_shows_an_image_to_all_containers_and_none_may_write() {
    for runtime in [(|_| {}) as fn(&mut Options), host] {
        let f = fixture(runtime).await;
        let script = "cd /mnt/all/data; ls; cat old new; (echo x > new) 2>/dev/null || echo read-only; \
            (mkdir /mnt/all/more) 2>/dev/null || echo read-only; cat /mnt/one/new; \
            /mnt/provided/deep/down/busybox echo runs; (echo > /mnt/provided/deep/down/busybox) 2>/dev/null || echo read-only";
        let mounts = json!([
            {"name": "image", "mountPath": "/mnt/all"}, {"name": "image", "mountPath": "/mnt/one", "subPath": "data"},
            {"name": "provided", "mountPath": "/mnt/provided"},
        ]);
        let spec = json!({
            "volumes": [
                {"name": "image", "image": {"reference": "test/data:1", "pullPolicy": "Never"}},
                {"name": "provided", "image": {"reference": "test/provided"}},
            ],
            "initContainers": [{"name": "first", "command": ["sh", "-c", "ls /mnt/all"], "volumeMounts": mounts}],
            "containers": [{"command": ["sh", "-c", script], "volumeMounts": mounts}],
        });
        let expected = expect![[r#"
            Succeeded
            first: Completed 0
              | data
            main: Completed 0
              | new
              | old
              | oldnew
              | read-only
              | read-only
              | new
              | runs
              | read-only
        "#]];
        check(&f, "image", spec, expected).await;
        f.node.shutdown().await;
        assert_eq!(f.leftovers(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_stays_as_long_as_the_pod_and_what_is_missing_is_told() {
    let f = fixture(|_| {}).await;
    let held = json!({
        "volumes": [{"name": "image", "image": {"reference": "test/data:1"}}],
        "containers": [{"command": ["sleep", "1000"]}],
    });
    f.create("held", held).await;
    f.wait("held", |pod| phase(pod) == "Running").await;
    let refused = f.node.images().remove("test/data:1").unwrap_err();
    assert!(refused.to_string().contains("in use by a container"), "{refused}");
    f.pods().delete("held", &Default::default()).await.unwrap();

    let no_part = json!({
        "volumes": [{"name": "image", "image": {"reference": "test/data:1"}}],
        "containers": [{"command": ["ls"], "volumeMounts": [{"name": "image", "mountPath": "/x", "subPath": "data/none"}]}],
    });
    f.create("no-part", no_part).await;
    let story = f.story(&f.ended("no-part").await).await;
    assert!(
        story.contains(r#"subPath \"data/none\": Read-only file system"#),
        "{story}"
    );

    let no_image = json!({
        "volumes": [{"name": "image", "image": {"reference": "test/none", "pullPolicy": "Never"}}],
        "containers": [{"command": ["ls"]}],
    });
    f.create("no-image", no_image).await;
    let told = |pod: &k8s_openapi::api::core::v1::Pod| {
        let statuses = pod
            .status
            .iter()
            .flat_map(|s| s.container_statuses.iter().flatten());
        let mut waiting = statuses.filter_map(|s| s.state.as_ref()?.waiting.as_ref()?.message.clone());
        waiting.next_back()
    };
    let pod = f.wait("no-image", |pod| told(pod).is_some()).await;
    let told = told(&pod).unwrap();
    assert!(
        told.contains("\"image\" : Container image \"test/none\" is not present with pull policy of Never"),
        "{told}"
    );
    f.node.shutdown().await;
}
