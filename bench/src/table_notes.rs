//! The words around the terminal table: what was measured above it, what to keep in mind below it.
//!
//! Apart from the table because these are sentences, not cells. Invariant: what is modelled or not emulated is always said, and
//! so is where every request went.

use std::path::Path;

use lambda_lab::control::NetworkReport;

use crate::capacity::table::how;
use crate::environment::{Environment, Profile};
use crate::interference::Interference;
use crate::progress::spoken;
use crate::run_file::{Control, Load, Outliers, RunFile, Variant};
use crate::states::States;
use crate::table::{UNKNOWN, WIDTH, digits, one_at_a_time};

/// The lines above the table.
pub fn head(run: &RunFile) -> String {
    let environment = &run.environment;
    let profile = &environment.profile;
    let machine = environment.cpu_model.as_deref().unwrap_or(&environment.architecture);
    let load =
        |load: Option<[f64; 3]>| load.map_or_else(|| UNKNOWN.to_owned(), |[minute, ..]| digits(minute));
    let partial = run.partial.as_ref().map(|partial| {
        format!("PARTIAL: {} of {} rounds: {}", partial.rounds, profile.rounds, partial.reason)
    });
    let mut lines: Vec<String> = partial.into_iter().collect();
    lines.push(format!("{}: {}", run.experiment, run.description));
    if one_at_a_time(run) {
        lines.push(format!(
            "Measured on the {} in {} paired rounds (profile {}): {} cold, then {} warm requests one at a time after {} \
             to warm up{}, per variant and round.",
            environment.target,
            run.whole_rounds(),
            run.profile,
            profile.cold_starts,
            profile.warm_requests,
            profile.warm_up_requests,
            load_words(profile),
        ));
    }
    lines.extend(run.capacity.iter().map(|capacity| how(capacity, profile.rounds)));
    lines.extend([
        format!(
            "{} cores of {machine}; load average {} before, {} after; began {}{}.",
            environment.cores,
            load(environment.load_average_before),
            load(environment.load_average_after),
            run.started,
            lasted(run).map(|lasted| format!(", took {lasted}")).unwrap_or_default(),
        ),
        network(&environment.network),
        format!("Traced: {}.", environment.tracing.words()),
        format!("Limits: {}. Not emulated: {}.", environment.limits, listed(&run.not_emulated)),
    ]);
    lines.extend(environment.states.as_ref().map(States::words));
    wrapped(&lines)
}

/// The lines below the table.
pub fn notes(run: &RunFile, path: &Path) -> String {
    let environment = &run.environment;
    let accounting = run.accounting;
    let mut lines = Vec::new();
    if one_at_a_time(run) {
        lines.push(format!(
            "Ratios are to / from: below 1 is less, and less is better. Intervals: Student's t over {} paired rounds.",
            run.whole_rounds()
        ));
    }
    lines.extend(run.capacity.iter().flat_map(crate::capacity::table::notes));
    if one_at_a_time(run) && some_unknown(run) {
        lines.push(format!(
            "{UNKNOWN}: not known; a quantile needs 10 values beyond it (p50: 20 values, p90: 100, p99: 1000)."
        ));
    }
    lines.extend(noise_floor(&run.control));
    lines.extend(outliers(&run.variants));
    lines.push(format!("Modelled: {}.", listed(&run.modelled)));
    lines.extend(interference(environment));
    lines.extend(load_lines(&run.variants));
    lines.extend(run.variants.iter().filter(|variant| !variant.errors_by_name.is_empty()).map(|variant| {
        let errors = variant.errors_by_name.iter().map(|(name, count)| format!("{name} {count}"));
        format!("Errors of {}: {}.", variant.name, errors.collect::<Vec<_>>().join(", "))
    }));
    if run.partial.is_some() {
        lines.push("Figures are of the whole rounds; requests are all that were sent.".to_owned());
    }
    lines.push(format!(
        "Requests accounted for: {} sent = {} answered + {} failed + {} dropped.",
        accounting.sent, accounting.answered, accounting.failed, accounting.dropped
    ));
    if one_at_a_time(run) {
        lines.push(crate::cost_table::note(run));
    }
    lines.push(format!("Everything: {}", path.display()));
    wrapped(&lines)
}

fn noise_floor(controls: &[Control]) -> Option<String> {
    let of = controls.iter().map(|control| control.of.as_str()).collect::<Vec<_>>().join(" and ");
    (!controls.is_empty()).then(|| {
        format!(
            "Noise floor: how far {of}, measured twice in every round, came out from itself, to either side of 1. A ratio \
             inside it is no difference. There is none under load, which the control does not get."
        )
    })
}

/// Warm invocations that took far longer than the others.
fn outliers(variants: &[Variant]) -> Option<String> {
    let counted = variants.iter().filter_map(|variant| {
        let Outliers { count, of, fence_ms, longest_ms } =
            variant.outliers.filter(|outliers| outliers.count > 0)?;
        let (fence, longest) = (digits(fence_ms), digits(longest_ms));
        Some(format!("{} {count} of {of} over {fence} ms, the longest {longest} ms", variant.name))
    });
    let counted = counted.collect::<Vec<_>>().join("; ");
    (!counted.is_empty()).then(|| {
        format!("Warm outliers, beyond Tukey's outer fence, in the figures all the same: {counted}.")
    })
}

