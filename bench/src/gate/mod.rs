//! Conditions that make a command fail: `--fail-if 'warm_ms_p99 ratio > 1.10'`.
//!
//! Apart from the verdicts because a gate judges nothing itself: it asks for what a comparison says. Invariant: a gate either failed,
//! passed, or could not be judged and says why; none is passed over.
//!
//! [`parse`] reads one, [`known`] refuses what names nothing, [`in_run`] and [`between_runs`] ask the comparisons.

use std::fmt::{self, Display};

use clap::Args;

use crate::verdict::Verdict;

pub mod between_runs;
pub mod in_run;
pub mod known;
pub mod parse;

/// The exit code when a gate failed.
pub const FAILED: u8 = 3;
/// The exit code when no gate failed, but one could not be judged.
pub const NOT_JUDGED: u8 = 4;

/// The option that several commands have.
#[derive(Clone, Debug, Default, Args)]
pub struct FailIf {
    /// Fail with exit code 3 if this holds, with 4 if it cannot be judged; may be repeated, or several separated by `;`.
    ///
    /// `[TO/FROM] METRIC ratio|low|high >|>=|<|<= NUMBER`, or `[TO/FROM] METRIC verdict is better|worse|no difference
    /// shown|not measurable`. low and high are the ends of the 95 % interval of the ratio. Without a pair: the last variant to
    /// the first; in `bench compare`, each variant of both runs, relative to the reference. Examples: `warm_ms_p99 ratio >
    /// 1.10`, `optimized/baseline warm_ms_p50 low >= 0.1`, `cost_per_million_usd verdict is worse`. More in docs/GATES.md.
    #[arg(long = "fail-if", value_name = "CONDITION", value_delimiter = ';')]
    pub gates: Vec<Gate>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// As it was written.
    pub text: String,
    /// Whose ratio; none for the main pair.
    pub pair: Option<Pair>,
    /// The metric's name, as in `run.json`.
    pub metric: String,
    /// What must not hold.
    pub condition: Condition,
}

/// Two variants: `to/from`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The variant compared.
    pub to: String,
    /// The variant that is 1.
    pub from: String,
}

/// What must not hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// A number of the ratio.
    Number {
        /// Which.
        quantity: Quantity,
        /// How it is compared.
        operator: Operator,
        /// With what.
        bound: f64,
    },
    /// The verdict.
    Verdict(Verdict),
}

/// A number of a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The ratio itself.
    Ratio,
    /// The lower end of its 95 % interval.
    Low,
    /// The upper end.
    High,
}

/// How a number is compared with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// What a comparison says of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// to / from.
    pub ratio: Option<f64>,
    /// 95 % interval of it.
    pub interval: Option<[f64; 2]>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Why it is not measurable.
    pub reason: Option<String>,
}

/// What came of a gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The gate as it was written.
    pub gate: String,
    /// Which variant, where a gate asks for several.
    pub of: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a gate.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The condition does not hold; with what was found.
    Passed(String),
    /// It holds.
    Failed(String),
    /// It cannot be said, and why.
    NotJudged(String),
}

/// A gate that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// A metric that no run has.
    #[error("--fail-if {gate:?}: there is no metric {metric:?}; there are: {known}")]
    Metric {
        /// The gate.
        gate: String,
        /// The metric.
        metric: String,
        /// What there is.
        known: String,
    },
    /// A pair that is not compared.
    #[error("--fail-if {gate:?}: {pair} is not compared; compared are: {known}")]
    Pair {
        /// The gate.
        gate: String,
        /// The pair.
        pair: String,
        /// What there is.
        known: String,
    },
    /// One number a run has neither interval nor verdict.
    #[error(
        "--fail-if {gate:?}: {metric} is one number a run, with neither an interval nor a verdict; ask for its ratio"
    )]
    Plain {
        /// The gate.
        gate: String,
        /// The metric.
        metric: String,
    },
    /// A metric of the load phase, in a run without one.
    #[error(
        "--fail-if {gate:?}: the profile has no load phase, so there is no {metric}; name another metric or profile"
    )]
    NoLoad {
        /// The gate.
        gate: String,
        /// The metric.
        metric: String,
    },
}

impl Gate {
    /// Judges what a comparison said of the gate's metric; `of` names the variant where the gate asks for several.
    pub fn judge(&self, said: &Said, of: Option<String>) -> Judged {
        Judged { gate: self.text.clone(), of, outcome: self.outcome(said) }
    }

    fn outcome(&self, said: &Said) -> Outcome {
        let (found, holds) = match self.condition {
            Condition::Verdict(wanted) => {
                let Some(verdict) = said.verdict else { return Outcome::NotJudged(why(said)) };
                if verdict == Verdict::NotMeasurable && wanted != verdict {
                    return Outcome::NotJudged(why(said));
                }
                (verdict.word().to_owned(), verdict == wanted)
            }
            Condition::Number { quantity, operator, bound } => {
                let measurable = said.verdict != Some(Verdict::NotMeasurable);
                let Some(value) = said.number(quantity).filter(|_| measurable) else {
                    return Outcome::NotJudged(why(said));
                };
                (format!("{value:.4}"), operator.holds(value, bound))
            }
        };
        if holds { Outcome::Failed(found) } else { Outcome::Passed(found) }
    }
}

impl Said {
    fn number(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Ratio => self.ratio,
            Quantity::Low => self.interval.map(|[low, _]| low),
            Quantity::High => self.interval.map(|[_, high]| high),
        }
    }
}

fn why(said: &Said) -> String {
    said.reason.as_ref().map_or_else(
        || "not measurable".to_owned(),
        |reason| format!("not measurable, {}", reason.split_whitespace().collect::<Vec<_>>().join(" ")),
    )
}

impl Operator {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
        }
    }
}

impl Display for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.to, self.from)
    }
}

impl Display for Judged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "gate: ")?;
        if let Some(of) = &self.of {
            write!(formatter, "{of}: ")?;
        }
        match &self.outcome {
            Outcome::Passed(found) => write!(formatter, "{}: passed, {found}", self.gate),
            Outcome::Failed(found) => write!(formatter, "{}: FAILED, {found}", self.gate),
            Outcome::NotJudged(why) => write!(formatter, "{}: NOT JUDGED, {why}", self.gate),
        }
    }
}

/// The exit code that `judged` calls for; 0 where every gate passed.
pub fn exit_code(judged: &[Judged]) -> u8 {
    let any = |wanted: fn(&Outcome) -> bool| judged.iter().any(|judged| wanted(&judged.outcome));
    if any(|outcome| matches!(outcome, Outcome::Failed(_))) {
        FAILED
    } else if any(|outcome| matches!(outcome, Outcome::NotJudged(_))) {
        NOT_JUDGED
    } else {
        0
    }
}
