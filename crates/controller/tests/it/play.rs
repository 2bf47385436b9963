//! Controllers in virtual time, for tests of what happens when.

use std::time::Duration;

use argosy_controller::{Clock, Conduct, Controller, Options};
use argosy_engine::Config;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::{NAMESPACE, Stage};

/// When every play begins: half a minute before a full minute.
pub const START: &str = "2026-01-01T12:00:30Z";

/// Lets so many seconds of the play's time go by: none of real time, since its clock is one that is paused.
pub async fn pass(secs: f64) {
    tokio::time::sleep(Duration::from_secs_f64(secs)).await;
}

/// An API, a clock that goes as fast as nothing is left to do, and controllers.
pub struct Play {
    pub stage: Stage,
    pub clock: Clock,
    pub controllers: Vec<Controller>,
}

impl Play {
    pub fn new() -> Self {
        let (start, began): (Timestamp, _) = (START.parse().expect("a time"), Instant::now());
        let clock = Clock::new(move || {
            let passed = SignedDuration::try_from(began.elapsed()).expect("short");
            start + passed
        });
        Self {
            stage: Stage::new(),
            clock,
            controllers: Vec::new(),
        }
    }

    /// Starts a controller, beside those that run.
    pub fn start(&mut self, config: Config) {
        self.start_with(config, Conduct::default());
    }

    /// Starts a controller that carries decisions out in its own way.
    pub fn start_with(&mut self, config: Config, conduct: Conduct) {
        let options = Options {
            config,
            conduct,
            clock: self.clock.clone(),
            ..Options::default()
        };
        let controller = Controller::start(self.stage.client.clone(), options);
        self.controllers.push(controller);
    }

    /// All workflows, by name.
    pub async fn workflows(&self) -> Vec<Value> {
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows");
        let list = self.stage.call("GET", &path, None).await;
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Ends all controllers.
    pub async fn stop(self) {
        for controller in self.controllers {
            controller.stop().await;
        }
    }
}
