//! The terminal report of a run of climbs: a block for each situation.
//!
//! Apart from the table of a run, whose rows are durations. Invariant: a knee that is only a lower bound is written `>=`, and its
//! lines are no wider than the other table's.

use crate::run_file::{Capacity, Knee, KneeRatio, RunFile, Situation};
use crate::table::{UNKNOWN, digits, new_table, right_aligned};
use crate::table_notes::wrapped;

/// Requests a second that Lambda takes for each concurrent execution,
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>.
const REQUESTS_PER_EXECUTION: u32 = 10;

/// One block for each situation, and one for its ratios; none where the run did not climb.
pub fn blocks(run: &RunFile) -> Vec<String> {
    let situations = run.capacity.iter().flat_map(|capacity| &capacity.situations);
    situations
        .flat_map(|situation| std::iter::once(knees_table(situation)).chain(ratios_table(&situation.ratios)))
        .collect()
}

/// How it was measured, in one sentence.
pub fn how(capacity: &Capacity, rounds: u32) -> String {
    format!(
        "Capacity: {rounds} climbs of each variant and situation, each from nothing; rates {} apart until one fails twice, then the \
         gap is halved {} times. A step passes with at most {} % errors and an apdex of {} at 100 ms.",
        digits(capacity.factor),
        capacity.bisections,
        digits(capacity.error_share * 100.0),
        capacity.apdex
    )
}

/// What to keep in mind.
pub fn notes(capacity: &Capacity) -> Vec<String> {
    let mut notes = vec![
        "Capacity: a knee is the greatest rate that passed, requests/s; beyond it stands what the next rate up met. Ratios of knees \
         are to / from: above 1 carries more, and more is better."
            .to_owned(),
    ];
    notes.extend(requests_quota(&capacity.situations));
    let bounds: Vec<&str> = capacity
        .situations
        .iter()
        .flat_map(|situation| &situation.knees)
        .flat_map(|knee| knee.ended_by.iter().map(String::as_str))
        .collect();
    let explained = [
        ("host", "host: this machine's processors were less than 10 % idle, be it by this work or by other"),
        ("generator", "generator: the bench itself sent too late"),
        ("end", "end: the ceiling was carried"),
    ];
    let met: Vec<&str> =
        explained.into_iter().filter(|(word, _)| bounds.contains(word)).map(|(_, words)| words).collect();
    if !met.is_empty() {
        notes.push(format!(">=: only a lower bound, and no verdict ({}).", met.join("; ")));
    }
    notes
}

/// Lambda's other limit, which is known but not emulated.
fn requests_quota(situations: &[Situation]) -> Option<String> {
    let quotas: Vec<String> = situations
        .iter()
        .filter_map(|situation| {
            let executions = situation.reserved_concurrency.or(situation.concurrent_executions)?;
            Some(format!("{} {}/s", situation.name, executions * REQUESTS_PER_EXECUTION))
        })
        .collect();
    (!quotas.is_empty()).then(|| {
        format!(
            "Not emulated: Lambda also throttles at {REQUESTS_PER_EXECUTION} requests/s for each concurrent execution ({}). A knee \
             above that is the function's on this machine; on AWS it needs more concurrency, however short the function is.",
            quotas.join(", ")
        )
    })
}

fn knees_table(situation: &Situation) -> String {
    let mut table = new_table();
    table.set_header([
        "",
        "knee",
        "95 % interval",
        "per sandbox",
        "ended by",
        "p50, ms",
        "apdex",
        "beyond it",
    ]);
    for knee in &situation.knees {
        let interval = knee.interval.map(|[low, high]| format!("{} to {}", digits(low), digits(high)));
        table.add_row([
            knee.variant.clone(),
            rate(knee),
            interval.unwrap_or_else(|| UNKNOWN.to_owned()),
            shown(knee.rate_per_sandbox),
            endings(knee),
            shown(knee.response_ms_p50),
            knee.apdex.map_or_else(|| UNKNOWN.to_owned(), |apdex| format!("{apdex:.2}")),
            beyond(knee),
        ]);
    }
    let title = format!(
        "{}: {}; steps of {} s, judged after {} s",
        situation.name, situation.description, situation.step_s, situation.warm_up_s
    );
    format!("{}\n{}", wrapped(&[title]), right_aligned(table, 1..7))
}

fn ratios_table(ratios: &[KneeRatio]) -> Option<String> {
    if ratios.is_empty() {
        return None;
    }
    let mut table = new_table();
    table.set_header(["knees", "ratio", "95 % interval", "verdict", ""]);
    for ratio in ratios {
        let interval = ratio.interval.map(|[low, high]| format!("{} to {}", digits(low), digits(high)));
        table.add_row([
            format!("{} / {}", ratio.to, ratio.from),
            shown(ratio.ratio),
            interval.unwrap_or_else(|| UNKNOWN.to_owned()),
            ratio.verdict.word().to_owned(),
            ratio.reason.clone().unwrap_or_default(),
        ]);
    }
    Some(right_aligned(table, 1..4))
}

/// `87.3`, `>= 310`, or `< 20.0` where even the first step failed by what the variant did.
fn rate(knee: &Knee) -> String {
    match (knee.rate, &knee.beyond) {
        (Some(rate), _) if knee.lower_bound => format!(">= {}", digits(rate)),
        (Some(rate), _) => digits(rate),
        (None, Some(beyond)) if !knee.lower_bound => format!("< {}", digits(beyond.rate)),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// What ended the rounds, each with how many of them where they differ.
fn endings(knee: &Knee) -> String {
    let mut words: Vec<(&str, usize)> = Vec::new();
    for ended in &knee.ended_by {
        match words.iter_mut().find(|(word, _)| word == ended) {
            Some((_, count)) => *count += 1,
            None => words.push((ended, 1)),
        }
    }
    match words.as_slice() {
        [(word, _)] => (*word).to_owned(),
        several => {
            several.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(",\n")
        }
    }
}

/// `113/s: http_503 6.5 %`, each further name on a line of its own.
fn beyond(knee: &Knee) -> String {
    let Some(beyond) = &knee.beyond else { return UNKNOWN.to_owned() };
    let share = |count: u64| count as f64 / beyond.requests.max(1) as f64 * 100.0;
    let errors = beyond.errors.iter().map(|(name, count)| format!("{name} {:.1} %", share(*count)));
    let errors = errors.collect::<Vec<_>>().join(",\n");
    format!("{}/s: {}", digits(beyond.rate), if errors.is_empty() { "no errors" } else { errors.as_str() })
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), digits)
}
