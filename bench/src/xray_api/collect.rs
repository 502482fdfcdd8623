//! Looks again and again until every trace is whole, or time is up.
//!
//! Apart from the calls because traces arrive late, and how long to wait is a question of its own. Invariant: it ends: by
//! itself when all is whole, after [`Patience::without_news`] in which nothing new came, and after [`Patience::in_all`]
//! whatever comes; a failing call costs its own look, never what came before.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::stream::{self, StreamExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::error::FetchError;
use super::failure::Failure;
use super::reader::{Answer, TraceReader};
use super::trace::{Traces, lacking};
use super::trace_id::TraceId;
use crate::progress::{note, spoken};

/// How long to wait, and how often to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) between_looks: Duration,
    pub(super) without_news: Duration,
    pub(super) in_all: Duration,
}

/// How the collecting went.
#[derive(Debug)]
pub(super) struct Effort {
    pub(super) looks: u64,
    pub(super) reads: u64,
    pub(super) failed_reads: u64,
    pub(super) last_failure: Option<String>,
    /// Ids that X-Ray answered as unprocessed, each time it did.
    pub(super) unprocessed: u64,
    pub(super) took: Duration,
    pub(super) end: End,
}

/// Why it ended.
#[derive(Debug)]
pub(super) enum End {
    Whole,
    NoNews,
    TimeLimit,
    Stopped(FetchError),
}

/// Reads `wanted` into `traces` until they are whole.
pub(super) async fn collect<Reader: TraceReader>(
    reader: &Reader,
    wanted: &[TraceId],
    traces: &mut Traces,
    patience: Patience,
) -> Effort {
    let begun = Instant::now();
    let mut collecting =
        Collecting { reader, traces, patience, begun, news: begun, effort: Effort::default() };
    collecting.effort.end = collecting.until_whole(wanted).await;
    collecting.effort.took = begun.elapsed();
    collecting.effort
}

struct Collecting<'a, Reader> {
    reader: &'a Reader,
    traces: &'a mut Traces,
    patience: Patience,
    begun: Instant,
    /// When something new came last.
    news: Instant,
    effort: Effort,
}

impl<Reader: TraceReader> Collecting<'_, Reader> {
    async fn until_whole(&mut self, wanted: &[TraceId]) -> End {
        note(&format!(
            "reading {} traces with {}, until nothing new has come for {}",
            wanted.len(),
            self.reader.name(),
            spoken(self.patience.without_news)
        ));
        let mut pending: Vec<TraceId> = wanted.to_vec();
        loop {
            let pending_before = pending.len();
            self.effort.looks += 1;
            let look = Instant::now();
            match self.look(&pending).await {
                Ok(()) => {}
                Err(Failure::Fatal(error)) => return End::Stopped(error),
                Err(Failure::Passing { operation, region, why }) => {
                    self.effort.failed_reads += 1;
                    note(&format!("{operation} in {region} failed and is tried again: {why}"));
                    self.effort.last_failure = Some(format!("{operation}: {why}"));
                }
            }
            pending = lacking(self.traces, &pending).into_iter().map(|(id, _)| id.clone()).collect();
            if pending.is_empty() {
                return End::Whole;
            }
            if pending.len() < pending_before {
                let whole = wanted.len() - pending.len();
                note(&format!(
                    "{whole} of {} traces whole after {}",
                    wanted.len(),
                    spoken(self.begun.elapsed())
                ));
            }
            sleep_until(self.deadline().min(look + self.patience.between_looks)).await;
            if Instant::now() >= self.deadline() {
                return if self.begun.elapsed() >= self.patience.in_all {
                    End::TimeLimit
                } else {
                    End::NoNews
                };
            }
        }
    }

    /// Reads each of `pending` once, some at a time. The first failure ends the look: what throttles one throttles all.
    async fn look(&mut self, pending: &[TraceId]) -> Result<(), Failure> {
        let reader = self.reader;
        let calls = stream::iter(pending.chunks(Reader::IDS_PER_CALL)).map(|ids| reader.read(ids));
        let mut answers = std::pin::pin!(calls.buffer_unordered(Reader::CALLS_AT_ONCE));
        // Time being up is no failure: it is told once, by whoever asked.
        while let Ok(Some(answer)) = timeout_at(self.deadline(), answers.next()).await {
            self.effort.reads += 1;
            self.take(answer?);
        }
        Ok(())
    }

    fn take(&mut self, answer: Answer) {
        self.effort.unprocessed += answer.unprocessed;
        let now = now_unix_us();
        for found in answer.traces {
            let trace = self.traces.entry(found.id.clone()).or_default();
            let (lacked, changed) = (trace.lack(), trace.look(found, now));
            // That nothing changed is news of a trace that is whole by it: on a slow network the second look takes its time too.
            if changed || trace.lack() != lacked {
                self.news = Instant::now();
            }
        }
    }

    fn deadline(&self) -> Instant {
        (self.news + self.patience.without_news).min(self.begun + self.patience.in_all)
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            looks: 0,
            reads: 0,
            failed_reads: 0,
            last_failure: None,
            unprocessed: 0,
            took: Duration::ZERO,
            end: End::Whole,
        }
    }
}

fn now_unix_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}
