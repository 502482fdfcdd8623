//! The way from a ladder's foot to its top, in one metric: what every output shows.
//!
//! Apart from the outputs so that terminal, Markdown and picture cannot differ. Invariant: nothing is judged here; verdicts are those of
//! `run.json`, and shares are told only where foot and top differ by more than their interval.

use std::path::{Path, PathBuf};

use super::{LadderError, Metric};
use crate::run_file::{Earned, RunFile, Rung};
use crate::verdict::Verdict;

/// Runs of one ladder, and the runs in which each lever was taken away.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the order they were named.
    pub runs: Vec<NamedRun>,
    /// Leave-one-out runs.
    pub without: Vec<NamedRun>,
    /// What the waterfall shows.
    pub metric: Metric,
}

/// A run and what its columns are called.
#[derive(Clone, Debug)]
pub struct NamedRun {
    /// The network; numbered where two runs have the same.
    pub label: String,
    /// Where it was read.
    pub path: PathBuf,
    /// The run.
    pub run: RunFile,
}

/// One metric of one run's ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// What the run is called.
    pub label: String,
    /// In the ladder's order.
    pub lines: Vec<Line>,
    /// From foot to top; none where the ladder is no way, each rung standing beside it.
    pub whole: Option<Whole>,
}

/// One rung in one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The variant.
    pub rung: String,
    /// Its lever; none for a foot.
    pub lever: Option<String>,
    /// What it is compared with.
    pub against: Option<String>,
    /// Whether it stands beside the way.
    pub beside: bool,
    /// The value of `against`.
    pub before: Option<f64>,
    /// What it earned.
    pub earned: Earned,
    /// Of the whole way, on a log scale; all of one way are 1 together.
    pub share: Option<f64>,
}

/// The top compared with the foot.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The foot's name.
    pub foot: String,
    /// The top's name.
    pub top: String,
    /// Top / foot, of the values of the two lines: what the shares are of.
    pub of_values: Option<f64>,
    /// Top / foot as the run compared the two, else [`Self::of_values`].
    pub ratio: Option<f64>,
    /// 95 % interval of it, where the run compared the two.
    pub interval: Option<[f64; 2]>,
    /// Verdict of that comparison.
    pub verdict: Option<Verdict>,
}

impl Line {
    /// What its lever did, in a word that follows from the verdict; nothing for a foot.
    pub fn word(&self) -> &'static str {
        match self.earned.verdict {
            Some(Verdict::Better) => "earned",
            Some(Verdict::Worse) => "cost more",
            Some(Verdict::NoDifferenceShown) => "earned nothing shown",
            Some(Verdict::NotMeasurable) => "not measurable",
            None if self.earned.ratio.is_some() => "plain ratio",
            None => "",
        }
    }

    /// What taking the lever away did.
    pub fn word_without(&self) -> &'static str {
        match self.earned.verdict {
            Some(Verdict::Better) => "gained",
            Some(Verdict::Worse) => "lost",
            Some(Verdict::NoDifferenceShown) => "lost nothing shown",
            _ => self.word(),
        }
    }

    /// What stands before its figures.
    pub fn title(&self) -> String {
        match (&self.lever, &self.against) {
            (Some(lever), Some(against)) if self.beside => format!("{lever} (against {against})"),
            (Some(lever), _) => lever.clone(),
            (None, _) => format!("{}, the foot", self.rung),
        }
    }
}

/// Reads the runs at `paths` and `without` (leave-one-out).
///
/// # Errors
/// If one cannot be read or has no ladder, if two of `paths` are of different ladders, or one of `without` does not compare all its
/// levers with one variant.
pub fn report(paths: &[PathBuf], without: &[PathBuf], metric: Metric) -> Result<Report, LadderError> {
    let runs = paths.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    for other in runs.iter().skip(1) {
        same_ladder(&runs[0], other)?;
    }
    let without = without.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    without.iter().try_for_each(one_full_set)?;
    Ok(Report { runs: named(runs), without: named(without), metric })
}

type Read = (PathBuf, RunFile);

fn read(path: &Path) -> Result<Read, LadderError> {
    let run = RunFile::load(path)?;
    if run.ladder.is_empty() {
        return Err(LadderError::NoLadder { path: path.to_owned(), experiment: run.experiment });
    }
    Ok((path.to_owned(), run))
}

