//! Archives, layers and provided images.

use argosy_node::images::{ImageConfig, ProvidedFile, ProvidedImage};
use expect_test::expect;
use serde_json::json;

use crate::fixture::{File, Fixture, check, docker_archive, host, layer};

#[tokio::test(flavor = "multi_thread")]
async fn upper_layers_change_lower_ones() {
    let f = Fixture::start(|_| {}).await;
    let busybox = std::path::PathBuf::from(if std::path::Path::new("/bin/busybox").exists() {
        "/bin/busybox"
    } else {
        "/usr/bin/busybox"
    });
    let lower = layer(&[
        File::Folder("usr", 0o755),
        File::Folder("usr/bin", 0o700),
        File::Link("bin", "usr/bin"),
        File::Copy("usr/bin/busybox", busybox),
        File::Link("usr/bin/sh", "busybox"),
        File::Folder("dir", 0o755),
        File::Text("dir/old", "old", 0o644),
        File::Text("gone", "gone", 0o644),
        File::Text("kept", "kept", 0o600),
    ]);
    let upper = layer(&[
        File::Text(".wh.gone", "", 0o644),
        File::Folder("dir", 0o755),
        File::Text("dir/.wh..wh..opq", "", 0o644),
        File::Text("dir/new", "new", 0o644),
        File::Link("bin/ls", "busybox"),
        File::HardLink("linked", "kept"),
    ]);
    let path = f.dir.path().join("layers.tar");
    docker_archive(
        &path,
        &[lower, upper],
        json!({"Env": ["PATH=/bin"]}),
        &["two/layers", "other/name:2"],
    );
    assert_eq!(
        f.node.images().import(&path).unwrap(),
        ["docker.io/two/layers:latest", "docker.io/other/name:2"]
    );
    let script = "ls / /dir /bin/; busybox cat /linked; busybox readlink /bin; busybox stat -c %a /usr/bin";
    let spec = json!({"containers": [{"image": "two/layers", "command": ["sh", "-c", script]}]});
    check(
        &f,
        "layers",
        spec,
        expect![[r#"
        Succeeded
        main: Completed 0
          | /:
          | bin
          | dev
          | dir
          | etc
          | kept
          | linked
          | proc
          | sys
          | usr
          | 
          | /bin/:
          | busybox
          | ls
          | sh
          | 
          | /dir:
          | new
          | keptusr/bin
          | 700
    "#]],
    )
    .await;
    assert!(f.node.images().remove("two/layers").unwrap());
    assert!(!f.node.images().remove("two/layers").unwrap());
    assert_eq!(f.node.images().list().unwrap().len(), 2);
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_and_damaged_archives_are_refused() {
    let f = Fixture::start(|_| {}).await;
    let path = f.dir.path().join("bad.tar");
    for (files, expected) in [
        (
            vec![File::Text("../../escape", "x", 0o644)],
            "may not name files outside",
        ),
        (vec![File::HardLink("x", "/etc/shadow")], "missing etc/shadow"),
    ] {
        docker_archive(&path, &[layer(&files)], json!({}), &["bad/one"]);
        let error = f.node.images().import(&path).unwrap_err();
        let text = format!(
            "{error}: {}",
            std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default()
        );
        assert!(text.contains(expected), "{text}");
    }
    // Links inside of a layer lead to the layer's own root, never to the host's.
    docker_archive(
        &path,
        &[layer(&[
            File::Link("etc", "/tmp"),
            File::Text("etc/argosy-escape", "x", 0o644),
        ])],
        json!({}),
        &["bad/link"],
    );
    let error = f.node.images().import(&path).unwrap_err();
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("argosy-escape"),
        "{error:?}"
    );
    assert!(!std::path::Path::new("/tmp/argosy-escape").exists());
    for content in ["", "no archive at all"] {
        std::fs::write(&path, content).unwrap();
        assert!(f.node.images().import(&path).is_err());
    }
    assert!(
        f.node
            .images()
            .import(std::path::Path::new("/no/such/file"))
            .is_err()
    );
    assert_eq!(f.node.images().list().unwrap().len(), 1);
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn provided_images_need_no_archive() {
    for with_host_view in [false, true] {
        let busybox = std::fs::canonicalize("/bin/busybox").unwrap();
        let image = ProvidedImage {
            reference: "argosy/executor:dev".into(),
            files: vec![
                ProvidedFile {
                    source: busybox.clone(),
                    target: "/bin/busybox".into(),
                },
                ProvidedFile {
                    source: busybox,
                    target: "/opt/deep/sh".into(),
                },
            ],
            config: ImageConfig {
                entrypoint: vec!["busybox".into(), "echo".into()],
                cmd: vec!["hello".into()],
                env: vec!["PATH=/bin".into()],
                ..Default::default()
            },
        };
        let f = Fixture::start(|options| {
            options.provided_images.push(image);
            if with_host_view {
                host(options);
            }
        })
        .await;
        let spec = json!({"containers": [
            {"name": "a", "image": "argosy/executor:dev"},
            {"name": "b", "image": "docker.io/argosy/executor:dev", "command": ["/opt/deep/sh", "-c", "echo $0 works"]},
        ]});
        let expected = expect![[r#"
            Succeeded
            a: Completed 0
              | hello
            b: Completed 0
              | /opt/deep/sh works
        "#]];
        check(&f, "provided", spec, expected).await;
        f.node.shutdown().await;
        assert!(!std::path::Path::new("/opt/deep").exists());
    }
}
