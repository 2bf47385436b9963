//! What each file must have and must not have.

use std::path::Path;

use anyhow::Context;

/// Most lines of a source file.
const LINES_LIMIT: usize = 800;

/// Text that no file may hold, with the reason. Written in two pieces so that this file passes.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("to", "do!(", "unfinished code"),
    ("unimple", "mented!(", "unfinished code"),
    ("#[ig", "nore", "assert what happens today instead, with a FIXME"),
    ("dbg", "!(", "a leftover"),
    ("/wo", "rk/", "a path of somebody's machine"),
    ("/ho", "me/", "a path of somebody's machine"),
];

/// Folders that are not ours to judge: what is built, and recorded data.
const PASSED_OVER: &[&str] = &["target", "tests/vectors"];

pub fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    walk(root, root, &mut faults)?;
    Ok(faults)
}

fn walk(root: &Path, folder: &Path, faults: &mut Vec<String>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading folder {}", folder.display()))?;
    let mut paths = entries
        .map(|e| Ok(e?.path()))
        .collect::<anyhow::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        let relative = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        if relative == ".git" || PASSED_OVER.contains(&relative.as_str()) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, faults)?;
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            check_text(&relative, &text, faults);
        }
    }
    Ok(())
}

fn check_text(name: &str, text: &str, faults: &mut Vec<String>) {
    let source = name.ends_with(".rs");
    if source && !text.starts_with("//! ") {
        faults.push(format!(
            "{name}:1: the first line must say with `//!` what the file is for"
        ));
    }
    if source && text.lines().count() > LINES_LIMIT {
        faults.push(format!(
            "{name}: {} lines; the limit is {LINES_LIMIT}",
            text.lines().count()
        ));
    }
    if name == "Cargo.lock" {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        for (a, b, reason) in FORBIDDEN {
            if line.contains(&format!("{a}{b}")) {
                faults.push(format!("{name}:{}: `{a}{b}`: {reason}", number + 1));
            }
        }
    }
}
