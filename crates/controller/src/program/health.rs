//! `/healthz` and `/readyz`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use crate::probe::Probe;
use crate::world::Key;

/// What the checks remember.
pub struct Health {
    /// The controller, while this program leads.
    probe: Mutex<Option<Probe>>,
    /// Workflows that the last check found untouched.
    untouched: Mutex<BTreeSet<Key>>,
    age: SignedDuration,
}

impl Health {
    /// Checks that complain of workflows which are untouched for longer than `age`.
    pub fn new(age: SignedDuration) -> Arc<Self> {
        Arc::new(Self {
            probe: Mutex::default(),
            untouched: Mutex::default(),
            age,
        })
    }

    /// Says which controller works now.
    pub fn watch(&self, probe: Option<Probe>) {
        *self.probe.lock().unwrap_or_else(PoisonError::into_inner) = probe;
    }

    /// The controller that works now.
    pub fn probe(&self) -> Option<Probe> {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a path.
    pub fn answer(&self, path: &str) -> Option<(StatusCode, String)> {
        match path {
            "/healthz" | "/livez" => Some(self.alive(Timestamp::now())),
            "/readyz" => Some(self.ready()),
            _ => None,
        }
    }

    /// Who stands by is ready too: it would start at once.
    fn ready(&self) -> (StatusCode, String) {
        match self.probe() {
            Some(probe) if !probe.is_ready() => (
                StatusCode::SERVICE_UNAVAILABLE,
                "listing what is in the cluster\n".to_owned(),
            ),
            Some(_) => (StatusCode::OK, "leading\n".to_owned()),
            None => (StatusCode::OK, "standing by\n".to_owned()),
        }
    }

    /// Fails only when every workflow that was untouched at the last check still is (C-PROC-21).
    fn alive(&self, now: Timestamp) -> (StatusCode, String) {
        let found = self
            .probe()
            .map(|probe| probe.untouched(self.age, now))
            .unwrap_or_default();
        let mut last = self.untouched.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, found);
        match before.first() {
            Some(stuck) if before.is_subset(&last) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("workflow {stuck} is older than {} without progress\n", self.age),
            ),
            _ => (StatusCode::OK, "ok\n".to_owned()),
        }
    }
}
