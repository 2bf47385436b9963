//! The command line that the peer's controller passes: `argoexec SUBCOMMAND [flags] [-- args]`
//! (rules X-CLI-01, X-GEN-22). A table instead of a parser library, because both programs read
//! the same flags and one of them must stay small.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use crate::log::{Format, Level};

/// A command line, taken apart but not yet judged by a command.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Words before `--` that are no flags; the first one names the command.
    pub words: Vec<String>,
    /// Everything after `--`, byte for byte.
    pub rest: Vec<OsString>,
    /// Flags in the order given, by long name.
    pub flags: Vec<(String, String)>,
}

/// What is wrong with a command line.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A flag that no command has.
    #[error("unknown flag: {0}")]
    UnknownFlag(String),
    /// A flag that needs a value at the end of the line.
    #[error("flag needs an argument: {0}")]
    NoValue(String),
    /// A flag whose value is not one of those it takes.
    #[error("invalid argument \"{value}\" for \"{flag}\" flag")]
    BadValue {
        /// The flag, with its dashes.
        flag: String,
        /// The value given.
        value: String,
    },
    /// A word before `--` that is not UTF-8.
    #[error("argument is not valid UTF-8: {0}")]
    NotText(String),
}

/// Flags with a value, by long name, and the single letter some have.
const VALUED: &[(&str, Option<char>)] = &[
    ("loglevel", None),
    ("gloglevel", None),
    ("log-format", None),
    ("kubeconfig", None),
    ("namespace", Some('n')),
    ("context", None),
    ("cluster", None),
    ("user", None),
    ("server", Some('s')),
    ("token", None),
    ("certificate-authority", None),
    ("client-certificate", None),
    ("client-key", None),
    ("tls-server-name", None),
    ("proxy-url", None),
    ("username", None),
    ("password", None),
    ("as", None),
    ("as-group", None),
    ("as-uid", None),
    ("as-user-extra", None),
    ("request-timeout", None),
    ("plugin-name", None),
];

/// Flags that stand alone or take `=true` or `=false`.
const SWITCHES: &[(&str, Option<char>)] = &[
    ("insecure-skip-tls-verify", None),
    ("disable-compression", None),
    ("short", None),
    ("help", Some('h')),
];

impl Line {
    /// Takes a command line apart, without the program's own name.
    ///
    /// # Errors
    /// An unknown flag, a flag without its value, or a word that is not text.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let mut line = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                line.rest = args.collect();
                break;
            }
            let text = text_of(&arg)?;
            match text.strip_prefix('-') {
                None | Some("") => line.words.push(text.to_owned()),
                Some(flag) => line.flag(text, flag, &mut args)?,
            }
        }
        Ok(line)
    }

    fn flag(
        &mut self,
        given: &str,
        flag: &str,
        args: &mut impl Iterator<Item = OsString>,
    ) -> Result<(), Error> {
        let (name, inline) = match flag.strip_prefix('-') {
            Some(long) => match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            },
            None => short_flag(given, flag)?,
        };
        if SWITCHES.iter().any(|(known, _)| *known == name) {
            self.flags
                .push((name.to_owned(), inline.unwrap_or("true").to_owned()));
            return Ok(());
        }
        if !VALUED.iter().any(|(known, _)| *known == name) {
            return Err(Error::UnknownFlag(given.to_owned()));
        }
        let value = match inline {
            Some(value) => value.to_owned(),
            None => {
                let next = args.next().ok_or_else(|| Error::NoValue(given.to_owned()))?;
                text_of(&next)?.to_owned()
            }
        };
        self.flags.push((name.to_owned(), value));
        Ok(())
    }

    /// The last value of a flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, v)| v.as_str())
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|v| matches!(v, "true" | "1" | "t" | "T" | "TRUE" | "True"))
    }

    /// What the log flags ask for; level info and text form when they are absent.
    ///
    /// # Errors
    /// A level, form or verbosity that does not exist.
    pub fn logging(&self) -> Result<(Level, Format), Error> {
        let bad = |flag: &str, value: &str| Error::BadValue {
            flag: format!("--{flag}"),
            value: value.to_owned(),
        };
        let level = self.value("loglevel").unwrap_or("info");
        let level = Level::parse(level).ok_or_else(|| bad("loglevel", level))?;
        let format = match self.value("log-format").unwrap_or("text") {
            "text" | "" => Format::Text,
            "json" => Format::Json,
            other => return Err(bad("log-format", other)),
        };
        if let Some(verbosity) = self.value("gloglevel")
            && verbosity.parse::<i64>().is_err()
        {
            return Err(bad("gloglevel", verbosity));
        }
        Ok((level, format))
    }
}

fn text_of(arg: &OsStr) -> Result<&str, Error> {
    arg.to_str()
        .ok_or_else(|| Error::NotText(String::from_utf8_lossy(arg.as_bytes()).into_owned()))
}

/// `-n value`, `-nvalue` or `-n=value`.
fn short_flag<'a>(given: &str, flag: &'a str) -> Result<(&'static str, Option<&'a str>), Error> {
    let unknown = || Error::UnknownFlag(given.to_owned());
    let letter = flag.chars().next().ok_or_else(unknown)?;
    let (name, _) = VALUED
        .iter()
        .chain(SWITCHES)
        .find(|(_, short)| *short == Some(letter))
        .ok_or_else(unknown)?;
    let rest = &flag[letter.len_utf8()..];
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    Ok((name, (!rest.is_empty()).then_some(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Line, Error> {
        Line::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn x_pod_03_what_the_peer_passes() {
        let line =
            parse("emissary --loglevel debug --log-format json --gloglevel 0 -- sh -c --loglevel").unwrap();
        assert_eq!(line.words, ["emissary"]);
        assert_eq!(line.rest, ["sh", "-c", "--loglevel"]);
        assert_eq!(line.logging(), Ok((Level::Debug, Format::Json)));
    }

    #[test]
    fn x_gen_22_forms_of_flags() {
        let line = parse("wait --kubeconfig=/k -n ns --loglevel=trace --short").unwrap();
        assert_eq!(line.value("kubeconfig"), Some("/k"));
        assert_eq!(line.value("namespace"), Some("ns"));
        assert!(line.is_on("short"));
        assert_eq!(line.logging(), Ok((Level::Debug, Format::Text)));
    }

    #[test]
    fn x_cli_01_what_is_refused() {
        for (line, want) in [
            ("wait --nope", "unknown flag: --nope"),
            ("wait --loglevel", "flag needs an argument: --loglevel"),
            ("wait -x", "unknown flag: -x"),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), want);
        }
        let line = parse("wait --log-format xml").unwrap();
        assert_eq!(
            line.logging().unwrap_err().to_string(),
            "invalid argument \"xml\" for \"--log-format\" flag"
        );
    }
}
