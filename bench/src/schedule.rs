//! When the open-loop requests of a load phase are meant to arrive.
//!
//! Apart from the pacer because it is arithmetic: the rate is integrated and the integral inverted, so that every run and every
//! variant gets the same instants. Invariant: the number of arrivals is the area under the rate, whole arrivals only; a
//! fraction left at a phase's end is carried into the next.

mod artillery;

use std::time::Duration;

use lambda_lab::experiment::ArrivalPhase;

pub use artillery::{Stepped, artillery_arrivals};

/// Slack for areas that are whole numbers but for rounding, such as 2.2 * 25.
const ROUNDING: f64 = 1e-9;

/// Offsets of all arrivals from the start of the load phase, ascending; the first at 0.
pub fn arrivals(phases: &[ArrivalPhase]) -> Vec<Duration> {
    let mut offsets = Vec::new();
    let mut phase_start_s = 0.0;
    let mut area_before = 0.0;
    let mut next = 0.0;
    for phase in phases {
        let area_after = area_before + area(phase);
        while next < area_after - ROUNDING {
            let within_s = instant(phase, f64::max(next - area_before, 0.0));
            offsets.push(Duration::from_secs_f64(phase_start_s + within_s));
            next += 1.0;
        }
        area_before = area_after;
        phase_start_s += phase.duration_s;
    }
    offsets
}

/// How long the schedule lasts, from its start to the end of its last phase.
pub fn span(phases: &[ArrivalPhase]) -> Duration {
    Duration::from_secs_f64(phases.iter().map(|phase| phase.duration_s).sum())
}

fn end_rate(phase: &ArrivalPhase) -> f64 {
    phase.ramp_to.unwrap_or(phase.arrival_rate)
}

/// Arrivals in the phase, as a real number.
fn area(phase: &ArrivalPhase) -> f64 {
    phase.duration_s * f64::midpoint(phase.arrival_rate, end_rate(phase))
}

/// The second of the phase at which `count` arrivals have been due: the inverse of `rate * t + slope * t^2 / 2`.
///
/// `(-rate + sqrt(rate^2 + 2 slope count)) / slope`, multiplied out so that it also holds for a slope of 0.
fn instant(phase: &ArrivalPhase, count: f64) -> f64 {
    let rate = phase.arrival_rate;
    let slope = (end_rate(phase) - rate) / phase.duration_s;
    let root = f64::max(rate * rate + 2.0 * slope * count, 0.0).sqrt();
    if count == 0.0 { 0.0 } else { 2.0 * count / (rate + root) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady(duration_s: f64, arrival_rate: f64) -> ArrivalPhase {
        ArrivalPhase { duration_s, arrival_rate, ramp_to: None }
    }

    fn ramp(duration_s: f64, arrival_rate: f64, to: f64) -> ArrivalPhase {
        ArrivalPhase { duration_s, arrival_rate, ramp_to: Some(to) }
    }

    #[test]
    fn fifty_a_second_for_a_minute_are_three_thousand_evenly_spaced() {
        let offsets = arrivals(&[steady(60.0, 50.0)]);
        assert_eq!(offsets.len(), 3000);
        assert_eq!(offsets[0], Duration::ZERO);
        assert_eq!(offsets[1], Duration::from_millis(20));
        assert_eq!(offsets[2999], Duration::from_millis(59_980));
    }

    #[test]
    fn the_ramps_of_the_article_have_their_areas() {
        assert_eq!(arrivals(&[ramp(20.0, 1.0, 20.0)]).len(), 210);
        assert_eq!(arrivals(&[ramp(50.0, 20.0, 100.0)]).len(), 3000);
        assert_eq!(arrivals(&[ramp(20.0, 1.0, 20.0), ramp(50.0, 20.0, 100.0)]).len(), 3210);
    }

    #[test]
    fn a_ramps_instants_solve_the_integral_of_its_rate() {
        let phase = ramp(20.0, 1.0, 20.0);
        for (count, offset) in arrivals(&[phase]).iter().enumerate() {
            let t = offset.as_secs_f64();
            let due = t + (19.0 / 20.0) * t * t / 2.0;
            assert!(
                (due - f64::from(u32::try_from(count).unwrap())).abs() < 1e-5,
                "arrival {count} at {t} s: {due}"
            );
        }
    }

    #[test]
    fn a_ramp_down_to_nothing_and_a_ramp_from_nothing_mirror_each_other() {
        let down = arrivals(&[ramp(10.0, 20.0, 0.0)]);
        let up = arrivals(&[ramp(10.0, 0.0, 20.0)]);
        assert_eq!((down.len(), up.len()), (100, 100));
        for k in 1..100 {
            let mirrored = 10.0 - up[100 - k].as_secs_f64();
            assert!((down[k].as_secs_f64() - mirrored).abs() < 1e-6, "arrival {k}");
        }
    }

    #[test]
    fn fractions_are_carried_into_the_next_phase() {
        let offsets = arrivals(&[steady(3.0, 0.5), steady(3.0, 0.5)]);
        let seconds: Vec<f64> = offsets.iter().map(Duration::as_secs_f64).collect();
        assert_eq!(seconds, [0.0, 2.0, 4.0]);
    }

    #[test]
    fn a_silent_phase_only_passes_time() {
        let offsets = arrivals(&[steady(1.0, 2.0), steady(5.0, 0.0), steady(1.0, 2.0)]);
        let seconds: Vec<f64> = offsets.iter().map(Duration::as_secs_f64).collect();
        assert_eq!(seconds, [0.0, 0.5, 6.0, 6.5]);
        assert_eq!(span(&[steady(1.0, 2.0), steady(5.0, 0.0)]), Duration::from_secs(6));
    }

    #[test]
    fn areas_that_are_whole_but_for_rounding_gain_no_arrival() {
        // 2.2 * 25 is 55.00000000000001.
        assert_eq!(arrivals(&[steady(2.2, 25.0)]).len(), 55);
        assert_eq!(arrivals(&[steady(0.3, 10.0), steady(0.3, 10.0)]).len(), 6);
    }
}
