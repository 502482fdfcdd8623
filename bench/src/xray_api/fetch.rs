//! The whole of a fetch, in the order in which it happens.
//!
//! Apart from its parts so that it reads like a list. Invariant: a fetch that finds nothing changes no file; one that is
//! stopped in the middle keeps what had come.

use std::io::Write;

use aws_sdk_xray::types::TraceSegmentDestination;

use super::batch::BatchReader;
use super::cli::{Arguments, Store};
use super::client::{XRay, connect};
use super::collect::{Effort, End, Patience, collect};
use super::error::FetchError;
use super::failure::sort;
use super::reader::TraceReader;
use super::report::Report;
use super::retrieval::RetrievalReader;
use super::trace::Traces;
use super::wanted::Wanted;
use super::{file, summaries};

const DESTINATION: &str = "GetTraceSegmentDestination";
const MEND: &str = "; or say where the traces are with --from xray or --from transaction-search";

/// Fetches the traces that `arguments` ask for into the run's folder; tells what to print.
///
/// # Errors
/// If nothing can be asked for, nothing came, or the fetch stopped in the middle.
pub async fn fetch(arguments: &Arguments) -> Result<String, FetchError> {
    let mut traces = file::read(&arguments.run)?;
    // Before the first call, because a wrong folder is the likelier mistake.
    let own = if arguments.filter.is_none() { Some(Wanted::of_run(&arguments.run)?) } else { None };
    if !arguments.run.is_dir() {
        return Err(FetchError::NoRun { folder: arguments.run.clone() });
    }
    let xray = connect().await?;
    let wanted = match (own, &arguments.filter, arguments.since, arguments.until) {
        (Some(own), ..) => own,
        (None, Some(filter), Some(since), Some(until)) => {
            Wanted { ids: summaries::find(&xray, filter, since, until).await?, ..Wanted::default() }
        }
        // The command line asks for all three or none.
        (None, ..) => Wanted::of_run(&arguments.run)?,
    };
    match store(&xray, arguments.from).await? {
        Store::TransactionSearch => {
            finish(arguments, wanted, &mut traces, &xray, &RetrievalReader { xray: &xray }).await
        }
        Store::XRay | Store::Auto => {
            finish(arguments, wanted, &mut traces, &xray, &BatchReader { xray: &xray }).await
        }
    }
}

/// Where the account keeps its traces, unless the user said so.
async fn store(xray: &XRay, said: Store) -> Result<Store, FetchError> {
    if said != Store::Auto {
        return Ok(said);
    }
    let answer = xray.client.get_trace_segment_destination().send().await;
    let answer = answer.map_err(|error| sort(DESTINATION, &xray.region, MEND, error))?;
    Ok(match answer.destination() {
        Some(TraceSegmentDestination::CloudWatchLogs) => Store::TransactionSearch,
        _ => Store::XRay,
    })
}

/// Collects with `reader`, writes, and tells what came of it.
async fn finish(
    arguments: &Arguments,
    wanted: Wanted,
    traces: &mut Traces,
    xray: &XRay,
    reader: &impl TraceReader,
) -> Result<String, FetchError> {
    let patience = Patience {
        between_looks: arguments.poll,
        without_news: arguments.patience,
        in_all: arguments.time_limit,
    };
    let effort = collect(reader, &wanted.ids, traces, patience).await;
    let mut report = Report::new(&wanted.ids, traces, &effort, reader.name(), &xray.region);
    if !wanted.ids.iter().any(|id| traces.contains_key(id.as_str())) {
        return Err(nothing_found(effort, &report));
    }
    (report.documents, report.broken_documents) = file::write(&arguments.run, traces)?;
    report.not_sampled = wanted.not_sampled;
    report.malformed_ids = wanted.malformed;
    file::replace(&arguments.run.join("traces/fetch.json"), |out| {
        serde_json::to_writer_pretty(&mut *out, &report)?;
        out.write_all(b"\n")
    })?;
    match effort.end {
        End::Stopped(cause) => Err(FetchError::Interrupted { cause: Box::new(cause) }),
        _ => Ok(format!("{}\n{}", report.text(), file::documents(&arguments.run).display())),
    }
}

fn nothing_found(effort: Effort, report: &Report) -> FetchError {
    match effort.end {
        End::Stopped(cause) => cause,
        _ => FetchError::NothingFound {
            region: report.region.clone(),
            asked: usize::try_from(report.asked).unwrap_or(usize::MAX),
            why: match effort.last_failure {
                Some(failure) => format!("{}; the last failure: {failure}", report.end),
                None => report.end.clone(),
            },
        },
    }
}
