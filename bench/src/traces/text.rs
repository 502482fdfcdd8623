//! The comparison for a terminal.
//!
//! Apart from the other outputs because it is the one read first. Invariant: no line is wider than [`WIDTH`] columns.

use crate::table::{UNKNOWN, WIDTH, digits, new_table, right_aligned};
use crate::traces::figures::{cut, cut_middle, fractional_ms, ms, optional_ms, signed_ms};
use crate::traces::medians::{Median, Medians};
use crate::traces::pair::{Bar, Pair, Row, shortened};
use crate::traces::report::Report;

/// How wide a step's name may be, its indent included.
const STEP_COLUMNS: usize = 28;
/// How wide the waterfall is.
const TIMELINE_COLUMNS: i64 = 22;
/// How many pieces a bridge shows.
const PIECES: usize = 8;
/// How wide the bridge's longest bar is.
const PIECE_COLUMNS: i64 = 30;

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let mut blocks = vec![wrapped(&format!("Traces of {}: {} -> {}", report.run, report.from, report.to))];
    for pair in &report.pairs {
        blocks.extend([heading(pair), rows(pair), bridge(pair)]);
    }
    blocks.extend(report.medians.iter().map(medians));
    blocks.push(notes(report));
    blocks.join("\n\n")
}

fn heading(pair: &Pair) -> String {
    let Pair { kind, percentile, from, to, .. } = pair;
    let difference = pair.to_total_us - pair.from_total_us;
    let mut lines = vec![format!(
        "{kind} p{percentile}: {} {} ms (of {}), {} {} ms (of {}): {} ms",
        from.variant,
        ms(pair.from_total_us),
        from.of,
        to.variant,
        ms(pair.to_total_us),
        to.of,
        signed_ms(difference)
    )];
    for chosen in [from, to] {
        lines.push(format!("  {}: request {}, trace {}", chosen.variant, chosen.request_id, chosen.trace_id));
        lines.extend(chosen.notes.iter().map(|note| format!("    a trace {note}")));
        if chosen.gap_us > 0 {
            let gap = ms(chosen.gap_us);
            lines.push(format!("    {gap} ms between the end of INIT and the event are not counted"));
        }
    }
    lines.iter().map(|line| cut(line, WIDTH.into())).collect::<Vec<_>>().join("\n")
}

fn rows(pair: &Pair) -> String {
    let mut table = new_table();
    table.set_header(["waterfall", "step", "", "from ms", "to ms", "difference", "self diff."]);
    for row in &pair.rows {
        table.add_row([
            timeline(row, pair.scale()),
            cut_middle(&format!("{}{}", "  ".repeat(row.depth), row.step), STEP_COLUMNS),
            row.only("<", ">").unwrap_or_default().to_owned(),
            optional_ms(row.from_us),
            optional_ms(row.to_us),
            signed_ms(row.difference_us),
            signed_ms(row.self_difference_us),
        ]);
    }
    let sum: i64 = pair.rows.iter().map(|row| row.self_difference_us).sum();
    table.add_row(["", "sum of self differences", "", "", "", "", &signed_ms(sum)]);
    right_aligned(table, 3..)
}

/// Upper halves are the first variant's, lower halves the second's; every bar has at least one column.
fn timeline(row: &Row, (start, end): (i64, i64)) -> String {
    let length = i128::from(end - start).max(1);
    let column = |at: i64| i128::from(at - start) * i128::from(TIMELINE_COLUMNS) / length;
    let covers = |bar: &Option<Bar>, index: i128| {
        bar.as_ref().is_some_and(|bar| {
            let first = column(bar.start_us).min(i128::from(TIMELINE_COLUMNS) - 1);
            (first..=column(bar.end_us - 1).max(first)).contains(&index)
        })
    };
    let zero = (start < 0).then(|| column(0));
    let cell = |index: i128| match (covers(&row.from_bar, index), covers(&row.to_bar, index)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) if zero == Some(index) => '┊',
        (false, false) => ' ',
    };
    (0..i128::from(TIMELINE_COLUMNS)).map(cell).collect()
}

fn bridge(pair: &Pair) -> String {
    let difference = pair.to_total_us - pair.from_total_us;
    let pieces = shortened(&pair.bridge, PIECES);
    let largest = pieces.iter().map(|piece| piece.self_difference_us.abs()).max().unwrap_or(0).max(1);
    let mut table = new_table();
    table.set_header([format!("where the {} ms are", signed_ms(difference)), "ms".to_owned(), String::new()]);
    table.add_row([cut(&pair.from.variant, STEP_COLUMNS), ms(pair.from_total_us), String::new()]);
    for piece in &pieces {
        let length = piece.self_difference_us.abs() * PIECE_COLUMNS / largest;
        let bar = if piece.self_difference_us < 0 { "░" } else { "█" };
        table.add_row([
            format!("  {}", cut_middle(&piece.path, 2 * STEP_COLUMNS)),
            signed_ms(piece.self_difference_us),
            bar.repeat(usize::try_from(length).unwrap_or(0).max(1)),
        ]);
    }
    table.add_row([cut(&pair.to.variant, STEP_COLUMNS), ms(pair.to_total_us), String::new()]);
    right_aligned(table, 1..=1)
}

fn medians(medians: &Medians) -> String {
    let mut table = new_table();
    let kind = medians.kind;
    table.set_header([
        format!("medians of all {kind} traces, ms"),
        "from".to_owned(),
        "95 % interval".to_owned(),
        format!("of {}", medians.from_traces),
        "to".to_owned(),
        "95 % interval".to_owned(),
        format!("of {}", medians.to_traces),
    ]);
    for row in &medians.rows {
        let step = cut_middle(&format!("{}{}", "  ".repeat(row.depth), row.step), STEP_COLUMNS);
        let figures = [&row.from, &row.to].into_iter().flat_map(|median| cells(median.as_ref()));
        table.add_row(std::iter::once(step).chain(figures));
    }
    right_aligned(table, 1..)
}

fn cells(median: Option<&Median>) -> [String; 3] {
    let unknown = || UNKNOWN.to_owned();
    let Some(median) = median else { return [unknown(), unknown(), "0".to_owned()] };
    let interval = median
        .interval_us
        .map_or_else(unknown, |[low, high]| format!("{} to {}", digits(low / 1e3), digits(high / 1e3)));
    [fractional_ms(median.us), interval, median.traces.to_string()]
}

fn notes(report: &Report) -> String {
    let mut lines = vec![
        "Upper halves of bars are from, lower halves to. < only from has the step, > only to.".to_owned(),
        "Self differences add up exactly; medians do not. Intervals cover the scatter within this run."
            .to_owned(),
    ];
    lines.extend(report.remarks());
    lines.iter().map(|line| wrapped(line)).collect::<Vec<_>>().join("\n")
}

/// Broken at spaces, further lines indented; a word without end is cut.
fn wrapped(line: &str) -> String {
    let width = usize::from(WIDTH);
    let mut lines = vec![String::new()];
    for word in line.split(' ').map(|word| cut(word, width - 2)) {
        let last = lines.last().map_or(0, |last| last.chars().count());
        match lines.last_mut() {
            Some(current) if last == 0 || last + 1 + word.chars().count() <= width => {
                if last > 0 {
                    current.push(' ');
                }
                current.push_str(&word);
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines.join("\n")
}
