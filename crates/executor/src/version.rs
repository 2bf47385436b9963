//! `version`: what this program is (rule X-CLI-13).

use std::io::Write as _;

/// Prints the version; with `short` only its first line.
pub fn run(short: bool) -> i32 {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("argoexec: v{version}\n");
    if !short {
        let os = std::env::consts::OS;
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        for (key, value) in [
            (
                "BuildDate",
                option_env!("ARGOSY_BUILD_DATE").unwrap_or("1970-01-01T00:00:00Z"),
            ),
            ("GitCommit", option_env!("ARGOSY_GIT_COMMIT").unwrap_or("unknown")),
            (
                "GitTreeState",
                option_env!("ARGOSY_GIT_TREE_STATE").unwrap_or("unknown"),
            ),
            ("GoVersion", "none (Rust)"),
            ("Compiler", "rustc"),
            ("Platform", &format!("{os}/{arch}")),
        ] {
            text.push_str(&format!("  {key}: {value}\n"));
        }
    }
    // Nobody is left to tell when standard output is closed.
    let _ = std::io::stdout().write_all(text.as_bytes());
    0
}
