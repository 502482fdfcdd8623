//! Reads traces of an account where Transaction Search is on, with `StartTraceRetrieval` and `ListRetrievedTraces`.
//!
//! Apart from `BatchGetTraces`, which finds only the indexed share of such an account's traces: the rest is in CloudWatch
//! Logs, where a retrieval has to look for it first. Invariant: an answer is that of a retrieval that is complete; one that
//! failed is a failure, never an empty answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_xray::primitives::DateTime;
use aws_sdk_xray::types::{RetrievalStatus, TraceFormatType};

use super::batch::next_page;
use super::client::XRay;
use super::failure::{Failure, sort};
use super::reader::{Answer, FoundTrace, TraceReader};
use super::trace_id::TraceId;

const START: &str = "StartTraceRetrieval";
const LIST: &str = "ListRetrievedTraces";
/// How often a retrieval is asked whether it is complete.
const POLL: Duration = Duration::from_secs(1);
/// How far a client's clock, which made the ids, may be wrong.
const BEFORE_SECONDS: i64 = 300;
/// How long after its id's time a trace may still write: a function runs for 15 minutes at most, and clocks differ.
const AFTER_SECONDS: i64 = 900 + 300;
const MEND: &str = "; if Transaction Search was switched on after the run, read with --from xray";

/// Reads with retrievals.
#[derive(Debug)]
pub(super) struct RetrievalReader<'a> {
    pub(super) xray: &'a XRay,
}

impl TraceReader for RetrievalReader<'_> {
    /// Source: "Array Members: Minimum number of 0 items. Maximum number of 100 items",
    /// <https://docs.aws.amazon.com/xray/latest/api/API_StartTraceRetrieval.html>.
    const IDS_PER_CALL: usize = 100;
    /// Each searches a log group; one after the other.
    const CALLS_AT_ONCE: usize = 1;

    fn name(&self) -> &'static str {
        START
    }

    async fn read(&self, ids: &[TraceId]) -> Result<Answer, Failure> {
        let retrieval = self.start(ids).await?;
        let mut answer = Answer::default();
        let mut token: Option<String> = None;
        loop {
            let call = self.xray.client.list_retrieved_traces().retrieval_token(&retrieval);
            let call = call.trace_format(TraceFormatType::Xray).set_next_token(token.clone());
            let page = call.send().await.map_err(|error| sort(LIST, &self.xray.region, MEND, error))?;
            match page.retrieval_status() {
                Some(RetrievalStatus::Complete) => {}
                Some(RetrievalStatus::Scheduled | RetrievalStatus::Running) => {
                    tokio::time::sleep(POLL).await;
                    continue;
                }
                other => return Err(self.ended_badly(other)),
            }
            answer.traces.extend(page.traces().iter().map(|trace| {
                let spans = trace.spans().iter().map(|span| (span.id(), span.document()));
                FoundTrace::new(trace.id(), false, spans)
            }));
            match next_page(LIST, &self.xray.region, &token, page.next_token)? {
                None => return Ok(answer),
                next => token = next,
            }
        }
    }
}

impl RetrievalReader<'_> {
    /// Starts a retrieval of `ids`, around the time that they say; tells its token.
    async fn start(&self, ids: &[TraceId]) -> Result<String, Failure> {
        let (since, until) = time_frame(ids, now_seconds());
        let call = self.xray.client.start_trace_retrieval();
        let call = call.set_trace_ids(Some(ids.iter().map(ToString::to_string).collect()));
        let call = call.start_time(DateTime::from_secs(since)).end_time(DateTime::from_secs(until));
        let started = call.send().await.map_err(|error| sort(START, &self.xray.region, MEND, error))?;
        started.retrieval_token.ok_or_else(|| Failure::Passing {
            operation: START,
            region: self.xray.region.clone(),
            why: "it gave no RetrievalToken".to_owned(),
        })
    }

    fn ended_badly(&self, status: Option<&RetrievalStatus>) -> Failure {
        let status = status.map_or("no status", RetrievalStatus::as_str);
        let why = format!("the retrieval ended with {status}");
        Failure::Passing { operation: LIST, region: self.xray.region.clone(), why }
    }
}

/// The first and the last second of which logs are searched for `ids`; not in the future, of which there are none.
fn time_frame(ids: &[TraceId], now: i64) -> (i64, i64) {
    let first = ids.iter().map(TraceId::unix_seconds).min().unwrap_or(now);
    let last = ids.iter().map(TraceId::unix_seconds).max().unwrap_or(now);
    let since = (first - BEFORE_SECONDS).clamp(0, now - 1);
    (since, (last + AFTER_SECONDS).clamp(since + 1, now))
}

fn now_seconds() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_searched_around_the_ids_and_never_in_the_future() {
        let ids: Vec<TraceId> =
            ["00002710", "00004e20"] // 10,000 and 20,000 seconds
                .map(|hex| format!("1-{hex}-aaaaaaaaaaaaaaaaaaaaaaaa").parse().unwrap())
                .into();
        assert_eq!(time_frame(&ids, 1_000_000), (9_700, 21_200));
        assert_eq!(time_frame(&ids, 20_010), (9_700, 20_010));
        assert_eq!(time_frame(&ids, 5_000), (4_999, 5_000), "a clock far ahead");
    }
}
