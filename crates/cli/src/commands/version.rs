//! `argosy version`

use std::process::ExitCode;

use super::emit;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The version only
    #[arg(long)]
    short: bool,
}

/// # Errors
/// When standard output can't be written.
pub fn perform(args: &Args) -> anyhow::Result<ExitCode> {
    let mut text = format!("argosy: v{}\n", env!("CARGO_PKG_VERSION"));
    if !args.short {
        // Set by whoever makes a release; a build from a checkout knows neither.
        for (key, value) in [
            ("BuildDate:", option_env!("ARGOSY_BUILD_DATE")),
            ("GitCommit:", option_env!("ARGOSY_GIT_COMMIT")),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("  {key} {value}\n"));
            }
        }
        text.push_str(&format!(
            "  Compiler: rustc\n  Platform: {}/{}\n",
            std::env::consts::OS,
            std::env::consts::ARCH
        ));
    }
    emit(&text)?;
    Ok(ExitCode::SUCCESS)
}
