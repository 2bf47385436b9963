//! `when` conditions (C-WHEN): a small language of its own, evaluated after substitution. Bare words are texts in
//! steps and tasks; in cron workflows they are parameters, of which there are none.

mod date;
mod eval;
mod plan;
mod token;

use token::Token;

/// Why a condition has no answer; `Display` is the contract text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no condition.
    #[error("Invalid 'when' expression '{when}': {what}{hint}")]
    Parse {
        /// The condition.
        when: String,
        /// What the language says.
        what: String,
        /// Advice that the original appends.
        hint: &'static str,
    },
    /// It is none when bare words are texts.
    #[error("Failed to parse 'when' expression '{when}': {what}")]
    Texts {
        /// The condition.
        when: String,
        /// What the language says.
        what: String,
    },
    /// It failed while it was evaluated.
    #[error("Failed to evaluate 'when' expresion '{when}': {what}")]
    Evaluate { when: String, what: String },
    /// Its value is no boolean.
    #[error("Expected boolean evaluation for '{when}'. Got {value}")]
    NotBool { when: String, value: String },
}

const HINT: &str = " (hint: try wrapping the affected expression in quotes (\"))";

/// Evaluates a condition of a step or task. An empty text is true.
///
/// # Errors
/// Texts that are no condition, operands that do not fit, values that are no booleans.
pub fn evaluate(when: &str) -> Result<bool, Error> {
    if when.is_empty() {
        return Ok(true);
    }
    let parse = |what: String| {
        let hint = if what.contains("Invalid token") { HINT } else { "" };
        Error::Parse {
            when: when.to_owned(),
            what,
            hint,
        }
    };
    let mut tokens = token::read(when).map_err(parse)?;
    token::check_texts(&tokens).map_err(|what| Error::Texts {
        when: when.to_owned(),
        what,
    })?;
    for token in &mut tokens {
        if let Token::Variable(name) = token {
            *token = Token::Text(std::mem::take(name));
        }
    }
    let plan = plan::plan(&tokens).map_err(parse)?;
    match eval::run(&plan).map_err(|what| Error::Evaluate {
        when: when.to_owned(),
        what,
    })? {
        eval::Operand::Bool(b) => Ok(b),
        other => Err(Error::NotBool {
            when: when.to_owned(),
            value: other.show(),
        }),
    }
}

/// Evaluates the `when` of a cron workflow, where bare words are unknown parameters. An empty text is true.
///
/// # Errors
/// The language's own words, as the original passes them on.
pub fn evaluate_cron(when: &str) -> Result<bool, String> {
    if when.is_empty() {
        return Ok(true);
    }
    let tokens = token::read(when)?;
    let plan = plan::plan(&tokens)?;
    match eval::run(&plan)? {
        eval::Operand::Bool(b) => Ok(b),
        other => Err(format!(
            "Expected boolean evaluation for '{when}'. Got {}",
            other.show()
        )),
    }
}
