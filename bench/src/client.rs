//! One HTTP request, from the intended time to the last byte of the answer.
//!
//! Apart from the phases because every phase sends the same way. Invariant: no retries; an answer's body is always read to the
//! end; a request that takes too long is recorded at its limit, never left out.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::sample::{DROPPED, Phase, Sample, TIMEOUT};
use crate::scenario::Expect;

/// How long a request may take before it is recorded as a time-out.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// Not finished within the limit.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// The connection broke before the answer's end.
    #[error("the connection broke: {0}")]
    Transport(String),
}

impl Unanswered {
    /// The name in a sample's `error`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Timeout(_) => TIMEOUT,
            Self::Connect(_) => "connect",
            Self::Transport(_) => "transport",
        }
    }
}

/// Keeps connections alive between requests; one for each variant's turn, so that every turn starts without any.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpConnector, Empty<Bytes>>,
    limit: Duration,
    expect: Expect,
}

/// A request to send and where it belongs.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The variant's name.
    pub variant: String,
    /// From 1.
    pub round: u32,
    /// The phase it belongs to.
    pub phase: Phase,
    /// Where the variant answers.
    pub uri: Uri,
    /// Whether its trace is sampled.
    pub sampled: bool,
}

impl Client {
    /// A client without connections, with the time-out `limit` for each request.
    pub fn new(limit: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http =
            legacy::Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(connector);
        Self { http, limit, expect: Expect::default() }
    }

    /// The same client, to which an answer that is not as `expect` says is an error.
    pub fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn exchange(&self, request: Request<Empty<Bytes>>) -> Result<(StatusCode, Bytes), Unanswered> {
        let answer = self.whole(request).await?;
        Ok((answer.status(), answer.into_body()))
    }

    async fn whole(&self, request: Request<Empty<Bytes>>) -> Result<Response<Bytes>, Unanswered> {
        let whole = async {
            let answer = self.http.request(request).await.map_err(|error| {
                if error.is_connect() {
                    Unanswered::Connect(in_full(&error))
                } else {
                    Unanswered::Transport(in_full(&error))
                }
            })?;
            let (head, body) = answer.into_parts();
            let body = body.collect().await.map_err(|error| Unanswered::Transport(in_full(&error)))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        let limited = tokio::time::timeout(self.limit, whole).await;
        limited.unwrap_or(Err(Unanswered::Timeout(self.limit)))
    }

    /// Sends `shot` now and tells how it went. `start` is the phase's start; `intended` the planned offset, none for "now".
    pub async fn fire(&self, shot: Shot, start: Instant, intended: Option<Duration>) -> Sample {
        let trace = TraceContext::random(shot.sampled);
        let request = get(&shot.uri, &trace);
        let sent = start.elapsed();
        let outcome = self.whole(request).await;
        let done = start.elapsed();
        let (status, error) = match outcome {
            Ok(answer) => {
                let error = self.expect.failure(answer.status(), answer.headers(), answer.body());
                (Some(answer.status().as_u16()), error)
            }
            Err(unanswered) => (None, Some(unanswered.name().to_owned())),
        };
        Sample {
            variant: shot.variant,
            round: shot.round,
            phase: shot.phase,
            intended_us: microseconds(intended.unwrap_or(sent)),
            sent_us: Some(microseconds(sent)),
            done_us: Some(microseconds(done)),
            status,
            cold: None,
            sampled: trace.sampled,
            trace_id: trace.root,
            error,
        }
    }
}

/// The sample of an arrival that is not sent at all.
pub fn dropped(shot: Shot, intended: Duration) -> Sample {
    Sample {
        variant: shot.variant,
        round: shot.round,
        phase: shot.phase,
        intended_us: microseconds(intended),
        sent_us: None,
        done_us: None,
        status: None,
        cold: None,
        sampled: false,
        trace_id: TraceContext::random(false).root,
        error: Some(DROPPED.to_owned()),
    }
}

/// A `GET` of `uri` that carries `trace`.
pub fn get(uri: &Uri, trace: &TraceContext) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri.clone();
    // Hex digits and punctuation only, so this never fails; without the header the sample would be missed in the join, and said.
    if let Ok(value) = http::HeaderValue::from_str(&trace.header()) {
        request.headers_mut().insert("x-amzn-trace-id", value);
    }
    request
}

/// A new X-Ray trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// `1-<8 hex: seconds since 1970>-<24 hex: random>`.
    pub root: String,
    /// Whether everyone on its way records it.
    pub sampled: bool,
}

impl TraceContext {
    /// A trace that begins now. It names no parent: the client records no segment of its own.
    pub fn random(sampled: bool) -> Self {
        let seconds =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() & 0xffff_ffff;
        let (high, low) = (fastrand::u32(..), fastrand::u64(..));
        Self { root: format!("1-{seconds:08x}-{high:08x}{low:016x}"), sampled }
    }

    /// The value of `X-Amzn-Trace-Id`. Its decision is respected: nothing on the way decides anew.
    pub fn header(&self) -> String {
        format!("Root={};Sampled={}", self.root, u8::from(self.sampled))
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// An error with its causes: hyper's own words alone say little.
fn in_full(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_begins_now_and_has_the_lengths_of_x_ray() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let trace = TraceContext::random(false);
        let parts: Vec<&str> = trace.root.split('-').collect();
        assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [1, 8, 24], "{}", trace.root);
        let seconds = u64::from_str_radix(parts[1], 16).unwrap();
        assert!((before..=before + 5).contains(&seconds));
        assert_ne!(trace.root, TraceContext::random(false).root);
        assert_eq!(trace.header(), format!("Root={};Sampled=0", trace.root));
        let sampled = TraceContext::random(true);
        assert_eq!(sampled.header(), format!("Root={};Sampled=1", sampled.root));
    }
}
