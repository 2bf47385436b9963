//! Values of metrics, those of the controller itself and those that workflows define (C-MET-01, C-MET-10), and what
//! is read of them. Not here: how they are served, and gauges that only count what the world holds (`gauges`).

mod builtin;
pub mod changes;
pub mod gauges;
mod reading;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argosy_engine::{Metric, MetricKind};
use argosy_model::config::MetricModifier;
use jiff::Timestamp;

pub use builtin::{BUILT_IN, BuiltIn};
pub use reading::{Reading, Value};

/// How many series are kept; more are dropped, as a metric with an unbounded label would otherwise eat all memory.
/// 10,000 series of about 200 bytes are 2 MB.
const SERIES_MAX: usize = 10_000;

/// Buckets of a histogram that names none (OpenTelemetry's defaults).
const DEFAULT_BUCKETS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0,
];

/// Labels of a series, sorted by name.
pub type Labels = Vec<(String, String)>;

/// Changes to single metrics by their name without prefix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Modifiers(BTreeMap<String, MetricModifier>);

impl Modifiers {
    /// Those of the configuration.
    pub fn new(modifiers: &BTreeMap<String, MetricModifier>) -> Self {
        Self(modifiers.clone())
    }

    fn disabled(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|m| m.disabled)
    }

    /// Puts the labels that a series of this metric has in place of others.
    fn put_labels(&self, name: &str, labels: &[(&str, &str)], place: &mut Labels) {
        let dropped = self.0.get(name).map_or(&[][..], |m| &m.disabled_attributes);
        let kept = labels
            .iter()
            .filter(|(label, _)| !dropped.iter().any(|d| d == label));
        let mut count = 0;
        for (label, value) in kept {
            if place.len() == count {
                place.push(Default::default());
            }
            (*label).clone_into(&mut place[count].0);
            (*value).clone_into(&mut place[count].1);
            count += 1;
        }
        place.truncate(count);
        place.sort();
    }

    fn buckets(&self, name: &str, own: &[f64]) -> Vec<f64> {
        match self.0.get(name) {
            Some(m) if !m.histogram_buckets.is_empty() => {
                m.histogram_buckets.iter().map(|b| b.value()).collect()
            }
            _ if own.is_empty() => DEFAULT_BUCKETS.to_vec(),
            _ => own.to_vec(),
        }
    }
}

/// What a metric's values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Any value.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

#[derive(Debug)]
struct Family {
    help: String,
    kind: Kind,
    bounds: Vec<f64>,
    custom: bool,
    series: BTreeMap<Labels, Sample>,
}

#[derive(Debug)]
struct Sample {
    value: Value,
    changed: Instant,
    /// Of a gauge that follows the clock.
    clock: Option<Elapsed>,
}

