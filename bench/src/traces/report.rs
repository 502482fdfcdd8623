//! Everything that any output says of a run's traces.
//!
//! Apart from the outputs so that table, JSON, Markdown and page cannot differ. Invariant: what could not be had, was left out or
//! mended is said here in words, and no output drops it.

use std::collections::HashMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::traces::assemble::assemble;
use crate::traces::completeness::Completeness;
use crate::traces::error::TracesError;
use crate::traces::medians::{Medians, medians};
use crate::traces::pair::{Pair, pair};
use crate::traces::read::{Run, Tally};
use crate::traces::records::InvocationLine;
use crate::traces::select::{Kind, WANTED, needed, ranked, representative};
use crate::traces::span::{Note, Trace};

/// How many names of orphans are quoted.
const QUOTED_NAMES: usize = 8;

/// A comparison of two variants' traces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The run's folder as it was named.
    pub run: String,
    /// The variant compared with.
    pub from: String,
    /// The variant compared.
    pub to: String,
    /// Representative pairs.
    pub pairs: Vec<Pair>,
    /// Over all traces, cold and warm.
    pub medians: Vec<Medians>,
    /// Whether every sampled invocation has a whole trace.
    pub completeness: Completeness,
    /// Which pairs cannot be had, and why.
    pub unavailable: Vec<String>,
    /// What was mended or left out, in words.
    pub findings: Vec<String>,
    /// The traces of the pairs, for exports.
    #[serde(skip)]
    pub traces: Vec<(Trace, Trace)>,
}

/// Compares variant `to` with variant `from` of `run`, which was read from `folder`; a name left out is the first or last that has
/// traces, in the order of `run.json`, or of their first invocations where there is none.
///
/// # Errors
/// If a variant has no traces.
pub fn compare(
    run: &Run,
    folder: &Path,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Report, TracesError> {
    let (from, to) = variants(run, folder, from, to)?;
    let mut notes = HashMap::new();
    let medians = [Kind::Cold, Kind::Warm].map(|kind| medians(run, kind, &from, &to, &mut notes));
    let medians = medians.into_iter().filter(|medians| !medians.rows.is_empty()).collect();
    let mut report = Report {
        run: folder.display().to_string(),
        pairs: Vec::new(),
        medians,
        completeness: Completeness::of(run),
        unavailable: Vec::new(),
        findings: findings(&run.tally, &notes),
        traces: Vec::new(),
        from,
        to,
    };
    for (kind, percentile) in WANTED {
        report.choose(run, kind, percentile);
    }
    Ok(report)
}

impl Report {
    fn choose(&mut self, run: &Run, kind: Kind, percentile: u32) {
        let candidates = [&self.from, &self.to].map(|variant| ranked(run.traced(), variant, kind));
        let [from_of, to_of] = [candidates[0].len(), candidates[1].len()];
        let [from, to] =
            candidates.map(|ranked| representative(&ranked, percentile).map(|chosen| trace(run, chosen)));
        if let (Some(from), Some(to)) = (from, to) {
            self.pairs.push(pair(kind, percentile, (&from, from_of), (&to, to_of)));
            self.traces.push((from, to));
            return;
        }
        self.unavailable.push(format!(
            "{kind} p{percentile} cannot be had: it takes at least {} sampled {kind} invocations of each variant: {} has {from_of}, {} has {to_of}",
            needed(percentile),
            self.from,
            self.to
        ));
    }
}

impl Report {
    /// What every output says below its figures, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let completeness = std::iter::once(self.completeness.words());
        completeness.chain(self.unavailable.iter().cloned()).chain(self.findings.iter().cloned()).collect()
    }
}

/// The assembled trace of `invocation`.
pub fn trace(run: &Run, invocation: &InvocationLine) -> Trace {
    assemble(invocation, run.segments.get(&invocation.trace_id).map_or(&[], Vec::as_slice))
}

fn variants(
    run: &Run,
    folder: &Path,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(String, String), TracesError> {
    let known = run.variants();
    let (first, last) = default_variants(&known, folder);
    let choose = |wanted: Option<&str>, default: Option<&str>| {
        let name = wanted.or(default).unwrap_or_default();
        if known.contains(&name) {
            return Ok(name.to_owned());
        }
        Err(TracesError::UnknownVariant { wanted: name.to_owned(), known: known.join(", ") })
    };
    if known.len() == 1 && (from.is_none() || to.is_none()) {
        return Err(TracesError::OneVariant { known: known.concat() });
    }
    Ok((choose(from, first)?, choose(to, last)?))
}

/// The first and the last variant of the experiment that have traces; where there is no `run.json` to tell the experiment's order,
/// in the order of their first invocations.
fn default_variants<'a>(known: &[&'a str], folder: &Path) -> (Option<&'a str>, Option<&'a str>) {
    #[derive(Deserialize)]
    struct Names {
        variants: Vec<Name>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let text = std::fs::read(folder.join("run.json")).unwrap_or_default();
    let names: Vec<Name> =
        serde_json::from_slice::<Names>(&text).map(|names| names.variants).unwrap_or_default();
    let listed = names.iter().filter_map(|listed| known.iter().copied().find(|known| *known == listed.name));
    let mut ordered: Vec<&str> = listed.collect();
    if ordered.len() < 2 {
        ordered = known.to_vec();
    }
    (ordered.first().copied(), ordered.last().copied())
}

fn findings(tally: &Tally, notes: &HashMap<Note, u64>) -> Vec<String> {
    let counted = |count: u64, what: &str| (count > 0).then(|| format!("{what}: {count}"));
    let mut all = Vec::new();
    all.extend(counted(tally.unusable, "lines of traces/documents.jsonl that hold no usable document"));
    all.extend(counted(tally.with_problems, "documents that the receiver found invalid, used all the same"));
    all.extend(tally.problems.iter().map(|(problem, count)| format!("  {count} x {problem}")));
    all.extend(counted(tally.duplicates, "segments that came twice, used once"));
    all.extend(counted(tally.of_no_invocation, "segments of no invocation of this run, left out"));
    all.extend(counted(tally.without_documents, "sampled invocations without a document, left out"));
    let orphans = tally.orphans.values().sum();
    let named = || format!(" ({})", names(&tally.orphans));
    all.extend(
        counted(orphans, "segments that hang on nothing that came, left out").map(|line| line + &named()),
    );
    let mut notes: Vec<_> = notes.iter().collect();
    notes.sort_unstable();
    all.extend(notes.into_iter().map(|(note, count)| format!("traces {}: {count}", note.words())));
    all
}

fn names(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let mut quoted: Vec<String> =
        counts.iter().take(QUOTED_NAMES).map(|(name, count)| format!("{count} x {name}")).collect();
    if counts.len() > QUOTED_NAMES {
        quoted.push(format!("{} more names", counts.len() - QUOTED_NAMES));
    }
    quoted.join(", ")
}
