//! Sends requests of the protocol, by gRPC or HTTP.

use std::str::FromStr as _;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};

use super::target::{Protocol, Target};

/// A connection to a collector, made when it is needed.
pub struct Sender {
    target: Target,
    way: Way,
}

enum Way {
    Grpc(Channel),
    Http(reqwest::Client),
}

impl Sender {
    /// A sender to this target. Connects later, so that a collector may start after us.
    ///
    /// # Errors
    /// The address or the machine's certificates are of no use.
    pub fn new(target: Target) -> anyhow::Result<Self> {
        let way = match target.protocol {
            Protocol::Grpc => {
                let mut endpoint = Endpoint::from_shared(target.endpoint.clone())?.timeout(target.timeout);
                if target.endpoint.starts_with("https://") {
                    endpoint = endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?;
                }
                Way::Grpc(endpoint.connect_lazy())
            }
            Protocol::Http => Way::Http(reqwest::Client::builder().timeout(target.timeout).build()?),
        };
        Ok(Self { target, way })
    }

    /// Sends metrics.
    ///
    /// # Errors
    /// The collector is not reached or refuses.
    pub async fn metrics(&self, message: ExportMetricsServiceRequest) -> anyhow::Result<()> {
        match &self.way {
            Way::Grpc(channel) => {
                let request = self.with_headers(message)?;
                MetricsServiceClient::new(channel.clone()).export(request).await?;
            }
            Way::Http(client) => self.post(client, message.encode_to_vec()).await?,
        }
        Ok(())
    }

    /// Sends spans.
    ///
    /// # Errors
    /// The collector is not reached or refuses.
    pub async fn traces(&self, message: ExportTraceServiceRequest) -> anyhow::Result<()> {
        match &self.way {
            Way::Grpc(channel) => {
                let request = self.with_headers(message)?;
                TraceServiceClient::new(channel.clone()).export(request).await?;
            }
            Way::Http(client) => self.post(client, message.encode_to_vec()).await?,
        }
        Ok(())
    }

    fn with_headers<T>(&self, message: T) -> anyhow::Result<tonic::Request<T>> {
        let mut request = tonic::Request::new(message);
        for (name, value) in &self.target.headers {
            let name = AsciiMetadataKey::from_str(&name.to_ascii_lowercase())?;
            request
                .metadata_mut()
                .insert(name, AsciiMetadataValue::from_str(value)?);
        }
        Ok(request)
    }

    async fn post(&self, client: &reqwest::Client, body: Vec<u8>) -> anyhow::Result<()> {
        let mut request = client
            .post(&self.target.endpoint)
            .header(http::header::CONTENT_TYPE, "application/x-protobuf");
        for (name, value) in &self.target.headers {
            request = request.header(name, value);
        }
        request.body(body).send().await?.error_for_status()?;
        Ok(())
    }
}
