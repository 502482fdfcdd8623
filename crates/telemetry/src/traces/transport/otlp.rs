//! Spans to an OpenTelemetry collector: one OTLP request over HTTP for all that ended.
//!
//! Apart, and behind the feature `otlp`, because it needs protobuf and an HTTP client, and because the function waits for the
//! collector's answer after its own: billed time. Invariant: it waits for half a second at the most, and what no collector took
//! is counted. Protocol: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message;

use super::{Sending, Transport};
use crate::traces::losses::{Loss, Losses};

const LIMIT: Duration = Duration::from_millis(500);

pub(crate) struct Collector {
    address: String,
    resource: ResourceAttributesWithSchema,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Collector {
    /// `address` is where spans are posted to. Connects to nothing yet.
    pub(crate) fn new(address: String, service: &str) -> Self {
        let resource = Resource::builder_empty()
            .with_attributes([KeyValue::new("service.name", service.to_owned())])
            .build();
        // No timer in the pool: it would not run in a frozen sandbox. A connection that died meanwhile is replaced on use.
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(None).build_http();
        Self { address, resource: (&resource).into(), client }
    }
}

impl Transport for Collector {
    fn send(&self, spans: Vec<SpanData>, losses: &Arc<Losses>) -> Option<Sending> {
        let (losses, count) = (Arc::clone(losses), spans.len() as u64);
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let request = Request::post(&self.address)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"))
            .body(Full::new(Bytes::from(body)));
        let Ok(request) = request else {
            losses.add(Loss::Collector, count);
            return None;
        };
        let client = self.client.clone();
        Some(Box::pin(async move {
            let exchange = async {
                let response = client.request(request).await.ok()?;
                let is_taken = response.status().is_success();
                // Read to its end, so that the connection can be used again.
                response.into_body().collect().await.ok()?;
                Some(is_taken)
            };
            if !matches!(tokio::time::timeout(LIMIT, exchange).await, Ok(Some(true))) {
                losses.add(Loss::Collector, count);
            }
        }))
    }
}
