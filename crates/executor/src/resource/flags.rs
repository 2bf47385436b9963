//! The kubectl flags of resource templates that are understood without kubectl (rule X-RES-05).
//! What they do is in `actions`.

/// Flags and words, sorted by meaning.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// Words that are no flags: a kind and names, or `kind/name`.
    pub words: Vec<String>,
    /// Where the object is.
    pub namespace: Option<String>,
    /// Whether unknown fields are refused: `true`, `strict`, `warn`, `ignore` or `false`.
    pub validate: Option<String>,
    /// Whether the server works out what `apply` changes.
    pub server_side: bool,
    /// Whether `apply` takes fields over from others.
    pub force_conflicts: bool,
    /// As whom fields are written.
    pub field_manager: Option<String>,
    /// Delete at once; replace by deleting and making anew.
    pub force: bool,
    /// Seconds that a deleted object may take.
    pub grace_period: Option<i64>,
    /// What happens to an object's dependents: `background`, `foreground` or `orphan`.
    pub cascade: Option<String>,
    /// Whether `delete` returns before the object is gone.
    pub no_wait: bool,
    /// Which objects, by labels.
    pub selector: Option<String>,
    /// Which objects, by fields.
    pub field_selector: Option<String>,
    /// Every object of the kind.
    pub all: bool,
    /// Nothing is changed: `server` or `client`.
    pub dry_run: Option<String>,
    /// Whether what was applied is noted on a created object.
    pub save_config: bool,
    /// The part of the object that is written.
    pub subresource: Option<String>,
}

/// Flags that may stand alone.
const SWITCHES: &[&str] = &[
    "validate",
    "server-side",
    "force-conflicts",
    "force",
    "wait",
    "all",
    "dry-run",
    "save-config",
    "overwrite",
    "cascade",
    "ignore-not-found",
    "recursive",
    "record",
];

impl Flags {
    /// Sorts the flags of a template.
    ///
    /// # Errors
    /// A flag that is not understood, by name.
    pub fn parse(given: &[String]) -> Result<Self, String> {
        let mut flags = Self::default();
        let mut rest = given.iter();
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix('-') else {
                flags.words.push(word.clone());
                continue;
            };
            let (name, inline) = match flag.strip_prefix('-') {
                Some(long) => match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                },
                None => (long_name(flag).ok_or_else(|| unknown(word))?, short_value(flag)),
            };
            if Self::default().set(name, String::new()).is_none() {
                return Err(unknown(word));
            }
            let value = match inline {
                Some(value) => value,
                None if SWITCHES.contains(&name) => "true".to_owned(),
                None => rest
                    .next()
                    .ok_or_else(|| format!("error: flag needs an argument: {word}"))?
                    .clone(),
            };
            flags.set(name, value).ok_or_else(|| unknown(word))?;
        }
        Ok(flags)
    }

    fn set(&mut self, name: &str, value: String) -> Option<()> {
        let is_on = !matches!(value.as_str(), "false" | "0" | "f");
        match name {
            "namespace" => self.namespace = Some(value),
            "validate" => self.validate = Some(value),
            "server-side" => self.server_side = is_on,
            "force-conflicts" => self.force_conflicts = is_on,
            "field-manager" => self.field_manager = Some(value),
            "force" => self.force = is_on,
            "grace-period" => self.grace_period = value.parse().ok(),
            "cascade" => self.cascade = Some(value),
            "wait" => self.no_wait = !is_on,
            "selector" => self.selector = Some(value),
            "field-selector" => self.field_selector = Some(value),
            "all" => self.all = is_on,
            "dry-run" => self.dry_run = Some(value),
            "save-config" => self.save_config = is_on,
            "subresource" => self.subresource = Some(value),
            // Ours come last on the peer's command line and win, or change nothing here.
            "output" | "overwrite" | "ignore-not-found" | "timeout" | "recursive" | "record" => {}
            _ => return None,
        }
        Some(())
    }

    /// The value of `fieldValidation` for the server.
    pub fn field_validation(&self) -> &'static str {
        match self.validate.as_deref() {
            Some("false" | "ignore") => "Ignore",
            Some("warn") => "Warn",
            _ => "Strict",
        }
    }
}

fn long_name(short: &str) -> Option<&'static str> {
    match short.chars().next()? {
        'n' => Some("namespace"),
        'l' => Some("selector"),
        'o' => Some("output"),
        'R' => Some("recursive"),
        _ => None,
    }
}

fn short_value(short: &str) -> Option<String> {
    let rest = short.get(1..)?;
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    (!rest.is_empty()).then(|| rest.to_owned())
}

fn unknown(word: &str) -> String {
    format!("error: unknown flag: {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Flags, String> {
        Flags::parse(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn x_res_05_flags() {
        let flags =
            parse("pod mypod -n ns --validate=false --server-side -lapp=x -o yaml --wait=false").unwrap();
        assert_eq!(flags.words, ["pod", "mypod"]);
        assert_eq!(flags.namespace.as_deref(), Some("ns"));
        assert_eq!(flags.field_validation(), "Ignore");
        assert!(flags.server_side && flags.no_wait);
        assert_eq!(flags.selector.as_deref(), Some("app=x"));
        assert_eq!(
            parse("configmap --selector cleanup=true")
                .unwrap()
                .selector
                .as_deref(),
            Some("cleanup=true")
        );
        assert_eq!(parse("--nope").unwrap_err(), "error: unknown flag: --nope");
    }
}
