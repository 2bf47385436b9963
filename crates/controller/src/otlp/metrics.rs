//! The values of metrics in the protocol's form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, metric,
    number_data_point,
};

use super::{attributes, nanos};
use crate::metrics::{Kind, Labels, Reading, Value};

/// Turns readings into metrics, one after the other: with `Delta`, each tells what came since the last.
pub struct Scale {
    /// When counting began.
    start: Timestamp,
    /// What was told last, for `Delta`.
    told: BTreeMap<(String, Labels), Value>,
    told_at: Timestamp,
}

impl Scale {
    /// A scale that counts from now on.
    pub fn new(now: Timestamp) -> Self {
        Self {
            start: now,
            told: BTreeMap::new(),
            told_at: now,
        }
    }

    /// The metrics of these readings.
    pub fn metrics(&self, readings: &[Reading], delta: bool, now: Timestamp) -> Vec<Metric> {
        let since = if delta { self.told_at } else { self.start };
        readings
            .iter()
            .map(|reading| self.metric(reading, delta, since, now))
            .collect()
    }

    /// Notes that these readings were taken by the collector.
    pub fn note(&mut self, readings: Vec<Reading>, now: Timestamp) {
        self.told_at = now;
        self.told = readings
            .into_iter()
            .flat_map(|reading| {
                let name = reading.name;
                let series = reading.series.into_iter();
                series.map(move |(labels, value)| ((name.clone(), labels), value))
            })
            .collect();
    }

    fn metric(&self, reading: &Reading, delta: bool, since: Timestamp, now: Timestamp) -> Metric {
        let temporality = match delta {
            true => AggregationTemporality::Delta,
            false => AggregationTemporality::Cumulative,
        };
        let values = reading.series.iter().map(|(labels, value)| {
            let is_told_apart = delta && reading.kind != Kind::Gauge;
            let told = is_told_apart.then(|| self.told.get(&(reading.name.clone(), labels.clone())));
            let value = told
                .flatten()
                .map_or_else(|| value.clone(), |told| value.since(told));
            (labels, value)
        });
        let data = match reading.kind {
            Kind::Gauge => metric::Data::Gauge(Gauge {
                data_points: values
                    .map(|(labels, value)| point(labels, &value, 0, now))
                    .collect(),
            }),
            Kind::Counter => metric::Data::Sum(Sum {
                data_points: values
                    .map(|(labels, value)| point(labels, &value, nanos(since), now))
                    .collect(),
                aggregation_temporality: temporality.into(),
                is_monotonic: true,
            }),
            Kind::Histogram => metric::Data::Histogram(Histogram {
                data_points: values
                    .map(|(labels, value)| observed(labels, &value, &reading.bounds, nanos(since), now))
                    .collect(),
                aggregation_temporality: temporality.into(),
            }),
        };
        Metric {
            name: reading.name.clone(),
            description: reading.help.clone(),
            data: Some(data),
            ..Metric::default()
        }
    }
}

fn point(labels: &Labels, value: &Value, since: u64, now: Timestamp) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: since,
        time_unix_nano: nanos(now),
        value: Some(number_data_point::Value::AsDouble(value.value)),
        ..NumberDataPoint::default()
    }
}

fn observed(
    labels: &Labels,
    value: &Value,
    bounds: &[f64],
    since: u64,
    now: Timestamp,
) -> HistogramDataPoint {
    // The last bucket has no bound.
    let above = value.count.saturating_sub(value.buckets.iter().sum());
    HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: since,
        time_unix_nano: nanos(now),
        count: value.count,
        sum: Some(value.value),
        bucket_counts: value.buckets.iter().copied().chain([above]).collect(),
        explicit_bounds: bounds.to_vec(),
        ..HistogramDataPoint::default()
    }
}
