//! Metrics and spans for collectors of OpenTelemetry, by its protocol OTLP (opentelemetry.io/docs/specs/otlp). Not here:
//! what is measured.

mod metrics;
mod send;
mod spans;
mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::metrics::Registry;
use crate::metrics::gauges::Gauge;
use metrics::Scale;
use send::Sender;
pub use spans::{Span, Tracer};
pub use target::{Error, Protocol, Settings, Target};

/// How many spans may wait to be sent; more are dropped, since they are help, not state. A workflow of 1,000 nodes makes
/// about 5,000.
const SPANS_MAX: usize = 16_384;

/// How many spans one request holds at most.
const BATCH_MAX: usize = 512;

/// How long spans are collected before they are sent.
const BATCH_WAIT: Duration = Duration::from_secs(1);

/// The pauses before spans that were not taken are sent again. After them they are dropped.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// Sends metrics until the task is aborted. `gauges` counts what is counted only when it is asked for.
///
/// # Errors
/// The target can't be used at all.
pub fn send_metrics(
    settings: &Settings,
    target: Target,
    registry: Arc<Registry>,
    gauges: impl Fn() -> Vec<Gauge> + Send + 'static,
    delta: Arc<AtomicBool>,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let sender = Sender::new(target)?;
    let (resource, interval) = (resource(settings), settings.interval);
    let mut scale = Scale::new(Timestamp::now());
    Ok(async move {
        let mut told = Trouble::default();
        loop {
            tokio::time::sleep(interval).await;
            let (readings, now) = (registry.read(&gauges()), Timestamp::now());
            let message = ExportMetricsServiceRequest {
                resource_metrics: vec![ResourceMetrics {
                    resource: Some(resource.clone()),
                    scope_metrics: vec![ScopeMetrics {
                        scope: Some(scope()),
                        metrics: scale.metrics(&readings, delta.load(Ordering::Relaxed), now),
                        ..ScopeMetrics::default()
                    }],
                    ..ResourceMetrics::default()
                }],
            };
            let sent = sender.metrics(message).await;
            if sent.is_ok() {
                scale.note(readings, now);
            }
            told.take("Metrics", sent);
        }
    })
}

/// A tracer, and what sends its spans until the task is aborted.
///
/// # Errors
/// The target can't be used at all.
pub fn send_spans(
    settings: &Settings,
    target: Target,
) -> anyhow::Result<(Tracer, impl Future<Output = ()> + Send + use<>)> {
    let sender = Sender::new(target)?;
    let resource = resource(settings);
    let (spans, mut waiting) = mpsc::channel(SPANS_MAX);
    let work = async move {
        let mut told = Trouble::default();
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, BATCH_MAX).await > 0 {
            if batch.len() < BATCH_MAX {
                tokio::time::sleep(BATCH_WAIT).await;
                while batch.len() < BATCH_MAX
                    && let Ok(span) = waiting.try_recv()
                {
                    batch.push(span);
                }
            }
            let message = ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans {
                    resource: Some(resource.clone()),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope()),
                        spans: batch.drain(..).map(Span::into_wire).collect(),
                        ..ScopeSpans::default()
                    }],
                    ..ResourceSpans::default()
                }],
            };
            let mut sent = sender.traces(message.clone()).await;
            for pause in PAUSES {
                if sent.is_ok() {
                    break;
                }
                tokio::time::sleep(pause).await;
                sent = sender.traces(message.clone()).await;
            }
            told.take("Spans", sent);
        }
    };
    Ok((Tracer::new(spans), work))
}

/// Tells of a collector that does not take what is sent: once, until it does again.
#[derive(Default)]
struct Trouble(bool);

impl Trouble {
    fn take(&mut self, what: &str, sent: anyhow::Result<()>) {
        match sent {
            Ok(()) => self.0 = false,
            Err(error) if self.0 => debug!(error = %format!("{error:#}"), "{what} were not sent"),
            Err(error) => {
                self.0 = true;
                warn!(error = %format!("{error:#}"), "{what} were not sent; trying on");
            }
        }
    }
}

fn resource(settings: &Settings) -> Resource {
    Resource {
        attributes: attributes(&settings.resource),
        ..Resource::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "argosy-controller".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

fn attributes(pairs: &[(String, String)]) -> Vec<KeyValue> {
    pairs.iter().map(|(name, value)| attribute(name, value)).collect()
}

fn attribute(name: &str, value: &str) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

/// Nanoseconds since 1970; 0 before that.
fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}
