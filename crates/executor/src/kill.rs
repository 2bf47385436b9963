//! `kill SIGNUM PID`: how a controller stops a container that holds no shell
//! (rules X-CLI-12, X-CLI-15). One process, never its group.

use std::io::Write as _;

use crate::outcome::Failure;

/// Sends a signal to a process.
///
/// # Errors
/// Wrong number of arguments, arguments that are no numbers, or a process that cannot be
/// signalled.
pub fn run(words: &[String]) -> Result<i32, Failure> {
    let [signal, pid] = words else {
        return Err(Failure::new(format!(
            "accepts 2 arg(s), received {}",
            words.len()
        )));
    };
    let number = |text: &String| {
        text.parse::<i32>()
            .map_err(|_| Failure::new(format!("{text:?} is not a whole number")))
    };
    let (signal, pid) = (number(signal)?, number(pid)?);
    // A pid of 0 or below would address a whole group.
    if pid <= 0 || !(0..=64).contains(&signal) {
        return Err(Failure::new(format!(
            "cannot send signal {signal} to process {pid}"
        )));
    }
    let _ = writeln!(std::io::stdout(), "killing {pid} with {signal}");
    crate::sys::kill(pid, signal)
        .map_err(|e| Failure::new(format!("kill {pid}: {}", crate::text::reason(&e))))?;
    Ok(0)
}
