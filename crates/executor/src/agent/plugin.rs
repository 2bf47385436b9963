//! Executor plugins: sidecars of the agent that are asked, one after the other, to run a template
//! (X-XPL-04 to X-XPL-08).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use argosy_artifact::Backoff;
use serde_json::{Value, json};

use super::Answer;
use crate::env;
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::retry::is_transient_text;
use crate::text::failed;

/// Time for one call.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Calls of plugins (R-PLUGIN).
const BACKOFF: Backoff = Backoff {
    steps: Some(5),
    first: Duration::from_secs(1),
    factor: 2.0,
    jitter: 0.2,
    cap: Duration::MAX,
};

/// Longest answer that is read.
const LONGEST_ANSWER: usize = 1_536 * 1024;

/// The plugins of a workflow, in the order in which they are asked.
pub struct Plugins(Vec<Plugin>);

struct Plugin {
    name: String,
    url: String,
    token: String,
    client: reqwest::Client,
    /// It answered that it does not run templates, and is not asked again (X-XPL-06).
    is_unfit: AtomicBool,
}

/// A call that failed.
struct Fault {
    message: String,
    is_transient: bool,
}

/// The names of plugin containers (`ARGO_PLUGIN_NAMES`).
///
/// # Errors
/// A variable that is no JSON list, or a name that is no plain file name.
pub fn names() -> Result<Vec<String>, Failure> {
    let names = list("ARGO_PLUGIN_NAMES")?;
    match names
        .iter()
        .find(|n| n.is_empty() || n.contains('/') || *n == "." || *n == "..")
    {
        Some(name) => Err(Failure::new(format!(
            "ARGO_PLUGIN_NAMES: {name:?} names no container"
        ))),
        None => Ok(names),
    }
}

fn list(variable: &str) -> Result<Vec<String>, Failure> {
    let text = env::text(variable).unwrap_or_else(|| "null".to_owned());
    let parsed: Result<Option<Vec<String>>, _> = serde_json::from_str(&text);
    parsed
        .map(Option::unwrap_or_default)
        .map_err(|e| Failure::new(format!("{variable} is no list of texts: {e}")))
}

impl Plugins {
    /// Those that the environment names, with their tokens.
    ///
    /// # Errors
    /// Lists that do not fit together, or a token that is missing.
    pub fn of_environment(layout: &Layout) -> Result<Self, Failure> {
        let (names, addresses) = (names()?, list("ARGO_PLUGIN_ADDRESSES")?);
        if names.len() != addresses.len() {
            return Err(Failure::new(format!(
                "ARGO_PLUGIN_NAMES has {} entries, ARGO_PLUGIN_ADDRESSES {}",
                names.len(),
                addresses.len()
            )));
        }
        let both = names.into_iter().zip(addresses);
        let plugins = both.map(|(name, address)| Plugin::new(layout, name, &address));
        Ok(Self(plugins.collect::<Result<_, _>>()?))
    }

    /// Asks the plugins; the first one with an answer or an error decides (X-XPL-07).
    pub async fn execute(&self, workflow: &Value, template: &Value) -> Answer {
        let body = json!({"workflow": workflow, "template": template});
        for plugin in &self.0 {
            let reply = match plugin.execute(&body).await {
                Ok(reply) => reply,
                Err(message) => return Answer::of("Failed", message),
            };
            if reply["node"].is_null() {
                continue;
            }
            return match again(&reply) {
                Ok(again) => Answer {
                    node: reply["node"].clone(),
                    again,
                },
                Err(message) => Answer::of("Failed", message),
            };
        }
        Answer::of("Failed", "no plugin executed the template")
    }
}

/// After which time the task is to run again.
fn again(reply: &Value) -> Result<Duration, String> {
    if reply["node"]["phase"] == "Succeeded" {
        return Ok(Duration::ZERO);
    }
    match &reply["requeue"] {
        Value::Null => Ok(Duration::ZERO),
        Value::String(text) if text.is_empty() => Ok(Duration::ZERO),
        Value::String(text) => {
            crate::duration::parse(text).ok_or_else(|| format!("requeue {text:?} is no duration"))
        }
        other => Err(format!("requeue {other} is no duration")),
    }
}

impl Plugin {
    fn new(layout: &Layout, name: String, address: &str) -> Result<Self, Failure> {
        let path = layout.shared().join(&name).join("token");
        let token = std::fs::read_to_string(&path).map_err(|e| Failure::new(failed("open", &path, &e)))?;
        // The plugin is in the same pod: no proxy is between.
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|e| Failure::new(e.to_string()))?;
        Ok(Self {
            url: format!("{}/api/v1/template.execute", address.trim_end_matches('/')),
            name,
            token,
            client,
            is_unfit: AtomicBool::new(false),
        })
    }

    async fn execute(&self, body: &Value) -> Result<Value, String> {
        if self.is_unfit.load(Ordering::Relaxed) {
            return Ok(Value::Null);
        }
        let call = || self.call(body);
        BACKOFF
            .retry(|f: &Fault| f.is_transient, call)
            .await
            .map_err(|f| f.message)
    }

    async fn call(&self, body: &Value) -> Result<Value, Fault> {
        let request = self.client.post(&self.url).bearer_auth(&self.token);
        let request = request.header(reqwest::header::CONTENT_TYPE, "application/json");
        let sent = request.body(body.to_string()).send().await;
        let mut response = sent.map_err(|e| broken(&e))?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(bytes) = response.chunk().await.map_err(|e| broken(&e))? {
            if answer.len() + bytes.len() > LONGEST_ANSWER {
                let message = format!("plugin {} answered more than {LONGEST_ANSWER} bytes", self.name);
                return Err(Fault {
                    message,
                    is_transient: false,
                });
            }
            answer.extend_from_slice(&bytes);
        }
        match status.as_u16() {
            200 => serde_json::from_slice(&answer).map_err(|e| Fault {
                message: format!("plugin {} answered no JSON: {e}", self.name),
                is_transient: false,
            }),
            404 => {
                log::info("plugin runs no templates", &[("plugin", &self.name)]);
                self.is_unfit.store(true, Ordering::Relaxed);
                Ok(Value::Null)
            }
            code => Err(Fault {
                message: format!("{status}: {}", String::from_utf8_lossy(&answer)),
                is_transient: code == 503,
            }),
        }
    }
}

fn broken(error: &reqwest::Error) -> Fault {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    Fault {
        is_transient: error.is_connect() || error.is_timeout() || is_transient_text(&message),
        message,
    }
}
