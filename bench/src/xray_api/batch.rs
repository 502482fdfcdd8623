//! Reads traces from X-Ray itself, with `BatchGetTraces`.
//!
//! Apart from the other way because it answers at once. Invariant: every page is read; a page's token that comes again ends
//! the read as a failure, not as an answer that lacks the rest.

use super::client::XRay;
use super::failure::{Failure, sort};
use super::reader::{Answer, FoundTrace, TraceReader};
use super::trace_id::TraceId;

const OPERATION: &str = "BatchGetTraces";

/// Reads with `BatchGetTraces`.
#[derive(Debug)]
pub(super) struct BatchReader<'a> {
    pub(super) xray: &'a XRay,
}

impl TraceReader for BatchReader<'_> {
    /// Source: "Array Members: Minimum number of 1 item. Maximum number of 5 items",
    /// <https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html>.
    const IDS_PER_CALL: usize = 5;
    /// X-Ray states no limit of calls a second. Four in flight read 2,000 traces in well under a minute and leave room for others.
    const CALLS_AT_ONCE: usize = 4;

    fn name(&self) -> &'static str {
        OPERATION
    }

    async fn read(&self, ids: &[TraceId]) -> Result<Answer, Failure> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut answer = Answer::default();
        let mut token: Option<String> = None;
        loop {
            let call = self.xray.client.batch_get_traces().set_trace_ids(Some(ids.clone()));
            let page = call.set_next_token(token.clone()).send().await;
            let page = page.map_err(|error| sort(OPERATION, &self.xray.region, "", error))?;
            answer.traces.extend(page.traces().iter().map(|trace| {
                let segments = trace.segments().iter().map(|segment| (segment.id(), segment.document()));
                FoundTrace::new(trace.id(), trace.limit_exceeded() == Some(true), segments)
            }));
            answer.unprocessed += page.unprocessed_trace_ids().len() as u64;
            match next_page(OPERATION, &self.xray.region, &token, page.next_token)? {
                None => return Ok(answer),
                next => token = next,
            }
        }
    }
}

/// The token of the next page; none after the last.
///
/// # Errors
/// If it is the one that was just used: the pages would never end.
pub(super) fn next_page(
    operation: &'static str,
    region: &str,
    used: &Option<String>,
    next: Option<String>,
) -> Result<Option<String>, Failure> {
    let next = next.filter(|token| !token.is_empty());
    if next.is_some() && next == *used {
        let why = "its NextToken leads to the same page again".to_owned();
        return Err(Failure::Passing { operation, region: region.to_owned(), why });
    }
    Ok(next)
}
