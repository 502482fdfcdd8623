//! From the climbs of one situation to its knees and their ratios.
//!
//! Apart from the climbs because the round is the unit here. Invariant: a knee that the host, the bench or the ceiling set in any
//! round is a lower bound, and no ratio is made with it.

use std::collections::BTreeMap;

use crate::comparison::pairs;
use crate::run_file::{Beyond, CapacityStep, Knee, KneeRatio};
use crate::statistics::{mean, paired_ratio};
use crate::verdict::Verdict;

use super::climb::{Ending, Limit};

/// One climb that is over.
#[derive(Clone, Debug)]
pub(super) struct Climbed {
    pub(super) variant: String,
    pub(super) steps: Vec<CapacityStep>,
    pub(super) knee: Option<f64>,
    pub(super) ending: Ending,
}

/// What `variant` carried; `climbs` are of all variants, in the order of their rounds, `sandboxes` the reserved number.
pub(super) fn knee(variant: &str, climbs: &[Climbed], sandboxes: Option<u32>) -> Knee {
    let climbs: Vec<&Climbed> = climbs.iter().filter(|climb| climb.variant == variant).collect();
    let per_round: Vec<Option<f64>> = climbs.iter().map(|climb| climb.knee).collect();
    let middle = geometric(per_round.iter().copied());
    let at_knee: Option<Vec<&CapacityStep>> = climbs.iter().map(|climb| at_knee(climb)).collect();
    let over = |value: fn(&CapacityStep) -> Option<f64>| {
        mean(&at_knee.as_ref()?.iter().map(|step| value(step)).collect::<Option<Vec<_>>>()?)
    };
    let per_sandbox = |step: &&CapacityStep| {
        let busy = sandboxes.map_or(step.sandboxes as f64, f64::from);
        (busy > 0.0).then(|| step.rate / busy)
    };
    Knee {
        variant: variant.to_owned(),
        rate: middle.map(|(rate, _)| rate),
        lower_bound: climbs.iter().any(|climb| is_bound(climb.ending)),
        interval: middle.and_then(|(_, interval)| interval),
        rate_per_sandbox: at_knee
            .as_ref()
            .and_then(|steps| geometric(steps.iter().map(per_sandbox)))
            .map(|(rate, _)| rate),
        per_round,
        ended_by: climbs.iter().map(|climb| climb.ending.word().to_owned()).collect(),
        response_ms_p50: over(|step| step.response_ms_p50),
        apdex: over(|step| Some(step.apdex)),
        beyond: beyond(&climbs),
        steps: climbs.iter().flat_map(|climb| climb.steps.clone()).collect(),
    }
}

/// The pairs of `knees`, as a run's variants are compared.
pub(super) fn ratios(knees: &[Knee]) -> Vec<KneeRatio> {
    pairs(knees.len(), false).into_iter().map(|(from, to)| ratio(&knees[from], &knees[to])).collect()
}

fn ratio(from: &Knee, to: &Knee) -> KneeRatio {
    let whole = |knee: &Knee| knee.per_round.iter().copied().collect::<Option<Vec<f64>>>();
    let unfit = [from, to].into_iter().find_map(unfit);
    let compared = match (&unfit, whole(from), whole(to)) {
        (None, Some(from), Some(to)) => paired_ratio(&from, &to),
        _ => None,
    };
    // More is better, where verdicts are of metrics of which less is: the interval of the inverse is judged.
    let inverse =
        compared.as_ref().map(|compared| compared.interval).map(|[low, high]| [1.0 / high, 1.0 / low]);
    KneeRatio {
        from: from.variant.clone(),
        to: to.variant.clone(),
        ratio: compared.as_ref().map(|compared| compared.ratio),
        interval: compared.as_ref().map(|compared| compared.interval),
        verdict: Verdict::of(inverse),
        per_round: compared.map(|compared| compared.per_round).unwrap_or_default(),
        reason: unfit,
    }
}

