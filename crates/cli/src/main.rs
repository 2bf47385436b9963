//! The program `argosy`: arguments in, exit code out.

use std::io::IsTerminal;
use std::process::ExitCode;

use argosy_cli::commands::{self, Args, LogOptions};
use argosy_cli::failure::{FAILED, NOT_SUBMITTED, report, tell};
use clap::Parser;
use clap::error::ErrorKind;

fn main() -> ExitCode {
    // Sandboxes are this program started again; they never come back from here.
    #[cfg(feature = "local")]
    argosy_standalone::container_main_if_asked();

    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return refused(&error),
    };
    if let Err(error) = start_log(&args.log) {
        tell(&report(&error));
        return ExitCode::from(FAILED);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell(&report(&anyhow::Error::from(error).context("starting threads")));
            return ExitCode::from(FAILED);
        }
    };
    let done = runtime.block_on(commands::perform(args));
    // A read of standard input can't be called off; nobody waits for it.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| {
        tell(&report(&error));
        ExitCode::from(FAILED)
    })
}

/// Wrong arguments, or a question for help, which is no fault.
fn refused(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let run = std::env::args().nth(1).is_some_and(|a| a == "run");
    match (asked, run) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => ExitCode::from(NOT_SUBMITTED),
        (false, false) => ExitCode::from(FAILED),
    }
}

fn start_log(options: &LogOptions) -> anyhow::Result<()> {
    let LogOptions {
        loglevel,
        log_format,
        verbose,
    } = options;
    let level = if *verbose { "debug" } else { loglevel };
    anyhow::ensure!(
        matches!(level, "debug" | "info" | "warn" | "error"),
        "--loglevel {level}: expected debug, info, warn or error"
    );
    // The client logs what it returns as an error, too; errors are told once, by us.
    let filter = format!("{level},kube_client::client::builder=off");
    let terminal = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    match log_format.as_str() {
        "text" => log.init(),
        "json" => log.json().init(),
        other => anyhow::bail!("--log-format {other}: expected text or json"),
    }
    Ok(())
}
