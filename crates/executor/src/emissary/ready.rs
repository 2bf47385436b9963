//! In init-less pods user containers start when the supervisor says so (rules X-EMIS-04,
//! X-SUP-20 to X-SUP-22). Writing the marker is the supervisor's.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::events::Events;
use super::waiting::{Until, until};
use crate::outcome::{BEFORE_MAIN_ERROR, Failure};
use crate::paths::Layout;
use crate::{env, log};

/// How long a supervisor may be silent before it counts as dead: six of its heartbeats.
const SILENCE: Duration = Duration::from_secs(30);

/// How often the marker's age is looked at; writes are seen at once.
const CHECK: Duration = Duration::from_secs(2);

enum Marker {
    Ready,
    Running,
    Missing,
}

/// Waits until the supervisor is ready. Gives an exit code if a signal ended the wait.
///
/// # Errors
/// The supervisor reported a failure or is presumed dead: exit code 65.
pub fn wait(layout: &Layout, events: &mut Events) -> Result<Option<i32>, Failure> {
    log::info("waiting for supervisor", &[]);
    let marker = layout.marker();
    events.watch(&layout.shared());
    let own = layout.container(&env::container_name());
    let start = Instant::now();
    let mut failure = None;
    loop {
        let look = || match state(&marker) {
            Ok(Marker::Ready) => Some(true),
            Ok(Marker::Running) => None,
            Ok(Marker::Missing) if start.elapsed() < SILENCE => None,
            Ok(Marker::Missing) => {
                failure = Some("supervisor presumed dead: it wrote no status".to_owned());
                Some(false)
            }
            Err(message) => {
                failure = Some(message);
                Some(false)
            }
        };
        match until(events, &own, Some(Instant::now() + CHECK), look)? {
            Until::Found(true) => return Ok(None),
            Until::Found(false) => {
                let message = failure.unwrap_or_default();
                return Err(Failure::new(message).with_code(BEFORE_MAIN_ERROR));
            }
            Until::Ended(code) => return Ok(Some(code)),
            Until::Deadline => {}
        }
    }
}

fn state(path: &Path) -> Result<Marker, String> {
    let read = std::fs::metadata(path).and_then(|m| Ok((m.modified()?, std::fs::read_to_string(path)?)));
    let (modified, text) = match read {
        Ok(read) => read,
        // Also when it was renamed between the two calls: the new one is seen at the next look.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Marker::Missing),
        Err(error) => return Err(crate::text::failed("open", path, &error)),
    };
    let (first, message) = text.split_once('\n').unwrap_or((&text, ""));
    match first.trim() {
        "READY" => Ok(Marker::Ready),
        "FAILED" => Err(format!(
            "supervisor reported pre-main failure: {}",
            message.trim()
        )),
        _ => {
            let age = SystemTime::now().duration_since(modified).unwrap_or_default();
            if age > SILENCE {
                let secs = age.as_secs();
                return Err(format!(
                    "supervisor presumed dead: its last sign of life is {secs}s old"
                ));
            }
            Ok(Marker::Running)
        }
    }
}
