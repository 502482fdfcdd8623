//! Gates on two runs.
//!
//! Apart from those on one run because a gate without a pair asks every variant here. Invariant: what is asked is relative to another
//! variant of the same rounds, so the drift between the runs fails no gate; only what is one number a run is taken as it is.

use crate::compare::changes::{Change, relative};
use crate::compare::report::{Report, VariantChange};
use crate::gate::known::{is_plain, metric};
use crate::gate::{Gate, GateError, Judged, Pair, Said};
use crate::run_file::RunFile;

/// Judges `gates` by `report`, which compares `from` with `to`.
///
/// # Errors
/// If a gate names a metric that no run has, or a variant that one of the runs has not.
pub fn judge(
    gates: &[Gate],
    from: &RunFile,
    to: &RunFile,
    report: &Report,
) -> Result<Vec<Judged>, GateError> {
    gates.iter().try_for_each(|gate| check(gate, report))?;
    Ok(gates.iter().flat_map(|gate| judge_one(gate, from, to, report)).collect())
}

fn check(gate: &Gate, report: &Report) -> Result<(), GateError> {
    metric(gate)?;
    let Some(pair) = &gate.pair else { return Ok(()) };
    if is_plain(&gate.metric) {
        return Err(refused(gate, pair, format!("{} is compared without a pair", gate.metric)));
    }
    let shared: Vec<_> = report.as_measured.iter().map(|changed| changed.variant.as_str()).collect();
    if pair.to != pair.from && [&pair.to, &pair.from].iter().all(|name| shared.contains(&name.as_str())) {
        return Ok(());
    }
    Err(refused(gate, pair, format!("any two of {}", shared.join(", "))))
}

fn refused(gate: &Gate, pair: &Pair, known: String) -> GateError {
    GateError::Pair { gate: gate.text.clone(), pair: pair.to_string(), known }
}

fn judge_one(gate: &Gate, from: &RunFile, to: &RunFile, report: &Report) -> Vec<Judged> {
    if let Some(pair) = &gate.pair {
        let metrics = relative(from, to, &pair.to, &pair.from);
        return vec![gate.judge(&said(gate, &metrics), None)];
    }
    let variants: &[VariantChange] =
        if is_plain(&gate.metric) { &report.as_measured } else { &report.relative };
    if variants.is_empty() {
        let reason =
            format!("the runs share {} alone, and nothing tells its change from the drift", report.reference);
        let said = Said { ratio: None, interval: None, verdict: None, reason: Some(reason) };
        return vec![gate.judge(&said, None)];
    }
    variants
        .iter()
        .map(|changed| gate.judge(&said(gate, &changed.metrics), Some(changed.variant.clone())))
        .collect()
}

fn said(gate: &Gate, metrics: &[Change]) -> Said {
    match metrics.iter().find(|change| change.name == gate.metric) {
        Some(change) => Said {
            ratio: change.ratio,
            interval: change.interval,
            verdict: change.verdict,
            reason: change.reason.clone(),
        },
        None => Said {
            ratio: None,
            interval: None,
            verdict: None,
            reason: Some(format!("neither run has {}", gate.metric)),
        },
    }
}
