//! What a collector of OpenTelemetry gets, by both forms of its protocol. The collector here is the protocol's own
//! generated server, and for HTTP a server that decodes the bodies.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::convert::Infallible;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use argosy_controller::otlp::{self, Settings};
use argosy_controller::{Controller, Options, Registry};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

use crate::{Stage, until};

/// What has come.
#[derive(Clone, Default)]
struct Collector {
    metrics: Arc<Mutex<Vec<Metric>>>,
    spans: Arc<Mutex<Vec<Span>>>,
    /// Names of the services that sent.
    services: Arc<Mutex<Vec<String>>>,
}

const TOKEN: &str = "a token";

impl Collector {
    fn take_metrics(&self, sent: ExportMetricsServiceRequest) {
        for resource in sent.resource_metrics {
            let scopes = resource.scope_metrics.into_iter();
            self.metrics
                .lock()
                .unwrap()
                .extend(scopes.flat_map(|s| s.metrics));
        }
    }

    fn take_spans(&self, sent: ExportTraceServiceRequest) {
        for resource in sent.resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            self.services
                .lock()
                .unwrap()
                .push(text(&attributes, "service.name"));
            let scopes = resource.scope_spans.into_iter();
            self.spans.lock().unwrap().extend(scopes.flat_map(|s| s.spans));
        }
    }

    /// Serves gRPC; gives the address.
    async fn grpc(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let incoming = futures::stream::unfold(listener, |listener| async move {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let server = tonic::transport::Server::builder()
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        address
    }

    /// Serves HTTP; gives the address.
    async fn http(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let collector = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let collector = collector.clone();
                let answer = move |request: http::Request<Incoming>| {
                    let collector = collector.clone();
                    async move {
                        assert_eq!(request.headers()["content-type"], "application/x-protobuf");
                        assert_eq!(request.headers()["authorization"], TOKEN);
                        let path = request.uri().path().to_owned();
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        match path.as_str() {
                            "/v1/metrics" => {
                                collector.take_metrics(ExportMetricsServiceRequest::decode(body).unwrap())
                            }
                            "/v1/traces" => {
                                collector.take_spans(ExportTraceServiceRequest::decode(body).unwrap())
                            }
                            other => panic!("{other} was asked for"),
                        }
                        Ok::<_, Infallible>(http::Response::new(Full::<Bytes>::default()))
                    }
                };
                let service = hyper::service::service_fn(answer);
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        address
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        assert_eq!(request.metadata().get("authorization").unwrap(), TOKEN);
        self.take_metrics(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        assert_eq!(request.metadata().get("authorization").unwrap(), TOKEN);
        self.take_spans(request.into_inner());
        Ok(Response::new(Default::default()))
    }
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|a| a.key == name);
    match found.and_then(|a| a.value.clone()?.value) {
        Some(any_value::Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

fn settings(endpoint: &str, protocol: &str) -> Settings {
    let get = |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.to_owned()),
        "OTEL_EXPORTER_OTLP_PROTOCOL" => Some(protocol.to_owned()),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("authorization=a%20token".to_owned()),
        "OTEL_METRIC_EXPORT_INTERVAL" => Some("50".to_owned()),
        _ => None,
    };
    Settings::read(&get).unwrap()
}

#[tokio::test]
async fn a_collector_gets_metrics() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (protocol, delta) in [("grpc", false), ("http/protobuf", true)] {
        let collector = Collector::default();
        let endpoint = match protocol {
            "grpc" => collector.grpc().await,
            _ => collector.http().await,
        };
        let settings = settings(&endpoint, protocol);
        let registry = Arc::new(Registry::default());
        registry.add("total_count", &[("phase", "Failed")], 2.0);
        registry.observe("k8s_request_duration", &[("verb", "List")], 6.0);
        let target = settings.metrics.clone().unwrap();
        let delta = Arc::new(AtomicBool::new(delta));
        let work = otlp::send_metrics(&settings, target, registry.clone(), Vec::new, delta.clone()).unwrap();
        let work = tokio::spawn(work);
        let count = |wanted: f64| {
            let metrics = collector.metrics.lock().unwrap();
            let mut sums = metrics
                .iter()
                .filter(|m| m.name == "total_count")
                .filter_map(|m| match &m.data {
                    Some(metric::Data::Sum(sum)) => sum.data_points.first().cloned(),
                    _ => None,
                });
            sums.find(|point| point.value == Some(number_data_point::Value::AsDouble(wanted)))
        };
        let first = until("the first count", async || count(2.0)).await;
        assert_eq!(text(&first.attributes, "phase"), "Failed", "{protocol}");
        let buckets = collector
            .metrics
            .lock()
            .unwrap()
            .iter()
            .find_map(|m| match &m.data {
                Some(metric::Data::Histogram(histogram)) if m.name == "k8s_request_duration" => {
                    histogram.data_points.first().cloned()
                }
                _ => None,
            });
        let buckets = buckets.expect("a histogram");
        assert_eq!((buckets.count, buckets.sum), (1, Some(6.0)));
        assert_eq!(buckets.bucket_counts.len(), buckets.explicit_bounds.len() + 1);
        assert_eq!(buckets.bucket_counts.iter().sum::<u64>(), 1);
        // All that was counted, or what came since.
        registry.add("total_count", &[("phase", "Failed")], 3.0);
        let wanted = if delta.load(std::sync::atomic::Ordering::Relaxed) {
            3.0
        } else {
            5.0
        };
        until("the second count", async || count(wanted)).await;
        work.abort();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_spans_of_a_workflow() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for protocol in ["grpc", "http/protobuf"] {
        let collector = Collector::default();
        let endpoint = match protocol {
            "grpc" => collector.grpc().await,
            _ => collector.http().await,
        };
        let settings = settings(&endpoint, protocol);
        let (tracer, work) = otlp::send_spans(&settings, settings.traces.clone().unwrap()).unwrap();
        let work = tokio::spawn(work);
        let stage = Stage::new();
        let options = Options {
            tracer,
            ..Options::default()
        };
        let controller = Controller::start(stage.client.clone(), options);
        stage
            .submit(json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
                "spec": {"entrypoint": "main", "templates": [{"name": "main", "container": {"image": "i", "command": ["c"]}}]},
            }))
            .await;
        let pod = stage.pods_when(1).await[0].clone();
        stage.end(&pod, 1).await;
        let find = |name: &str| {
            let spans = collector.spans.lock().unwrap();
            spans.iter().find(|s| s.name == name).cloned()
        };
        let workflow = until("the workflow's span", async || find("workflow")).await;
        let node = until("the node's span", async || find("node")).await;
        let made = until("the span of the pod's making", async || find("createWorkflowPod")).await;
        let phase = until("the node's phase", async || find("nodePhase")).await;
        let stored = until("the span of a write", async || find("persistUpdates")).await;
        assert!(workflow.parent_span_id.is_empty());
        for (span, parent) in [
            (&node, &workflow),
            (&made, &node),
            (&phase, &node),
            (&stored, &workflow),
        ] {
            assert_eq!(span.parent_span_id, parent.span_id, "{}", span.name);
            assert_eq!(span.trace_id, workflow.trace_id, "{}", span.name);
        }
        assert_eq!(text(&workflow.attributes, "name"), "w");
        assert_eq!(text(&node.attributes, "node_type"), "Pod");
        assert!(node.status.is_some_and(|s| !s.message.is_empty()), "it failed");
        // What runs in the pod goes on below the span of its making.
        let env = pod["spec"]["containers"][0]["env"].as_array().unwrap();
        let parent = env.iter().find(|e| e["name"] == "TRACEPARENT").unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let own = format!("00-{}-{}-01", hex(&made.trace_id), hex(&made.span_id));
        assert_eq!(parent["value"], own);
        let trace = &stage.workflow("w").await["metadata"]["annotations"]["workflows.argoproj.io/trace-id"];
        assert_eq!(trace, &json!(hex(&workflow.trace_id)));
        assert_eq!(collector.services.lock().unwrap()[0], "workflows-controller");
        controller.stop().await;
        work.abort();
    }
}