/// Why no ratio is made with `knee`.
fn unfit(knee: &Knee) -> Option<String> {
    let Knee { variant, .. } = knee;
    let ended = |word: &str| knee.ended_by.iter().any(|ended| ended == word);
    // First, for it also tells why there may be no knee at all.
    if ended("host") {
        Some(format!("the knee of {variant} is this host's"))
    } else if ended("generator") {
        Some(format!("the knee of {variant} is the bench's own"))
    } else if ended("end") {
        Some(format!("{variant} carried the ceiling"))
    } else if knee.rate.is_none() {
        Some(format!("{variant} did not carry the first rate in every round"))
    } else {
        None
    }
}

fn is_bound(ending: Ending) -> bool {
    match ending {
        Ending::End | Ending::Limit(Limit::Host | Limit::Generator) => true,
        Ending::Limit(Limit::Errors | Limit::Apdex) => false,
    }
}

/// The step at the knee that passed.
fn at_knee(climb: &Climbed) -> Option<&CapacityStep> {
    let knee = climb.knee?;
    climb.steps.iter().find(|step| step.rate == knee && step.failed_by.is_none())
}

/// The steps at each round's lowest failed rate above its knee.
fn beyond(climbs: &[&Climbed]) -> Option<Beyond> {
    let mut steps = Vec::new();
    let mut rates = Vec::new();
    for climb in climbs {
        let above = |step: &&CapacityStep| step.rate > climb.knee.unwrap_or(0.0);
        let Some(rate) = climb.steps.iter().filter(above).map(|step| step.rate).reduce(f64::min) else {
            continue;
        };
        rates.push(rate);
        steps.extend(climb.steps.iter().filter(|step| step.rate == rate));
    }
    let (rate, _) = geometric(rates.into_iter().map(Some))?;
    let mut errors: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in steps.iter().flat_map(|step| &step.errors) {
        *errors.entry(name.clone()).or_default() += count;
    }
    Some(Beyond { rate, requests: steps.iter().map(|step| step.requests).sum(), errors })
}

