//! Progress that the user writes into a file is reported while main runs (rules X-PROG-01 to
//! X-PROG-04).

use argosy_model::Progress;
use tokio::time::{Instant, MissedTickBehavior};

use crate::env;
use crate::log;
use crate::report::Reporter;
use crate::startup::Pod;
use crate::watch::Watch;

/// Reports progress until it is aborted. Returns at once when progress is not wanted.
pub async fn run(pod: Pod, reporter: Reporter) {
    let tick = |name: &str| {
        let text = env::text(name)?;
        crate::duration::parse(&text).filter(|d| !d.is_zero())
    };
    let Some(path) = env::text("ARGO_PROGRESS_FILE") else {
        return;
    };
    let Some(period) = tick("ARGO_PROGRESS_PATCH_TICK_DURATION") else {
        return;
    };
    // Only whether it is on: the file is read whenever it changes.
    if tick("ARGO_PROGRESS_FILE_TICK_DURATION").is_none() {
        return;
    }
    let path = pod.layout.place(path);
    let mut watch = Watch::new();
    if let Some(folder) = path.parent() {
        // If it cannot be made, the user cannot write there either.
        let _ = std::fs::create_dir_all(folder);
        watch.add(folder);
    }
    let mut ticks = tokio::time::interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    let mut reported = None;
    loop {
        tokio::select! {
            () = watch.changed() => {
                match std::fs::read(&path).map(|content| read(&content)) {
                    Ok(Ok(progress)) => seen = Some(progress),
                    Ok(Err(line)) => log::info("unable to parse progress, ignoring", &[("line", &line)]),
                    // Not there yet.
                    Err(_) => {}
                }
            }
            _ = ticks.tick() => {
                if let Some(progress) = seen.clone().filter(|p| reported.as_ref() != Some(p)) {
                    match reporter.progress(&progress).await {
                        Ok(()) => reported = Some(progress),
                        Err(failure) => {
                            log::warn("progress not reported", &[("error", &failure.message)]);
                        }
                    }
                }
            }
        }
    }
}

/// The progress in the last line of the file's content; the line, if it holds none.
fn read(content: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(content);
    let line = text.trim().lines().next_back().unwrap_or_default().trim();
    parse(line).ok_or_else(|| line.to_owned())
}

/// `N/M` with 0 ≤ N ≤ M and M > 0, in plain digits.
pub fn parse(line: &str) -> Option<String> {
    let (done, all) = Progress(line.to_owned()).parts()?;
    Some(Progress::new(done, all).0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{parse, read};

    proptest! {
        /// Whatever a user writes there, what is reported is valid, and nothing breaks (X-PROG-03).
        #[test]
        fn x_prog_02_03_any_content(content: Vec<u8>, done: i64, all: i64, tail in any::<Option<bool>>()) {
            let mut content = content;
            if let Some(is_numbers) = tail {
                let line = if is_numbers { format!("\n{done}/{all}\n") } else { format!("\n{done}/") };
                content.extend(line.into_bytes());
            }
            if let Ok(progress) = read(&content) {
                let (done, all) = progress.split_once('/').expect("a slash");
                let (done, all): (i64, i64) = (done.parse()?, all.parse()?);
                prop_assert!(0 <= done && done <= all && all > 0);
            }
        }
    }

    #[test]
    fn x_prog_02_03_lines() {
        for (line, want) in [
            ("1/2", Some("1/2")),
            ("0/100", Some("0/100")),
            ("3/2", None),
            ("0/0", None),
            ("-1/5", None),
            ("x/5", None),
            ("50%", None),
            ("", None),
            ("1/2/3", None),
        ] {
            assert_eq!(parse(line).as_deref(), want, "{line}");
        }
    }
}
