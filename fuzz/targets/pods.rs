//! What comes out of pods: archives, reports, progress. A user's program can write anything there.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use argosy_artifact::archive::{self, Compression, tar, zip};
use argosy_model::{Progress, WorkflowTaskResult, decode};

use super::{Seeds, Target};

pub const TARGETS: &[Target] = &[
    Target {
        name: "tar",
        seeds: Seeds::Made(|| {
            vec![packed(|source| {
                Some(tar::pack(source, Compression::Level(0), Vec::new()).ok()?.0)
            })]
        }),
        enter: |bytes| within(|target| drop(archive::unpack_tar_gz(bytes, target))),
    },
    Target {
        name: "zip",
        seeds: Seeds::Made(|| {
            vec![packed(|source| {
                Some(zip::pack(source, Cursor::new(Vec::new())).ok()?.0.into_inner())
            })]
        }),
        enter: |bytes| {
            within(|target| {
                let file = target.with_extension("zip");
                std::fs::write(&file, bytes).expect("a temporary folder can be written");
                let file = File::open(file).expect("it was just written");
                drop(archive::unpack_zip(file, target));
            });
        },
    },
    Target {
        name: "result",
        seeds: Seeds::Made(|| vec![RESULT.as_bytes().to_vec()]),
        enter: |bytes| {
            let Ok(value) = serde_json::from_slice(bytes) else {
                return;
            };
            let Ok(result) = decode::lenient::<WorkflowTaskResult>(value) else {
                return;
            };
            let text = serde_json::to_value(&result).expect("what was read can be written");
            let again: WorkflowTaskResult = decode::lenient(text).expect("what was written can be read");
            assert_eq!(again, result);
        },
    },
    Target {
        name: "progress",
        seeds: Seeds::Made(|| vec![b"3/10".to_vec(), b"0/9223372036854775807".to_vec()]),
        enter: |bytes| {
            let progress = Progress(String::from_utf8_lossy(bytes).into_owned());
            let sum = progress.add(&progress).add(&progress.complete());
            assert!(sum.parts().is_none_or(|(done, all)| 0 <= done && done <= all));
        },
    },
];

const RESULT: &str = r#"{"apiVersion":"argoproj.io/v1alpha1","kind":"WorkflowTaskResult","metadata":{"name":"wf-1",
    "labels":{"workflows.argoproj.io/report-outputs-completed":"true"}},"phase":"Succeeded","message":"m",
    "progress":"1/2","outputs":{"result":"r","exitCode":"0","parameters":[{"name":"p","value":"v",
    "valueFrom":{"path":"/p","default":"d"}}],"artifacts":[{"name":"a","path":"/a","mode":420,
    "s3":{"key":"k"},"archive":{"tar":{"compressionLevel":9}}}]}}"#;

/// An archive of a small tree with a link in it.
fn packed(pack: impl Fn(&Path) -> Option<Vec<u8>>) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let source = folder.path().join("tree");
    let made = std::fs::create_dir_all(source.join("inner"))
        .and_then(|()| std::fs::write(source.join("inner/file"), "content"))
        .and_then(|()| std::fs::write(source.join("script"), "#!/bin/sh\n"))
        .and_then(|()| std::os::unix::fs::symlink("inner/file", source.join("link")));
    made.expect("a temporary folder can be written");
    pack(&source).expect("a tree of three files can be packed")
}

/// Unpacks into a folder of its own. Nothing may be made beside it.
fn within(unpack: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).expect("a temporary folder can be written");
    unpack(&inner.join("target"));
    for (place, begin) in [(folder.path(), "inner"), (&inner, "target")] {
        for entry in place.read_dir().expect("it is still there") {
            let name = entry.expect("a name").file_name();
            assert!(name.to_string_lossy().starts_with(begin), "{name:?} is outside");
        }
    }
}
