//! `cargo xtask deploy`: applies an installation from `manifests/` and waits until its controller is ready.

use crate::{cluster, shell};

#[derive(clap::Args)]
pub struct Args {
    /// The installation: a folder of `manifests/`.
    #[arg(default_value = "cluster-install")]
    install: String,
    /// Namespace of the controller; made if it is not there.
    #[arg(long, default_value = "argo")]
    namespace: String,
    /// Don't wait until it runs.
    #[arg(long)]
    no_wait: bool,
}

/// Applies and waits.
///
/// # Errors
/// When there is no such installation, the cluster refuses something, or the controller does not come up.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let manifests = shell::root().join("manifests");
    let folder = manifests.join(&args.install);
    anyhow::ensure!(
        folder.join("kustomization.yaml").is_file(),
        "manifests/{} is no installation",
        args.install
    );
    let kubectl = |words: &[&str]| {
        let mut command = cluster::kubectl()?;
        command.args(words);
        anyhow::Ok(command)
    };
    let namespace = args.namespace.as_str();
    if shell::output(&mut kubectl(&["get", "namespace", namespace])?).is_err() {
        shell::run(&mut kubectl(&["create", "namespace", namespace])?)?;
    }
    // Server-side: the definitions with their schemas are larger than the annotation of a client-side apply may be.
    let apply = ["apply", "--server-side", "--force-conflicts", "-k"];
    let folder = folder.display().to_string();
    shell::run(&mut kubectl(&[&apply[..], &[folder.as_str()]].concat())?)?;
    if args.no_wait {
        return Ok(());
    }
    let wait = [
        "rollout",
        "status",
        "deployment/workflow-controller",
        "--timeout=120s",
        "--namespace",
    ];
    shell::run(&mut kubectl(&[&wait[..], &[namespace]].concat())?)
}
