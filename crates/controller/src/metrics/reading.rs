//! Values of metrics at one time, and their text for Prometheus.

use std::fmt::Write as _;

use super::{Kind, Labels};

/// Put before every name.
const PREFIX: &str = "argo_workflows_";

/// The values of one metric at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Name without prefix.
    pub name: String,
    /// One line of help.
    pub help: String,
    /// What the values mean.
    pub kind: Kind,
    /// Upper bounds of a histogram's buckets.
    pub bounds: Vec<f64>,
    /// Values by their labels.
    pub series: Vec<(Labels, Value)>,
}

/// A value, or the observations of a histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// The value, or the sum of a histogram.
    pub value: f64,
    /// How many observations there are.
    pub count: u64,
    /// How many observations are in each bucket, without those of the buckets below and those above the last bound.
    pub buckets: Vec<u64>,
}

impl Value {
    /// Takes an observation.
    pub(super) fn observe(&mut self, bounds: &[f64], value: f64) {
        self.value += value;
        self.count += 1;
        if let Some(at) = bounds.iter().position(|bound| value <= *bound)
            && let Some(bucket) = self.buckets.get_mut(at)
        {
            *bucket += 1;
        }
    }

    /// What came since an earlier value.
    pub fn since(&self, earlier: &Value) -> Value {
        let buckets = self.buckets.iter().zip(&earlier.buckets);
        Value {
            value: self.value - earlier.value,
            count: self.count.saturating_sub(earlier.count),
            buckets: buckets.map(|(now, then)| now.saturating_sub(*then)).collect(),
        }
    }
}

impl Reading {
    /// Writes the lines of one metric.
    pub(super) fn write(&self, out: &mut String) {
        let name = &self.name;
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a String can't fail.
        let _ = writeln!(out, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}");
        for (labels, sample) in &self.series {
            if self.kind != Kind::Histogram {
                let _ = writeln!(out, "{PREFIX}{name}{} {}", braces(labels, None), sample.value);
                continue;
            }
            let mut below = 0;
            for (bound, count) in self.bounds.iter().zip(&sample.buckets) {
                below += count;
                let labels = braces(labels, Some(&bound.to_string()));
                let _ = writeln!(out, "{PREFIX}{name}_bucket{labels} {below}");
            }
            let all = braces(labels, Some("+Inf"));
            let _ = writeln!(out, "{PREFIX}{name}_bucket{all} {}", sample.count);
            let labels = braces(labels, None);
            let _ = writeln!(out, "{PREFIX}{name}_sum{labels} {}", sample.value);
            let _ = writeln!(out, "{PREFIX}{name}_count{labels} {}", sample.count);
        }
    }
}

/// Labels in braces, with the bound of a bucket; nothing without labels.
fn braces(labels: &Labels, bound: Option<&str>) -> String {
    let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<String> = pairs
        .chain(bound.map(|b| ("le", b)))
        .map(|(name, value)| {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("{name}=\"{value}\"")
        })
        .collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", all.join(",")),
    }
}
