//! Access tokens that are fetched before the first request and again before they run out. Where
//! they come from is the drivers' affair.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::store::Error;

/// A token is fetched anew so long before it runs out, for requests that are on their way.
const MARGIN: Duration = Duration::from_secs(300);

/// How long a token of unknown life is used.
const USUAL_LIFE: Duration = Duration::from_secs(600);

/// The last token that was fetched.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<(String, Instant)>>);

impl Kept {
    /// The kept token, or a new one.
    pub async fn get<F>(&self, fetch: impl FnOnce() -> F) -> Result<String, Error>
    where
        F: Future<Output = Result<(String, Duration), Error>>,
    {
        let mut kept = self.0.lock().await;
        if let Some((token, until)) = &*kept
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let (token, life) = fetch().await?;
        let until = Instant::now() + life.saturating_sub(MARGIN);
        *kept = Some((token.clone(), until));
        Ok(token)
    }
}

/// The token in an OAuth answer, and how long it lives.
pub(crate) fn of_answer(answer: &Value) -> Result<(String, Duration), Error> {
    let token = answer["access_token"].as_str().ok_or_else(|| Error::Store {
        message: "the token server's answer has no access_token".to_owned(),
        is_transient: false,
    })?;
    // Some servers write the number as a text.
    let life = match &answer["expires_in"] {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    Ok((token.to_owned(), life.map_or(USUAL_LIFE, Duration::from_secs)))
}
