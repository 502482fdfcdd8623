//! What tracing costs: a variant's sampled warm invocations beside the others of the same rounds.
//!
//! Apart from the metrics because it compares a variant with itself. Sampled and other requests alternate within a turn, so that the
//! machine's moods meet both. Invariant: a difference is of values of the same round, and is `None` where a round lacks either.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use lambda_lab::records::{DocumentSource, TraceDocument};

use crate::json_lines::{JsonLinesError, each_line};
use crate::metrics::{self, Series};
use crate::observation::Observation;
use crate::run_file::{Difference, TracingCost};
use crate::statistics::{mean, paired_difference, quantile, sorted};

/// A round's invocations: those that were sampled, and the others.
type Halves<'a> = (Vec<&'a Observation>, Vec<&'a Observation>);

/// What the sampling of warm invocations cost in `observations`, which are one variant's; none where all or none were sampled.
pub fn tracing_cost(observations: &[&Observation], sent: &SentBytes) -> Option<TracingCost> {
    let mut rounds: BTreeMap<u32, Halves<'_>> = BTreeMap::new();
    for &observation in observations.iter().filter(|observation| metrics::warm_ms(observation).is_some()) {
        let (sampled, others) = rounds.entry(observation.sample.round).or_default();
        if observation.sample.sampled { sampled.push(observation) } else { others.push(observation) }
    }
    let count = |half: fn(&Halves<'_>) -> usize| rounds.values().map(half).sum::<usize>() as u64;
    let (sampled, others) = (count(|(sampled, _)| sampled.len()), count(|(_, others)| others.len()));
    if sampled == 0 || others == 0 {
        return None;
    }
    let difference = |series: Series, of_round: fn(Vec<f64>) -> Option<f64>| {
        let of = |half: &[&Observation]| of_round(metrics::values(half, series));
        let pairs = rounds.values().map(|(sampled, others)| Some((of(others)?, of(sampled)?)));
        let (from, to): (Vec<f64>, Vec<f64>) = pairs.collect::<Option<Vec<_>>>()?.into_iter().unzip();
        let (value, interval) = paired_difference(&from, &to)?;
        Some(Difference { value, interval })
    };
    Some(TracingCost {
        sampled,
        others,
        warm_ms: difference(metrics::warm_ms, |values| quantile(&sorted(values), 50)),
        response_ms: difference(metrics::response_ms, |values| quantile(&sorted(values), 50)),
        cpu_ms: difference(metrics::cpu_ms, |values| mean(&values)),
        bytes: mean_bytes(rounds.values().flat_map(|(sampled, _)| sampled), sent),
    })
}

/// Where documents were kept at all, an invocation without any counts as zero.
fn mean_bytes<'a>(
    sampled: impl Iterator<Item = &'a &'a Observation>,
    SentBytes(sent): &SentBytes,
) -> Option<f64> {
    let of = |observation: &&Observation| sent.get(&observation.sample.trace_id).copied().unwrap_or(0) as f64;
    mean(&sampled.map(of).collect::<Vec<_>>()).filter(|_| !sent.is_empty())
}

/// How many bytes of documents functions sent, by the root of the trace.
#[derive(Clone, Debug, Default)]
pub struct SentBytes(HashMap<String, u64>);

impl SentBytes {
    /// From the run's `traces/documents.jsonl`. Lambda's own segments are not a function's cost.
    ///
    /// # Errors
    /// If it cannot be read, or a line of it is none of the lab's.
    pub fn read(documents: &Path) -> Result<Self, JsonLinesError> {
        let mut sent = HashMap::new();
        each_line(documents, |_, TraceDocument { source, document, .. }| {
            if source == DocumentSource::Daemon
                && let Some(root) = document["trace_id"].as_str()
            {
                *sent.entry(root.to_owned()).or_default() += document.to_string().len() as u64;
            }
            Ok::<_, JsonLinesError>(())
        })?;
        Ok(Self(sent))
    }
}
