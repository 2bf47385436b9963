//! Custom metrics (C-VAL-17).

use argosy_model::{Metrics, Prometheus};

use super::Fault;
use super::fault::Place;

/// Checks the metrics of a template.
pub(super) fn check(template: &str, metrics: &Metrics) -> Result<(), Fault> {
    for (index, metric) in metrics.prometheus.iter().enumerate() {
        let place = [
            Place::Key("metrics"),
            Place::Key("prometheus"),
            Place::Index(index),
        ];
        check_one(template, metric).map_err(|message| Fault::new(message).at(&place))?;
    }
    Ok(())
}

fn check_one(template: &str, metric: &Prometheus) -> Result<(), String> {
    let name = &metric.name;
    if !is_name(name) {
        return Err(format!(
            "templates.{template} metric name '{name}' is invalid. Metric names must contain alphanumeric characters or '_'"
        ));
    }
    if let Some(label) = metric.labels.iter().find(|label| !is_name(&label.key)) {
        return Err(format!(
            "metric label '{}' is invalid: keys may only contain alphanumeric characters or '_'",
            label.key
        ));
    }
    if metric.help.is_empty() {
        return Err(format!(
            "templates.{template} metric '{name}' must contain a help string under 'help: ' field"
        ));
    }
    check_value(metric).map_err(|why| format!("templates.{template} metric '{name}' error: {why}"))
}

fn check_value(metric: &Prometheus) -> Result<(), &'static str> {
    if let Some(gauge) = &metric.gauge {
        if gauge.value.is_empty() {
            return Err("missing gauge.value");
        }
        if gauge.realtime == Some(true) && gauge.value.contains("resourcesDuration.") {
            return Err("'resourcesDuration.*' metrics cannot be used in real-time");
        }
    }
    if metric
        .histogram
        .as_ref()
        .is_some_and(|histogram| histogram.value.is_empty())
    {
        return Err("missing histogram.value");
    }
    if metric
        .counter
        .as_ref()
        .is_some_and(|counter| counter.value.is_empty())
    {
        return Err("missing counter.value");
    }
    Ok(())
}

/// Whether a text can be the name of a metric or of a label.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
