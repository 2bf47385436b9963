//! `cargo xtask tidy`: the house rules that neither the compiler nor clippy checks.

mod files;
mod layers;

use anyhow::bail;

use crate::shell;

/// Prints every fault, one a line.
///
/// # Errors
/// When there is any.
pub fn main() -> anyhow::Result<()> {
    let root = shell::root();
    let mut faults = files::check(&root)?;
    faults.extend(layers::check()?);
    faults.extend(features()?);
    faults.extend(crate::manifests::check());
    for fault in &faults {
        println!("{fault}");
    }
    if !faults.is_empty() {
        bail!("{} faults", faults.len());
    }
    println!("tidy: no faults");
    Ok(())
}

/// Go sorts the keys of a map when it writes JSON; so must we, and one Cargo feature anywhere would undo it.
fn features() -> anyhow::Result<Vec<String>> {
    let tree = shell::output(shell::cargo().args([
        "tree",
        "--workspace",
        "--edges",
        "features,normal,build,dev",
        "--invert",
        "serde_json",
    ]))?;
    let on = tree.contains("serde_json feature \"preserve_order\"");
    Ok(on.then(|| "Cargo.lock: serde_json's feature preserve_order is on: `cargo tree -e features -i serde_json` says who asks for it".to_owned()).into_iter().collect())
}