/// Geometric mean of `values` and its 95 % interval; none where any is missing or there is none. One alone has no interval.
fn geometric(values: impl Iterator<Item = Option<f64>>) -> Option<(f64, Option<[f64; 2]>)> {
    let values = values.collect::<Option<Vec<f64>>>()?;
    match paired_ratio(&vec![1.0; values.len()], &values) {
        Some(compared) => Some((compared.ratio, Some(compared.interval))),
        None => match values.as_slice() {
            [one] => Some((*one, None)),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(round: u32, rate: f64, failed_by: Option<&str>) -> CapacityStep {
        CapacityStep {
            round,
            began_us: 0,
            rate,
            warm_up_requests: 10,
            requests: 100,
            errors: failed_by.map(|_| ("http_503".to_owned(), 5)).into_iter().collect(),
            apdex: 0.9,
            response_ms_p50: Some(f64::from(round)),
            sandboxes: 4,
            idle_share: Some(0.5),
            host_limited: Some(false),
            generator_limited: false,
            failed_by: failed_by.map(str::to_owned),
        }
    }

    /// A climb to `knee` that failed at 1.25 of it, and before that at four times it.
    fn climbed(variant: &str, round: u32, knee: f64, ending: Ending) -> Climbed {
        let failed = [(4.0, "errors"), (1.25, "errors")];
        let failed = failed.map(|(times, by)| step(round, knee * times, Some(by)));
        let mut steps = vec![step(round, knee, None)];
        steps.extend(failed.into_iter().filter(|_| ending != Ending::End));
        Climbed { variant: variant.to_owned(), steps, knee: Some(knee), ending }
    }

    const ERRORS: Ending = Ending::Limit(Limit::Errors);

    fn two(endings: [Ending; 2]) -> Vec<Climbed> {
        vec![
            climbed("a", 1, 50.0, ERRORS),
            climbed("b", 1, 400.0, endings[0]),
            climbed("b", 2, 480.0, endings[1]),
            climbed("a", 2, 40.0, ERRORS),
        ]
    }

    #[test]
    fn a_knee_is_the_geometric_mean_of_its_rounds_with_what_was_seen_there_and_beyond() {
        let knee = knee("a", &two([ERRORS, ERRORS]), Some(2));
        assert!((knee.rate.unwrap() - 2000_f64.sqrt()).abs() < 1e-9);
        assert_eq!(
            (knee.per_round.as_slice(), knee.lower_bound),
            ([Some(50.0), Some(40.0)].as_slice(), false)
        );
        assert!((knee.rate_per_sandbox.unwrap() - 2000_f64.sqrt() / 2.0).abs() < 1e-9);
        assert_eq!((knee.response_ms_p50, knee.apdex), (Some(1.5), Some(0.9)));
        let beyond = knee.beyond.unwrap();
        assert!((beyond.rate - 2000_f64.sqrt() * 1.25).abs() < 1e-9);
        assert_eq!((beyond.requests, beyond.errors["http_503"]), (200, 10));
        assert_eq!(knee.steps.len(), 6);
        let [low, high] = knee.interval.unwrap();
        assert!(low < 40.0 && high > 50.0, "two rounds say little: {low} to {high}");
    }

    #[test]
    fn without_a_reservation_the_busy_sandboxes_divide() {
        let knee = knee("a", &two([ERRORS, ERRORS]), None);
        assert!((knee.rate_per_sandbox.unwrap() - 2000_f64.sqrt() / 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_pair_of_real_knees_has_a_ratio_and_more_is_better() {
        let steady = [climbed("a", 1, 50.0, ERRORS), climbed("b", 1, 400.0, ERRORS)];
        let again = [climbed("b", 2, 408.0, ERRORS), climbed("a", 2, 50.0, ERRORS)];
        let climbs: Vec<Climbed> = steady.into_iter().chain(again).collect();
        let ratios = ratios(&["a", "b"].map(|name| knee(name, &climbs, Some(2))));
        assert_eq!((ratios[0].from.as_str(), ratios[0].to.as_str()), ("a", "b"));
        assert!((ratios[0].ratio.unwrap() - 8.08).abs() < 0.01);
        assert_eq!((ratios[0].verdict, ratios[0].per_round.len()), (Verdict::Better, 2));
    }

    #[test]
    fn a_stamped_knee_is_a_lower_bound_and_has_no_ratio() {
        let endings = [Ending::Limit(Limit::Host), Ending::Limit(Limit::Generator), Ending::End];
        for (ending, reason) in
            endings.into_iter().zip(["this host's", "the bench's own", "carried the ceiling"])
        {
            let climbs = two([ERRORS, ending]);
            let knees = ["a", "b"].map(|name| knee(name, &climbs, Some(2)));
            assert!(knees[1].lower_bound && !knees[0].lower_bound);
            let ratio = &ratios(&knees)[0];
            assert_eq!((ratio.ratio, ratio.verdict), (None, Verdict::NotMeasurable));
            assert!(ratio.reason.as_ref().unwrap().contains(reason), "{:?}", ratio.reason);
        }
    }

    #[test]
    fn where_the_host_is_busy_from_the_start_that_is_the_reason() {
        let mut climbs = two([ERRORS, Ending::Limit(Limit::Host)]);
        climbs[2].knee = None;
        let knees = ["a", "b"].map(|name| knee(name, &climbs, Some(2)));
        assert_eq!((knees[1].rate, knees[1].lower_bound), (None, true));
        assert!(ratios(&knees)[0].reason.as_ref().unwrap().contains("this host's"));
    }

    #[test]
    fn a_variant_that_fails_at_once_has_no_knee_but_tells_where() {
        let mut climbs = two([ERRORS, ERRORS]);
        climbs[0].knee = None;
        climbs[0].steps.remove(0);
        let knees = ["a", "b"].map(|name| knee(name, &climbs, None));
        assert_eq!((knees[0].rate, knees[0].response_ms_p50), (None, None));
        assert!(knees[0].beyond.is_some());
        assert!(ratios(&knees)[0].reason.as_ref().unwrap().contains("did not carry the first rate"));
    }
}
