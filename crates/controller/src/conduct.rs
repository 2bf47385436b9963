//! How decisions are carried out, apart from what is decided: which events are written, how fast pods are made, when a
//! new workflow is first looked at, which pods' specs are logged.

use std::sync::Arc;
use std::time::Duration;

use argosy_engine::Changes;
use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus};
use tokio::time::Instant;
use tracing::info;

/// What the configuration says about carrying out decisions. Default: everything at once, all events, no specs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Conduct {
    /// Which Kubernetes events are written. Default all.
    pub events: Events,
    /// How fast pods are made. Default: as fast as the API server takes them.
    pub pods: Option<Rate>,
    /// How long a workflow is left alone when it is first seen, unless somebody changes it. Default 0.
    pub initial_delay: Duration,
    /// Which pods' specs are logged when their nodes end. Default none.
    pub logged_specs: Specs,
}

/// Which Kubernetes events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events {
    /// Those about workflows. Default true.
    pub workflows: bool,
    /// Those about nodes. Default true.
    pub nodes: bool,
    /// Whether events about nodes with a pod are about the pod (C-EVT-02). Default false.
    pub as_pod: bool,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            workflows: true,
            nodes: true,
            as_pod: false,
        }
    }
}

/// So many in a second on average, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// In a second; above 0.
    pub per_second: f64,
    /// At once; at least 1.
    pub burst: u32,
}

/// Which pods' specs are logged when their nodes end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Specs {
    /// None.
    #[default]
    None,
    /// Those of nodes that failed.
    Failed,
    /// All.
    All,
}

/// The tokens of a [`Rate`]: each pod takes one.
#[derive(Debug)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            tokens: f64::from(rate.burst),
            at: Instant::now(),
        }
    }

    /// The rate it was made for.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Takes a token.
    ///
    /// # Errors
    /// There is none; gives the time until the next.
    pub fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let grown = now.duration_since(self.at).as_secs_f64() * self.rate.per_second;
        self.tokens = (self.tokens + grown).min(f64::from(self.rate.burst));
        self.at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let missing = (1.0 - self.tokens) / self.rate.per_second;
        Err(Duration::try_from_secs_f64(missing).unwrap_or(Duration::MAX))
    }
}

impl Specs {
    /// Logs the specs of pods whose nodes have ended by these changes; `pod_of` finds the pod of a node.
    pub fn log(self, changes: &Changes, pod_of: impl Fn(&NodeStatus) -> Option<Arc<Pod>>) {
        if self == Specs::None {
            return;
        }
        for node in changes.nodes.values() {
            let wanted = match node.phase {
                NodePhase::Failed | NodePhase::Error => true,
                NodePhase::Succeeded => self == Specs::All,
                _ => false,
            };
            if wanted && let Some(pod) = pod_of(node) {
                let spec = serde_json::to_string(&pod.spec).unwrap_or_default();
                info!(node = %node.name, pod = %pod.metadata.name, phase = %node.phase.as_str(), spec, "Spec of a pod");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pods_come_in_a_burst_and_then_at_the_rate() {
        let mut bucket = Bucket::new(Rate {
            per_second: 2.0,
            burst: 3,
        });
        let taken = |bucket: &mut Bucket| std::iter::from_fn(|| bucket.take().ok()).count();
        assert_eq!(taken(&mut bucket), 3);
        assert_eq!(bucket.take(), Err(Duration::from_millis(500)));
        tokio::time::advance(Duration::from_millis(1000)).await;
        assert_eq!(taken(&mut bucket), 2);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(taken(&mut bucket), 3, "never more than a burst");
    }
}
