//! Gates on the comparisons of one run.
//!
//! Apart from those between runs because here the run has already compared. Invariant: nothing is computed; a gate reads what the table
//! shows.

use crate::gate::known::Known;
use crate::gate::{Gate, Judged, Pair, Said};
use crate::run_file::{ComparedMetric, RunFile};

/// Judges `gates` by `run`; they have been checked against it, or against its plan.
pub fn judge(gates: &[Gate], run: &RunFile) -> Vec<Judged> {
    let known = Known::of(run);
    gates.iter().map(|gate| gate.judge(&said(gate, run, known.main.as_ref()), None)).collect()
}

fn said(gate: &Gate, run: &RunFile, main: Option<&Pair>) -> Said {
    let nothing = |reason| Said { ratio: None, interval: None, verdict: None, reason: Some(reason) };
    let Some(pair) = gate.pair.as_ref().or(main) else {
        return nothing("this run has a single variant".to_owned());
    };
    let compared = run.comparisons.iter().find(|seen| seen.to == pair.to && seen.from == pair.from);
    let Some(compared) = compared else { return nothing(format!("this run does not compare {pair}")) };
    match compared.metrics.iter().find(|metric| metric.name == gate.metric) {
        Some(metric) => metric.into(),
        None => nothing(format!("this run has no {} for {pair}", gate.metric)),
    }
}

impl From<&ComparedMetric> for Said {
    fn from(metric: &ComparedMetric) -> Self {
        Self {
            ratio: metric.ratio,
            interval: metric.interval,
            verdict: metric.verdict,
            reason: metric.reason.clone(),
        }
    }
}
