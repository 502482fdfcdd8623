//! Everything that is said of two runs, as one value that each output reads.
//!
//! Apart from the outputs so that JSON, Markdown and the table cannot disagree. Invariant: variants that only one run has are named,
//! and the reference is in both.

use std::path::Path;

use serde::Serialize;

use crate::compare::changes::{Change, as_measured, relative};
use crate::compare::differences::{commit, differences};
use crate::compare::error::CompareError;
use crate::run_file::{Partial, RunFile};

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The run that is 1.
    pub from: Side,
    /// The run compared with it.
    pub to: Side,
    /// What makes them different experiments: then the figures are not to be compared.
    pub warnings: Vec<String>,
    /// What else differs.
    pub differs: Vec<String>,
    /// Variants that only the first run has.
    pub only_in_from: Vec<String>,
    /// Variants that only the second run has.
    pub only_in_to: Vec<String>,
    /// The variant whose change is the drift.
    pub reference: String,
    /// Every variant of both, the drift included.
    pub as_measured: Vec<VariantChange>,
    /// Every other variant of both, as its ratio to the reference in the same round: the drift cancels out.
    pub relative: Vec<VariantChange>,
}

/// One of the two runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Side {
    /// Its run file.
    pub run: String,
    /// When it began, UTC, ISO 8601.
    pub started: String,
    /// The commit, short.
    pub commit: String,
    /// Its profile's name.
    pub profile: String,
    /// How many whole rounds it has.
    pub rounds: u32,
    /// Why it ended early, if it did.
    pub partial: Option<Partial>,
}

/// One variant from the first run to the second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantChange {
    /// Its name.
    pub variant: String,
    /// Metric by metric.
    pub metrics: Vec<Change>,
}

/// Compares `from` with `to`, which were read from the given files; the reference is the first variant of both if none is named.
///
/// # Errors
/// If they share no variant, or not the reference.
pub fn compare(
    (from, from_path): (&RunFile, &Path),
    (to, to_path): (&RunFile, &Path),
    reference: Option<&str>,
) -> Result<Report, CompareError> {
    let shared = shared(from, to)?;
    let reference = reference.unwrap_or(shared[0]);
    if !shared.contains(&reference) {
        return Err(CompareError::Reference { name: reference.to_owned(), shared: shared.join(", ") });
    }
    let only = |run: &RunFile| -> Vec<String> {
        names(run).into_iter().filter(|name| !shared.contains(name)).map(str::to_owned).collect()
    };
    let change = |variant: &str, metrics| VariantChange { variant: variant.to_owned(), metrics };
    let found = differences(from, to);
    let others = shared.iter().filter(|name| **name != reference);
    Ok(Report {
        from: side(from, from_path),
        to: side(to, to_path),
        warnings: found.warnings,
        differs: found.listed,
        only_in_from: only(from),
        only_in_to: only(to),
        reference: reference.to_owned(),
        as_measured: shared.iter().map(|name| change(name, as_measured(from, to, name))).collect(),
        relative: others.map(|name| change(name, relative(from, to, name, reference))).collect(),
    })
}

/// The variants that both runs have, in the order of the first.
fn shared<'a>(from: &'a RunFile, to: &RunFile) -> Result<Vec<&'a str>, CompareError> {
    let in_to = names(to);
    let shared: Vec<&str> = names(from).into_iter().filter(|name| in_to.contains(name)).collect();
    if shared.is_empty() {
        return Err(CompareError::NothingShared { from: names(from).join(", "), to: in_to.join(", ") });
    }
    Ok(shared)
}

fn names(run: &RunFile) -> Vec<&str> {
    run.variants.iter().map(|variant| variant.name.as_str()).collect()
}

fn side(run: &RunFile, path: &Path) -> Side {
    Side {
        run: path.display().to_string(),
        started: run.started.clone(),
        commit: commit(run),
        profile: run.profile.clone(),
        rounds: run.whole_rounds(),
        partial: run.partial.clone(),
    }
}