/// The load phase, with the scenario files that made it and what its errors and apdex are judged by.
fn load_words(profile: &Profile) -> String {
    if profile.arrivals.is_empty() && profile.scenarios.is_empty() {
        return String::new();
    }
    let files: Vec<&str> = profile.scenarios.iter().map(|scenario| scenario.file.as_str()).collect();
    let by = if files.is_empty() { String::new() } else { format!(" of {}", files.join(" and ")) };
    let time_limit_s = digits(profile.time_limit_ms / 1000.0);
    format!(
        ", then the load{by} (apdex at {} ms, time-out {time_limit_s} s)",
        digits(profile.apdex_threshold_ms)
    )
}

/// How far the dependencies are said to be.
fn network(network: &NetworkReport) -> String {
    if network.round_trips_ms.is_empty() {
        return format!("Network: {}, nothing added.", network.name);
    }
    let added = network
        .round_trips_ms
        .iter()
        .map(|(dependency, round_trip_ms)| format!("{dependency} {}", digits(*round_trip_ms)));
    let dated = network.source_date.as_ref().map(|date| format!(", figures of {date}"));
    format!(
        "Network: {}, MODELLED: added to each round trip, ms: {}{}.",
        network.name,
        added.collect::<Vec<_>>().join(", "),
        dated.unwrap_or_default(),
    )
}

/// How much of each round others took, and in how much of it something waited for a processor.
fn interference(environment: &Environment) -> Option<String> {
    let rounds = &environment.interference;
    let percent = |share: Option<f64>| {
        share.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{:.1}", share * 100.0))
    };
    let each = |share: &dyn Fn(&Interference) -> Option<f64>| {
        rounds.iter().map(|round| percent(share(round))).collect::<Vec<_>>().join(", ")
    };
    let of_processors = |round: &Interference| {
        round.steal_ms.map(|steal_ms| steal_ms / (round.elapsed_ms * environment.cores as f64))
    };
    let of_time = |round: &Interference| round.pressure_cpu_ms.map(|waited_ms| waited_ms / round.elapsed_ms);
    (!rounds.is_empty()).then(|| {
        format!(
            "Host, each round: {} % of its processors' time stolen by the hypervisor; something waited for a processor \
             in {} % of the time (the sandboxes themselves count).",
            each(&of_processors),
            each(&of_time)
        )
    })
}

fn load_lines(variants: &[Variant]) -> Vec<String> {
    let loads: Vec<(&str, &Load)> =
        variants.iter().filter_map(|variant| Some((variant.name.as_str(), variant.load.as_ref()?))).collect();
    if loads.is_empty() {
        return Vec::new();
    }
    let named = |stamped: fn(&Load) -> bool| {
        let names = loads.iter().filter(|(_, load)| stamped(load)).map(|(name, _)| *name);
        Some(names.collect::<Vec<_>>().join(", ")).filter(|names| !names.is_empty())
    };
    let shown = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), digits);
    let lags = loads.iter().map(|(name, load)| {
        format!("{name} {} and {}", shown(load.send_lag_ms.p50), shown(load.send_lag_ms.p99))
    });
    let mut lines =
        vec![format!("Send lag p50 and p99 under load, ms: {}.", lags.collect::<Vec<_>>().join("; "))];
    lines.extend(
        named(|load| load.host_limited == Some(true)).map(|names| {
            format!("HOST-LIMITED under load, its processors were less than 10 % idle: {names}.")
        }),
    );
    lines.extend(
        named(|load| load.host_limited.is_none())
            .map(|names| format!("Whether the host was the limit under load is not known: {names}.")),
    );
    lines.extend(named(|load| load.generator_limited).map(|names| {
        format!("GENERATOR-LIMITED under load, the bench itself sent too late, so these times are its own: {names}.")
    }));
    lines
}

fn some_unknown(run: &RunFile) -> bool {
    run.variants.iter().any(|variant| {
        let load = variant.load.as_ref().map(|load| load.response_ms);
        let quantiles = [Some(variant.warm_ms), Some(variant.cold_ms), Some(variant.init_ms), load];
        quantiles
            .iter()
            .flatten()
            .any(|known| known.p50.is_none() || known.p90.is_none() || known.p99.is_none())
    })
}

fn lasted(run: &RunFile) -> Option<String> {
    let started: jiff::Timestamp = run.started.parse().ok()?;
    let finished: jiff::Timestamp = run.finished.parse().ok()?;
    finished.duration_since(started).try_into().ok().map(spoken)
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join("; ") }
}

/// The lines broken between words at the table's width; what follows a break is indented. A word that is too long stays whole, so
/// that a path can be copied.
pub(crate) fn wrapped(lines: &[String]) -> String {
    let mut broken = Vec::new();
    for line in lines {
        let mut current = String::new();
        for word in line.split(' ') {
            let fits = current.chars().count() + 1 + word.chars().count() <= usize::from(WIDTH);
            if current.is_empty() {
                current = word.to_owned();
            } else if fits {
                current = format!("{current} {word}");
            } else {
                broken.push(std::mem::replace(&mut current, format!("  {word}")));
            }
        }
        broken.push(current);
    }
    broken.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_none_is_lost() {
        let line = "word ".repeat(60).trim_end().to_owned();
        let broken = wrapped(std::slice::from_ref(&line));
        assert!(broken.lines().count() > 2);
        assert!(broken.lines().all(|line| line.chars().count() <= 110), "{broken}");
        assert_eq!(broken.split_whitespace().collect::<Vec<_>>().join(" "), line);
    }
}
