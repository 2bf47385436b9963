//! Values of custom metrics as the engine told them (C-MET-10). Not here: how they are served.

use std::collections::BTreeMap;
use std::sync::Mutex;

use argosy_engine::{Metric, MetricKind};

/// How many series are kept; more are dropped, as a metric with an unbounded label would otherwise eat all memory.
/// 10,000 series of about 200 bytes are 2 MB.
const SERIES_MAX: usize = 10_000;

/// Name and labels of a series.
pub type Series = (String, Vec<(String, String)>);

/// The current values.
#[derive(Debug, Default)]
pub struct Registry {
    values: Mutex<BTreeMap<Series, f64>>,
}

impl Registry {
    /// Adds a value. Counters add, gauges follow their operation, histograms keep the last observation.
    pub fn record(&self, metric: &Metric) {
        let mut values = self.values.lock().expect("no holder of this lock panics");
        let series = (metric.name.clone(), metric.labels.clone());
        if values.len() >= SERIES_MAX && !values.contains_key(&series) {
            return;
        }
        let entry = values.entry(series).or_insert(0.0);
        match &metric.kind {
            MetricKind::Counter => *entry += metric.value,
            MetricKind::Gauge { operation, .. } if operation == "Add" => *entry += metric.value,
            MetricKind::Gauge { operation, .. } if operation == "Sub" => *entry -= metric.value,
            MetricKind::Gauge { .. } | MetricKind::Histogram { .. } => *entry = metric.value,
        }
    }

    /// All series with their values.
    pub fn values(&self) -> Vec<(Series, f64)> {
        let values = self.values.lock().expect("no holder of this lock panics");
        values
            .iter()
            .map(|(series, value)| (series.clone(), *value))
            .collect()
    }
}
