//! What the caller chooses when a server starts.
//!
//! Deliberately absent: reading these from files or arguments (that is the caller's).

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::store::Limits;

/// Tells the time; replaced in simulations.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> jiff::Timestamp + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    /// The present moment.
    pub fn now(&self) -> jiff::Timestamp {
        (self.0)()
    }

    /// The present moment as objects carry it: RFC 3339 in whole seconds.
    pub fn text(&self) -> String {
        seconds(self.now())
    }
}

impl Default for Clock {
    /// The machine's clock.
    fn default() -> Self {
        Clock::new(jiff::Timestamp::now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A time as objects carry it.
pub fn seconds(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What the caller chooses when a server starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// CustomResourceDefinitions that exist from the start. Default none.
    ///
    /// [`crate::definition`] makes one without a schema.
    pub definitions: Vec<Value>,
    /// Namespaces that exist besides `default`, `kube-system`, `kube-public` and `kube-node-lease`. Default none.
    pub namespaces: Vec<String>,
    /// A bearer token with all rights, for the owner's kubeconfig. Default none.
    pub admin_token: Option<String>,
    /// Whether roles decide what a user may do. Default false: every authenticated user may do everything.
    pub rbac: bool,
    /// Names and addresses that the server's certificate holds besides `localhost` and the names by which pods
    /// call it. Default none; one that is missing makes TLS clients refuse that address.
    pub hosts: Vec<String>,
    /// The file that keeps everything across restarts. Default none: in memory only.
    pub file: Option<PathBuf>,
    /// How much past is kept for watches.
    pub limits: Limits,
    /// Tells the time. Default the machine's.
    pub clock: Clock,
}
