//! `argosy image`: what comes out, over a folder of images of the test.
#![cfg(feature = "local")]

mod program;

use expect_test::{Expect, expect};
use program::Program;

/// Runs the command over the folder of images `images` and compares what comes out.
fn check(folder: &std::path::Path, args: &[&str], wanted: Expect) {
    let images = folder.join("images");
    let mut all = vec!["image", "--folder", images.to_str().expect("a path of text")];
    all.extend(args);
    let output = Program::new(&all).output();
    wanted.assert_eq(&output.replace(&folder.display().to_string(), "DATA"));
}

/// An OCI layout, as a folder, with one image without layers and without a name.
fn nameless_layout(folder: &std::path::Path) -> String {
    let layout = folder.join("layout");
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("a folder");
    let (config, manifest) = ("c".repeat(64), "a".repeat(64));
    let write = |path: &std::path::Path, text: &str| std::fs::write(path, text).expect("a file");
    write(
        &blobs.join(&config),
        r#"{"os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
    );
    write(
        &blobs.join(&manifest),
        &format!(r#"{{"config":{{"digest":"sha256:{config}"}},"layers":[]}}"#),
    );
    write(
        &layout.join("index.json"),
        &format!(r#"{{"manifests":[{{"digest":"sha256:{manifest}"}}]}}"#),
    );
    layout.display().to_string()
}

#[test]
fn images_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let layout = nameless_layout(folder.path());
    check(
        folder.path(),
        &["ls"],
        expect![[r#"
            IMAGE   ID   SIZE   FROM   LAST USED
            exit code 0
        "#]],
    );
    check(
        folder.path(),
        &["import", &layout],
        expect![[r#"
            stderr:
            Error: taking the images of DATA/layout: the archive names no image for this platform
            exit code 1
        "#]],
    );
    check(
        folder.path(),
        &["import", "--name", "my/tool", &layout],
        expect![[r#"
            docker.io/my/tool:latest
            exit code 0
        "#]],
    );
    check(
        folder.path(),
        &["ls", "-o", "json"],
        expect![[r#"
            [
              {
                "from": "import",
                "id": "sha256:96f444ed2d8dbfd7e2ef43e5e674fb94305a0487d20ece28d16bd2423b781a2e",
                "lastUsed": null,
                "reference": "docker.io/my/tool:latest",
                "sizeBytes": 0
              }
            ]
            exit code 0
        "#]],
    );
    check(
        folder.path(),
        &["prune"],
        expect![[r#"
            0.0kB freed
            exit code 0
        "#]],
    );
    check(
        folder.path(),
        &["rm", "my/tool", "other"],
        expect![[r#"
            my/tool deleted
            stderr:
            other not found
            exit code 1
        "#]],
    );
    check(
        folder.path(),
        &["import", "no-such-file"],
        expect![[r#"
            stderr:
            Error: taking the images of no-such-file: no-such-file: No such file or directory (os error 2)
            exit code 1
        "#]],
    );
}