/// How long something has been going on.
#[derive(Debug)]
struct Elapsed {
    /// Uid of the workflow; when that ends, so does the gauge.
    workflow: String,
    since: Timestamp,
    until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct State {
    families: BTreeMap<String, Family>,
    modifiers: Modifiers,
    ttl: Option<Duration>,
    series: usize,
    /// The labels of what was changed last: there are several changes for each request.
    labels: Labels,
}

/// The current values.
#[derive(Debug)]
pub struct Registry {
    state: Mutex<State>,
}

impl Default for Registry {
    fn default() -> Self {
        let registry = Self {
            state: Mutex::default(),
        };
        // A cause that never occurred shows as 0, so that alerts on its growth work from the start.
        for cause in [
            "OperationPanic",
            "CronWorkflowSubmissionError",
            "CronWorkflowSpecError",
        ] {
            registry.add("error_count", &[("cause", cause)], 0.0);
        }
        registry
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes new settings; series that exist keep the labels and buckets that they have.
    pub fn configure(&self, modifiers: Modifiers, ttl: Option<Duration>) {
        let mut state = self.lock();
        state.modifiers = modifiers;
        state.ttl = ttl;
    }

    /// Adds to a counter or gauge of the controller's own.
    pub fn add(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.lock().change(builtin::family(name, labels), labels, |s, _| {
            s.value.value += value
        });
    }

    /// Sets a gauge of the controller's own.
    pub fn set(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.lock().change(builtin::family(name, labels), labels, |s, _| {
            s.value.value = value
        });
    }

    /// Observes a value of a histogram of the controller's own.
    pub fn observe(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.lock()
            .change(builtin::family(name, labels), labels, |s, bounds| {
                s.value.observe(bounds, value)
            });
    }

    /// Takes the value of a metric that a workflow, known by its uid, defines. A later one of the same name with another
    /// kind is dropped.
    pub fn record(&self, metric: &Metric, workflow: &str) {
        let labels: Vec<(&str, &str)> = metric
            .labels
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let (kind, bounds): (_, &[f64]) = match &metric.kind {
            MetricKind::Counter => (Kind::Counter, &[]),
            MetricKind::Gauge { .. } | MetricKind::Elapsed { .. } => (Kind::Gauge, &[]),
            MetricKind::Histogram { buckets } => (Kind::Histogram, buckets),
        };
        let definition = Definition {
            name: &metric.name,
            help: &metric.help,
            kind,
            bounds,
            custom: true,
        };
        self.lock().change(Some(definition), &labels, |sample, bounds| {
            let now = &mut sample.value;
            match &metric.kind {
                MetricKind::Counter => now.value += metric.value,
                MetricKind::Gauge { operation } if operation == "Add" => now.value += metric.value,
                MetricKind::Gauge { operation } if operation == "Sub" => now.value -= metric.value,
                MetricKind::Gauge { .. } => now.value = metric.value,
                MetricKind::Elapsed { since, until, .. } => {
                    sample.clock = Some(Elapsed {
                        workflow: workflow.to_owned(),
                        since: *since,
                        until: *until,
                    });
                }
                MetricKind::Histogram { .. } => now.observe(bounds, metric.value),
            }
        });
    }

    /// Drops the gauges of a workflow that follow the clock (C-PER-09).
    pub fn stop_clocks(&self, workflow: &str) {
        let mut state = self.lock();
        let mut gone = 0;
        for family in state.families.values_mut().filter(|f| f.custom) {
            let before = family.series.len();
            family
                .series
                .retain(|_, sample| sample.clock.as_ref().is_none_or(|c| c.workflow != workflow));
            gone += before - family.series.len();
        }
        state.series -= gone;
        state.families.retain(|_, family| !family.series.is_empty());
    }

    /// The value of a series, or the sum of a histogram's; `None` for one that was never set.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let state = self.lock();
        let mut kept = Labels::new();
        state.modifiers.put_labels(name, labels, &mut kept);
        Some(state.families.get(name)?.series.get(&kept)?.value.value)
    }

    /// All values in Prometheus' text form, with those of gauges that were counted just now.
    pub fn text(&self, counted: &[gauges::Gauge]) -> String {
        let mut text = String::new();
        for reading in self.read(counted) {
            reading.write(&mut text);
        }
        text
    }

    /// All values, with those of gauges that were counted just now.
    pub fn read(&self, counted: &[gauges::Gauge]) -> Vec<Reading> {
        let mut state = self.lock();
        // What is counted anew may not show what is gone, such as the holders of a lock.
        for gauge in counted {
            if let Some(family) = state.families.get_mut(gauge.name) {
                family
                    .series
                    .values_mut()
                    .for_each(|sample| sample.value.value = 0.0);
            }
        }
        for gauge in counted {
            let labels: Vec<(&str, &str)> = gauge.labels.iter().map(|(n, v)| (*n, v.as_str())).collect();
            state.change(builtin::family(gauge.name, &labels), &labels, |s, _| {
                s.value.value = gauge.value
            });
        }
        state.expire();
        let wanted = state
            .families
            .iter()
            .filter(|(name, _)| !state.modifiers.disabled(name));
        wanted.map(|(name, family)| family.read(name)).collect()
    }
}

/// What a metric is, whoever defined it.
struct Definition<'a> {
    name: &'a str,
    help: &'a str,
    kind: Kind,
    bounds: &'a [f64],
    custom: bool,
}

impl State {
    fn change(
        &mut self,
        definition: Option<Definition<'_>>,
        labels: &[(&str, &str)],
        change: impl FnOnce(&mut Sample, &[f64]),
    ) {
        let Some(definition) = definition else { return };
        self.modifiers
            .put_labels(definition.name, labels, &mut self.labels);
        if !self.families.contains_key(definition.name) {
            let family = Family {
                help: definition.help.to_owned(),
                kind: definition.kind,
                bounds: self.modifiers.buckets(definition.name, definition.bounds),
                custom: definition.custom,
                series: BTreeMap::new(),
            };
            self.families.insert(definition.name.to_owned(), family);
        }
        let Some(family) = self.families.get_mut(definition.name) else {
            return;
        };
        if family.kind != definition.kind || family.custom != definition.custom {
            return;
        }
        let sample = match family.series.get_mut(&self.labels) {
            Some(known) => known,
            None if self.series >= SERIES_MAX => return,
            None => {
                self.series += 1;
                let fresh = Sample {
                    value: Value {
                        value: 0.0,
                        count: 0,
                        buckets: vec![0; family.bounds.len()],
                    },
                    changed: Instant::now(),
                    clock: None,
                };
                family.series.entry(self.labels.clone()).or_insert(fresh)
            }
        };
        sample.changed = Instant::now();
        change(sample, &family.bounds);
    }

