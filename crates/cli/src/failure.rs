//! What a command that failed says and how it exits: the message, a hint beside it, an exit code.

use std::fmt;

/// Exit code of a command that failed.
pub const FAILED: u8 = 1;
/// Exit code of `run` when a workflow could not be submitted.
pub const NOT_SUBMITTED: u8 = 2;
/// Exit code of a command that was left by an interrupt: 128 and the number of the signal.
pub const INTERRUPTED: u8 = 130;

/// Advice that travels beside an error, in its chain.
#[derive(Debug)]
pub struct Hint(pub String);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error with advice. [`report`] prints the advice on a line of its own.
#[derive(Debug)]
pub struct Advised {
    error: anyhow::Error,
    hint: Hint,
}

impl fmt::Display for Advised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl std::error::Error for Advised {}

/// Puts advice beside an error.
pub fn advise(error: impl Into<anyhow::Error>, hint: impl Into<String>) -> anyhow::Error {
    Advised {
        error: error.into(),
        hint: Hint(hint.into()),
    }
    .into()
}

/// Puts advice beside an error, where there is some.
pub fn hinted(error: impl Into<anyhow::Error>, hint: Option<impl Into<String>>) -> anyhow::Error {
    match hint {
        Some(hint) => advise(error, hint),
        None => error.into(),
    }
}

/// The text of an error for standard error, with its hint if it has one.
pub fn report(error: &anyhow::Error) -> String {
    let hint = error
        .chain()
        .find_map(|e| e.downcast_ref::<Advised>())
        .map(|a| a.hint.to_string());
    match hint {
        Some(hint) => format!("Error: {error:#}\nhint: {hint}\n"),
        None => format!("Error: {error:#}\n"),
    }
}

/// Says something on standard error. With that gone there is nobody left to tell, which is no reason to fail.
pub fn tell(text: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{advise, report};

    #[test]
    fn hints_stand_on_their_own_line() {
        let error = advise(anyhow::anyhow!("no such file"), "look again").context("reading x.yaml");
        assert_eq!(
            report(&error),
            "Error: reading x.yaml: no such file\nhint: look again\n"
        );
    }
}
