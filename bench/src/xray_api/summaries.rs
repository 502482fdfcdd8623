//! Finds trace ids by a filter expression, with `GetTraceSummaries`.
//!
//! Apart from the run's own ids because this searches: for traces of requests that nobody counted. Invariant: the whole time
//! asked for is searched, in frames that X-Ray takes, page by page.

use aws_sdk_xray::primitives::DateTime;
use jiff::Timestamp;

use super::batch::next_page;
use super::client::XRay;
use super::error::FetchError;
use super::failure::sort;
use super::trace_id::TraceId;

const OPERATION: &str = "GetTraceSummaries";
/// The longest time that is asked for at once. X-Ray's console and API are known to refuse more than six hours; the API
/// reference states no figure, and shorter frames find the same.
const FRAME_SECONDS: i64 = 6 * 3600;
const MEND: &str = "; the expression's form is in X-Ray's guide, \"Use filter expressions\"";

/// The ids that `filter` finds among the traces that began from `since` to `until`, each once, by time.
///
/// # Errors
/// If the times are in the wrong order, a call fails, or nothing matches.
pub(super) async fn find(
    xray: &XRay,
    filter: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<TraceId>, FetchError> {
    if since >= until {
        return Err(FetchError::NoTime { since, until });
    }
    let mut ids = Vec::new();
    for (start, end) in frames(since.as_second(), until.as_second() + 1) {
        let mut token: Option<String> = None;
        loop {
            let call = xray.client.get_trace_summaries().filter_expression(filter);
            let call = call.start_time(DateTime::from_secs(start)).end_time(DateTime::from_secs(end));
            let page = call.set_next_token(token.clone()).send().await;
            let page = page.map_err(|error| sort(OPERATION, &xray.region, MEND, error))?;
            // An id that is none could not be asked for; X-Ray makes no such ids.
            ids.extend(page.trace_summaries().iter().filter_map(|summary| summary.id()?.parse().ok()));
            match next_page(OPERATION, &xray.region, &token, page.next_token)? {
                None => break,
                next => token = next,
            }
        }
    }
    if ids.is_empty() {
        let (region, filter) = (xray.region.clone(), filter.to_owned());
        return Err(FetchError::NoMatch { region, filter, since, until });
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Splits the time from `start` to `end` into frames, first to last.
fn frames(start: i64, end: i64) -> impl Iterator<Item = (i64, i64)> {
    let starts = std::iter::successors(Some(start), |start| start.checked_add(FRAME_SECONDS));
    starts.take_while(move |start| *start < end).map(move |start| (start, end.min(start + FRAME_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_cover_the_whole_time_and_are_short_enough() {
        assert_eq!(frames(100, 130).collect::<Vec<_>>(), [(100, 130)]);
        assert_eq!(frames(0, 50_000).collect::<Vec<_>>(), [(0, 21_600), (21_600, 43_200), (43_200, 50_000)]);
        assert_eq!(frames(0, 21_600).count(), 1);
    }
}
