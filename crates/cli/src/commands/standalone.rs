//! `argosy standalone`: a platform in this process that keeps its state, until a signal ends it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use argosy_standalone::{Data, Options, Platform, user_data_folder};

use super::emit;
use super::machine::{self, Interrupts, MachineArgs};
use crate::connection;
use crate::failure::{INTERRUPTED, tell};

/// Arguments of `standalone`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The platform carries on with the workflows of its data folder, however it ended before. It runs until \
    SIGINT or SIGTERM. Containers go on without it: the next platform in the folder finds them again, with what they \
    printed and how they ended meanwhile. To end them, stop their workflows first (argosy stop, argosy terminate)."
)]
pub struct Args {
    /// The folder that keeps everything [default: $ARGOSY_DATA, else ~/.local/share/argosy]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Address and port of the Kubernetes API [default: those of the last start, else any free port of 127.0.0.1]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    machine: MachineArgs,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let full = if text.starts_with(':') {
        format!("127.0.0.1{text}")
    } else {
        text.to_owned()
    };
    full.parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:6443".to_owned())
}

/// # Errors
/// When the platform does not start.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        data,
        listen,
        machine,
    } = args;
    let mut options = Options {
        data: Data::Folder(data.unwrap_or_else(user_data_folder)),
        listen,
        ..Options::default()
    };
    if let Some(namespace) = connection.namespace.as_ref().filter(|n| !n.is_empty()) {
        options.namespace.clone_from(namespace);
    }
    machine.apply(&mut options)?;
    let mut interrupts = Interrupts::new()?;
    let platform = tokio::select! {
        started = machine::start(options) => started?,
        () = interrupts.caught() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let up = async {
        machine.import(&platform).await?;
        emit(&introduction(&platform))?;
        anyhow::Ok(())
    };
    let up = tokio::select! {
        up = up => up,
        () = interrupts.caught() => Ok(()),
    };
    if up.is_ok() {
        interrupts.caught().await;
        tell("stopping; once more leaves at once\n");
        // Whoever stops a platform must know that something goes on.
        let running = platform.running_pods().await.unwrap_or(0);
        if running > 0 {
            tell(&format!(
                "{running} pods go on; the next platform in this folder finds them again\n"
            ));
        }
    }
    tokio::select! {
        () = platform.stop() => up.map(|()| ExitCode::SUCCESS),
        () = interrupts.caught() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

/// What the user needs to know to work with the platform.
fn introduction(platform: &Platform) -> String {
    let kubeconfig = platform.kubeconfig_file().unwrap_or_default();
    format!(
        "api:        {}\ndata:       {}\nkubeconfig: {}\n",
        platform.url(),
        platform.data().display(),
        kubeconfig.display()
    )
}
