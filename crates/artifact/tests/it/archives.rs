//! Packing and unpacking: there and back for any tree, and nothing but errors for archives that
//! want out (rules X-ARC-01 to X-ARC-23).

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use argosy_artifact::archive::{Compression, Error, is_tar_gz, tar, unpack_tar_gz, unpack_zip, zip};
use proptest::prelude::*;
use tempfile::tempdir;

/// What a tree holds, by path.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Folder,
    File(Vec<u8>, u32),
    Link(PathBuf),
}

fn read(path: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut found = BTreeMap::new();
    let mut left = vec![path.to_owned()];
    while let Some(at) = left.pop() {
        let metadata = at.symlink_metadata().unwrap();
        let name = at.strip_prefix(path).unwrap().to_owned();
        let entry = if metadata.is_symlink() {
            Entry::Link(at.read_link().unwrap())
        } else if metadata.is_dir() {
            left.extend(at.read_dir().unwrap().map(|e| e.unwrap().path()));
            Entry::Folder
        } else {
            Entry::File(std::fs::read(&at).unwrap(), metadata.mode() & 0o777)
        };
        found.insert(name, entry);
    }
    found
}

fn write(root: &Path, tree: &BTreeMap<String, Entry>) {
    std::fs::create_dir_all(root).unwrap();
    for (name, entry) in tree {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry::Folder => std::fs::create_dir_all(path).unwrap(),
            Entry::File(content, mode) => {
                std::fs::write(&path, content).unwrap();
                std::fs::set_permissions(&path, PermissionsExt::from_mode(*mode)).unwrap();
            }
            Entry::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
        }
    }
}

/// Names of all lengths, so that each of the three ways to write a name is met.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ._-]{1,8}".prop_filter("dots mean something else", |n| n != "." && n != ".."),
        "[a-z]{101,180}",
        "[äöü漢%\\\\]{1,30}",
    ]
}

fn trees() -> impl Strategy<Value = BTreeMap<String, Entry>> {
    let entry = prop_oneof![
        (
            proptest::collection::vec(any::<u8>(), 0..2000),
            prop_oneof![Just(0o644), Just(0o755), Just(0o600)]
        )
            .prop_map(|(content, mode)| Entry::File(content, mode)),
        Just(Entry::Folder),
        name().prop_map(|target| Entry::Link(PathBuf::from(target))),
    ];
    // Files only at the leaves: the depth is part of the name.
    let path = (0_usize..4, name()).prop_map(|(depth, name)| {
        let folders: String = (0..depth).map(|level| format!("folder{level}/")).collect();
        format!("{folders}{name}")
    });
    proptest::collection::btree_map(path, entry, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn x_arc_tar_there_and_back(tree in trees(), level in -2..10_i32) {
        let folder = tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        write(&from, &tree);
        let (bytes, report) = tar::pack(&from, Compression::of_level(level), Vec::new()).unwrap();
        prop_assert_eq!(report.notes.len(), 0);
        unpack_tar_gz(Cursor::new(&bytes), &to).unwrap();
        prop_assert_eq!(read(&from), read(&to));
        // The same tree gives the same bytes.
        let (again, _) = tar::pack(&from, Compression::of_level(level), Vec::new()).unwrap();
        prop_assert!(bytes == again);
    }

    #[test]
    fn x_arc_20_zip_keeps_files(tree in trees()) {
        let folder = tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        let files: BTreeMap<String, Entry> = tree
            .into_iter()
            .filter_map(|(name, entry)| match entry {
                Entry::File(content, _) => Some((name, Entry::File(content, 0o666))),
                _ => None,
            })
            .collect();
        write(&from, &files);
        let (bytes, _) = zip::pack(&from, Cursor::new(Vec::new())).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes.into_inner()).unwrap();
        unpack_zip(file, &to).unwrap();
        let only_files = |tree: BTreeMap<PathBuf, Entry>| -> Vec<_> {
            tree.into_iter().filter(|(_, e)| matches!(e, Entry::File(..))).collect()
        };
        prop_assert_eq!(only_files(read(&from)), only_files(read(&to)));
    }

    /// Whatever bytes come: an error or files below the target, never a panic, and nothing beside.
    #[test]
    fn x_arc_15_damaged_archives_stay_inside(tree in trees(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let folder = tempdir().unwrap();
        let from = folder.path().join("from");
        write(&from, &tree);
        let (bytes, _) = tar::pack(&from, Compression::Level(0), Vec::new()).unwrap();
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut plain).unwrap();
        let at = at.index(plain.len());
        plain[at] = byte;
        let outside = tempdir().unwrap();
        let target = outside.path().join("target");
        let _ = unpack_tar_gz(Cursor::new(gzip(&plain)), &target);
        let beside: Vec<_> = outside.path().read_dir().unwrap().map(|e| e.unwrap().file_name()).collect();
        prop_assert!(beside.iter().all(|name| name == "target"), "{:?}", beside);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// One entry of a tar that no honest program would write.
struct Forged<'a> {
    kind: u8,
    name: &'a str,
    link: &'a str,
    size: u64,
    content: &'a [u8],
}

const FILE: Forged<'_> = Forged {
    kind: b'0',
    name: "f",
    link: "",
    size: 0,
    content: b"",
};