    /// Drops custom series that did not change for longer than they may.
    fn expire(&mut self) {
        let Some(ttl) = self.ttl else { return };
        for family in self.families.values_mut().filter(|f| f.custom) {
            let before = family.series.len();
            family
                .series
                .retain(|_, sample| sample.clock.is_some() || sample.changed.elapsed() < ttl);
            self.series -= before - family.series.len();
        }
        self.families.retain(|_, family| !family.series.is_empty());
    }
}

impl Sample {
    /// The value now.
    fn now(&self) -> Value {
        let mut value = self.value.clone();
        if let Some(clock) = &self.clock {
            let until = clock.until.unwrap_or_else(Timestamp::now);
            value.value = until.duration_since(clock.since).as_secs_f64();
        }
        value
    }
}

impl Family {
    fn read(&self, name: &str) -> Reading {
        let series = self.series.iter();
        Reading {
            name: name.to_owned(),
            help: self.help.clone(),
            kind: self.kind,
            bounds: self.bounds.clone(),
            series: series
                .map(|(labels, sample)| (labels.clone(), sample.now()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_text() {
        let registry = Registry::default();
        registry.add("total_count", &[("phase", "Failed"), ("namespace", "a\"b")], 1.0);
        registry.add("total_count", &[("namespace", "a\"b"), ("phase", "Failed")], 1.0);
        registry.set("is_leader", &[], 1.0);
        registry.observe("k8s_request_duration", &[("verb", "List")], 6.0);
        registry.add("no_such_metric", &[], 1.0);
        registry.record(
            &Metric {
                name: "mine".into(),
                help: "two\nlines".into(),
                labels: vec![("b".into(), "2".into()), ("a".into(), "1".into())],
                kind: MetricKind::Gauge {
                    operation: "Sub".into(),
                },
                value: 1.5,
            },
            "uid",
        );
        let text = registry.text(&[]);
        for line in [
            "# TYPE argo_workflows_total_count counter",
            "argo_workflows_total_count{namespace=\"a\\\"b\",phase=\"Failed\"} 2",
            "argo_workflows_is_leader 1",
            "argo_workflows_k8s_request_duration_bucket{verb=\"List\",le=\"5\"} 0",
            "argo_workflows_k8s_request_duration_bucket{verb=\"List\",le=\"20\"} 1",
            "argo_workflows_k8s_request_duration_bucket{verb=\"List\",le=\"+Inf\"} 1",
            "argo_workflows_k8s_request_duration_sum{verb=\"List\"} 6",
            "# HELP argo_workflows_mine two\\nlines",
            "argo_workflows_mine{a=\"1\",b=\"2\"} -1.5",
            "argo_workflows_error_count{cause=\"OperationPanic\"} 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("no_such_metric"));
    }

    #[test]
    fn modifiers_drop_and_change() {
        let registry = Registry::default();
        let modifier = |json| argosy_model::decode::strict(json).expect("a modifier");
        let modifiers = BTreeMap::from([
            (
                "is_leader".into(),
                modifier(serde_json::json!({"disabled": true})),
            ),
            (
                "total_count".into(),
                modifier(serde_json::json!({"disabledAttributes": ["namespace"]})),
            ),
            (
                "k8s_request_duration".into(),
                modifier(serde_json::json!({"histogramBuckets": [7.5]})),
            ),
        ]);
        registry.configure(Modifiers::new(&modifiers), Some(Duration::ZERO));
        registry.set("is_leader", &[], 1.0);
        registry.add("total_count", &[("phase", "Failed"), ("namespace", "x")], 1.0);
        registry.observe("k8s_request_duration", &[], 6.0);
        registry.record(
            &Metric {
                name: "mine".into(),
                help: "h".into(),
                labels: Vec::new(),
                kind: MetricKind::Counter,
                value: 1.0,
            },
            "uid",
        );
        let text = registry.text(&[]);
        assert!(!text.contains("is_leader") && !text.contains("mine"), "{text}");
        assert!(
            text.contains("argo_workflows_total_count{phase=\"Failed\"} 1"),
            "{text}"
        );
        assert!(
            text.contains("argo_workflows_k8s_request_duration_bucket{le=\"7.5\"} 1"),
            "{text}"
        );
    }
}