fn same_ladder((one, of_one): &Read, (other, of_other): &Read) -> Result<(), LadderError> {
    let told = |rung: Option<&Rung>| {
        rung.map_or_else(
            || "nothing".to_owned(),
            |rung| match (&rung.lever, &rung.against) {
                (Some(lever), Some(against)) => format!("{:?} ({lever:?} against {against:?})", rung.rung),
                _ => format!("{:?}", rung.rung),
            },
        )
    };
    for place in 0..of_one.ladder.len().max(of_other.ladder.len()) {
        let [in_one, in_other] = [of_one, of_other].map(|run| told(run.ladder.get(place)));
        if in_one != in_other {
            let (one, other, place) = (one.clone(), other.clone(), place + 1);
            return Err(LadderError::Differ { one, other, place, in_one, in_other });
        }
    }
    Ok(())
}

fn one_full_set((path, run): &Read) -> Result<(), LadderError> {
    let mut compared = run.ladder.iter().filter_map(|rung| Some((rung, rung.against.as_ref()?)));
    let Some((_, full)) = compared.next() else { return Ok(()) };
    match compared.find(|(_, against)| *against != full) {
        None => Ok(()),
        Some((rung, against)) => Err(LadderError::NotLeaveOneOut {
            path: path.clone(),
            rung: rung.rung.clone(),
            against: against.clone(),
            full: full.clone(),
        }),
    }
}

fn named(runs: Vec<Read>) -> Vec<NamedRun> {
    let mut seen: Vec<String> = Vec::new();
    let mut name = |(path, run): Read| {
        let network = run.environment.network.name.clone();
        seen.push(network.clone());
        let before = seen.iter().filter(|other| **other == network).count();
        let label = if before == 1 { network } else { format!("{network} {before}") };
        NamedRun { label, path, run }
    };
    runs.into_iter().map(&mut name).collect()
}

/// The way of `run` in `metric`, called `label`.
pub fn way(run: &RunFile, label: &str, metric: Metric) -> Way {
    let value = |name: &str| earned(run.ladder.iter().find(|rung| rung.rung == name)?, metric).value;
    let whole = whole(run, metric);
    // Where no way was gone, there is nothing to have a share of.
    let length = whole.as_ref().filter(|whole| matches!(whole.verdict, None | Some(Verdict::Better)));
    let length = length.and_then(|whole| Some(-whole.of_values?.ln())).filter(|length| *length > 0.0);
    let line = |rung: &Rung| {
        let earned = earned(rung, metric);
        let before = rung.against.as_deref().and_then(value);
        let gone = before.zip(earned.value).filter(|(before, value)| *before > 0.0 && *value > 0.0);
        let gone = gone.filter(|_| !rung.beside).map(|(before, value)| (before / value).ln());
        Line {
            rung: rung.rung.clone(),
            lever: rung.lever.clone(),
            against: rung.against.clone(),
            beside: rung.beside,
            before,
            share: gone.zip(length).map(|(gone, length)| gone / length),
            earned,
        }
    };
    Way { label: label.to_owned(), lines: run.ladder.iter().map(line).collect(), whole }
}

fn earned(rung: &Rung, metric: Metric) -> Earned {
    let found = rung.metrics.iter().find(|earned| earned.name == metric.name());
    found.cloned().unwrap_or_else(|| Earned {
        name: metric.name().to_owned(),
        value: None,
        saved: None,
        ratio: None,
        interval: None,
        verdict: None,
        reason: None,
    })
}

/// The first step of the way tells its foot, the last its top.
fn whole(run: &RunFile, metric: Metric) -> Option<Whole> {
    let mut steps = run.ladder.iter().filter(|rung| rung.lever.is_some() && !rung.beside);
    let first = steps.next()?;
    let top = steps.next_back().unwrap_or(first);
    let foot = run.ladder.iter().find(|rung| Some(&rung.rung) == first.against.as_ref())?;
    let compared = run.comparisons.iter().find(|pair| pair.from == foot.rung && pair.to == top.rung);
    let compared = compared.and_then(|pair| pair.metrics.iter().find(|other| other.name == metric.name()));
    let values = earned(foot, metric).value.zip(earned(top, metric).value);
    let of_values = values.filter(|(foot, top)| *foot > 0.0 && *top > 0.0).map(|(foot, top)| top / foot);
    Some(Whole {
        foot: foot.rung.clone(),
        top: top.rung.clone(),
        of_values,
        ratio: compared.and_then(|metric| metric.ratio).or(of_values),
        interval: compared.and_then(|metric| metric.interval),
        verdict: compared.and_then(|metric| metric.verdict),
    })
}
