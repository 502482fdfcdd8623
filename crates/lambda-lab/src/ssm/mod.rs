//! A stand-in for AWS Systems Manager's Parameter Store: the operations that read, throttled as the service throttles.
//!
//! Apart from the servers because it runs inside the lab, over `aws_json`'s endpoint. Invariant: parameters never change
//! while it runs, so every one has version 1 and no label.

mod operations;
mod rate;
mod store;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

pub use crate::aws_json::EndpointError;
use crate::aws_json::{Endpoint, Refusal, Service};
use crate::certificates::Authority;
use rate::TokenBucket;
use store::Store;

/// Parameter Store's default throughput in requests a second, shared by all operations that read:
/// <https://docs.aws.amazon.com/general/latest/gr/ssm.html#parameter-store-service-quotas>.
pub const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(40).unwrap();

/// One parameter to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Full name, such as `/stadiums/database/host`.
    pub name: String,
    /// Its plain value.
    pub value: String,
    /// Whether it is a `SecureString`, whose value is only given out `WithDecryption`.
    pub secure: bool,
}

/// A running endpoint; dropping it ends it too, without waiting.
pub struct SsmEndpoint {
    endpoint: Endpoint,
    throttled: Arc<AtomicU64>,
}

struct ParameterStore {
    store: Store,
    bucket: Option<Mutex<TokenBucket>>,
    throttled: Arc<AtomicU64>,
}

impl SsmEndpoint {
    /// Starts on a free port of 127.0.0.1 with a certificate of `authority`. Only requests whose `Authorization` header names
    /// `access_key` are answered; more than `rate` a second are throttled, or none where there is no rate.
    ///
    /// # Errors
    /// [`EndpointError`] when the certificate cannot be made or no port can be had.
    pub async fn start(
        authority: &Authority,
        parameters: Vec<Parameter>,
        access_key: &str,
        rate: Option<NonZeroU32>,
    ) -> Result<Self, EndpointError> {
        let throttled = Arc::default();
        let service = ParameterStore {
            store: Store::new(parameters),
            bucket: rate.map(|rate| Mutex::new(TokenBucket::full(rate, Instant::now()))),
            throttled: Arc::clone(&throttled),
        };
        let endpoint = Endpoint::start(authority, service, access_key).await?;
        Ok(Self { endpoint, throttled })
    }

    /// The port of 127.0.0.1 it listens on.
    pub fn port(&self) -> u16 {
        self.endpoint.port()
    }

    /// The endpoint's address, `https://localhost:<port>`, as `AWS_ENDPOINT_URL_SSM` wants it.
    pub fn url(&self) -> &str {
        self.endpoint.url()
    }

    /// Calls by operation since the start, such as `GetParameters`; refused ones count too, unless the caller was unknown. Where
    /// there were any, `throttled` says how many of them were.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let mut counters = self.endpoint.counters();
        let throttled = self.throttled.load(Ordering::Relaxed);
        if throttled > 0 {
            counters.insert("throttled".to_owned(), throttled);
        }
        counters
    }

    /// Ends it: no new connection is taken, and answers being written get two seconds.
    pub async fn stop(self) {
        self.endpoint.stop().await;
    }
}

impl Service for ParameterStore {
    const SIGNING_NAME: &'static str = "ssm";
    const TARGET_PREFIX: &'static str = "AmazonSSM.";
    const OPERATIONS: &'static [&'static str] = operations::OPERATIONS;

    fn perform(&self, operation: &str, region: &str, body: &[u8]) -> Result<String, Refusal> {
        if let Some(bucket) = &self.bucket {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            if !bucket.take(Instant::now()) {
                self.throttled.fetch_add(1, Ordering::Relaxed);
                return Err(Refusal::new("ThrottlingException", "Rate exceeded"));
            }
        }
        operations::perform(&self.store, operation, region, body)
    }
}