fn forge(entries: &[Forged<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        let mut header = ::tar::Header::new_ustar();
        header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.as_old_mut().linkflag = [entry.kind];
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(entry.size);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(entry.content);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.extend_from_slice(&[0; 1024]);
    gzip(&out)
}

#[track_caller]
fn check_refused(entries: &[Forged<'_>], message: &str) {
    let outside = tempdir().unwrap();
    let error = unpack_tar_gz(Cursor::new(forge(entries)), &outside.path().join("target")).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(
        outside.path().read_dir().unwrap().count(),
        0,
        "{message}: nothing is left"
    );
}

#[test]
fn x_arc_11_to_14_archives_that_want_out() {
    let link = |name, link| Forged {
        kind: b'2',
        name,
        link,
        ..FILE
    };
    let inside = |name| Forged {
        name,
        size: 1,
        content: b"x",
        ..FILE
    };
    for (entries, message) in [
        (vec![inside("../f")], "illegal file path: ../f"),
        (vec![inside("a/../../f")], "illegal file path: a/../../f"),
        (
            vec![link("l", "/etc/passwd")],
            "illegal symlink target: l -> /etc/passwd",
        ),
        (vec![link("l", "../x")], "illegal symlink target: l -> ../x"),
        (
            vec![link("a/l", "../../x")],
            "illegal symlink target: a/l -> ../../x",
        ),
        // Each link is harmless by its text; together they lead out.
        (
            vec![inside("x"), link("d", "."), link("l", "d/../..")],
            "illegal symlink target: l -> d/../..",
        ),
        (
            vec![inside("x"), link("d", "."), link("l", "d/../x")],
            "illegal symlink target: l -> d/../x",
        ),
        (
            vec![Forged {
                kind: b'1',
                name: "h",
                link: "../../etc/passwd",
                ..FILE
            }],
            "illegal file path: ../../etc/passwd",
        ),
    ] {
        check_refused(&entries, message);
    }
}

#[test]
fn x_arc_15_archives_that_are_too_large_or_broken() {
    for (entries, message) in [
        (
            vec![Forged {
                size: 1 << 60,
                ..FILE
            }],
            "archive is too large: no room on the disk for f",
        ),
        (
            vec![Forged {
                kind: b'x',
                size: 1 << 30,
                ..FILE
            }],
            "archive is too large: an extension header of 1073741824 bytes",
        ),
        (
            vec![Forged {
                kind: b'x',
                size: 3,
                content: b"abc",
                ..FILE
            }],
            "invalid archive: an extension header is malformed",
        ),
        (
            vec![Forged {
                size: 5000,
                content: b"short",
                ..FILE
            }],
            "invalid archive: it ends too early",
        ),
    ] {
        check_refused(&entries, message);
    }
}

#[test]
fn x_arc_12_files_do_not_go_through_links() {
    let outside = tempdir().unwrap();
    let target = outside.path().join("target");
    let entries = [
        Forged {
            kind: b'5',
            name: "real",
            ..FILE
        },
        Forged {
            kind: b'2',
            name: "link",
            link: "real",
            ..FILE
        },
        // A parent that is a link inside the tree is followed, a file in a link's place replaces it.
        Forged {
            name: "link/f",
            size: 1,
            content: b"1",
            ..FILE
        },
        Forged {
            kind: b'2',
            name: "g",
            link: "real/f",
            ..FILE
        },
        Forged {
            name: "g",
            size: 1,
            content: b"2",
            ..FILE
        },
        Forged {
            kind: b'1',
            name: "hard",
            link: "real/f",
            ..FILE
        },
        Forged {
            kind: b'3',
            name: "device",
            ..FILE
        },
        Forged {
            name: "/absolute",
            size: 1,
            content: b"3",
            ..FILE
        },
    ];
    let report = unpack_tar_gz(Cursor::new(forge(&entries)), &target).unwrap();
    assert_eq!(
        report.notes,
        ["device is no file, folder or link and is left out"]
    );
    let text = |name: &str| std::fs::read_to_string(target.join(name)).unwrap();
    assert_eq!(
        [text("real/f"), text("g"), text("hard"), text("absolute")],
        ["1", "2", "1", "3"]
    );
}

#[test]
fn x_arc_22_zip_that_wants_out() {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .start_file("../f", ::zip::write::SimpleFileOptions::default())
        .unwrap();
    writer.write_all(b"x").unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let outside = tempdir().unwrap();
    let error = unpack_zip(file, &outside.path().join("target")).unwrap_err();
    assert!(matches!(error, Error::IllegalPath(_)), "{error}");
    assert_eq!(outside.path().read_dir().unwrap().count(), 0);
}

#[test]
fn x_init_17_what_counts_as_a_packed_tar() {
    let folder = tempdir().unwrap();
    for (bytes, want) in [
        (forge(&[FILE]), true),
        (gzip(b"just text"), false),
        (gzip(&[0; 1024]), false),
        (b"plain".to_vec(), false),
        (Vec::new(), false),
        (vec![0x1f, 0x8b, 8], false),
    ] {
        let path = folder.path().join("f");
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(is_tar_gz(&path).unwrap(), want, "{bytes:?}");
    }
}

#[test]
fn x_arc_01_links_at_the_top_are_followed() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("dir")).unwrap();
    std::fs::write(path("dir/f"), "x").unwrap();
    std::os::unix::fs::symlink("dir", path("to-dir")).unwrap();
    std::os::unix::fs::symlink("dir/f", path("to-file")).unwrap();
    for (source, back) in [("to-dir", "back/f"), ("to-file", "back")] {
        let (bytes, _) = tar::pack(&path(source), Compression::Default, Vec::new()).unwrap();
        unpack_tar_gz(Cursor::new(bytes), &path("back")).unwrap();
        assert_eq!(std::fs::read_to_string(path(back)).unwrap(), "x");
        argosy_artifact::archive::remove_all(&path("back")).unwrap();
    }
    assert!(tar::pack(&path("none"), Compression::Default, Vec::new()).is_err());
    assert!(tar::pack(Path::new("/dev/null"), Compression::Default, Vec::new()).is_err());
}
