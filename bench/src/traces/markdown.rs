//! The comparison as Markdown, for a pull request or a CI summary.
//!
//! Apart from the terminal's table because names must not become markup here. Invariant: a name is shown as it is, whatever
//! Markdown or HTML would make of it.

use std::fmt::Write;

use crate::table::{UNKNOWN, digits};
use crate::traces::figures::{fractional_ms, ms, optional_ms, signed_ms};
use crate::traces::medians::{Median, Medians};
use crate::traces::pair::{Pair, shortened};
use crate::traces::report::Report;

/// How many pieces a bridge shows.
const PIECES: usize = 8;

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let title =
        format!("# Traces: {} -> {}\n\nRun: {}", text(&report.from), text(&report.to), text(&report.run));
    let mut blocks = vec![title];
    blocks.extend(report.pairs.iter().map(pair));
    blocks.extend(report.medians.iter().map(medians));
    blocks.push(
        report.remarks().iter().map(|line| format!("- {}", text(line.trim()))).collect::<Vec<_>>().join("\n"),
    );
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

fn pair(pair: &Pair) -> String {
    let Pair { kind, percentile, from, to, .. } = pair;
    let (from_name, to_name) = (text(&from.variant), text(&to.variant));
    let difference = signed_ms(pair.to_total_us - pair.from_total_us);
    let mut out = format!("## {kind} p{percentile}: {difference} ms\n\n");
    for (chosen, total) in [(from, pair.from_total_us), (to, pair.to_total_us)] {
        let mut notes: String = chosen.notes.iter().map(|note| format!("; a trace {note}")).collect();
        if chosen.gap_us > 0 {
            notes +=
                &format!("; {} ms between the end of INIT and the event are not counted", ms(chosen.gap_us));
        }
        out += &format!(
            "- {}: {} ms, chosen of {}, trace {}{notes}\n",
            text(&chosen.variant),
            ms(total),
            chosen.of,
            text(&chosen.trace_id)
        );
    }
    out +=
        &format!("\n| step | {from_name}, ms | {to_name}, ms | difference, ms | self difference, ms | |\n");
    out += "|---|---:|---:|---:|---:|---|\n";
    for row in &pair.rows {
        let only = row.only(&from_name, &to_name).map(|name| format!("only {name}")).unwrap_or_default();
        let cells = [
            format!("{}{}", "&emsp;".repeat(row.depth), text(&row.step)),
            optional_ms(row.from_us),
            optional_ms(row.to_us),
            signed_ms(row.difference_us),
            signed_ms(row.self_difference_us),
            only,
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    let _ = write!(
        out,
        "\nWhere the {difference} ms are:\n\n| | ms |\n|---|---:|\n| {from_name} | {} |\n",
        ms(pair.from_total_us)
    );
    for piece in shortened(&pair.bridge, PIECES) {
        let _ = writeln!(out, "| {} | {} |", text(&piece.path), signed_ms(piece.self_difference_us));
    }
    let _ = write!(out, "| {to_name} | {} |", ms(pair.to_total_us));
    out
}

fn medians(medians: &Medians) -> String {
    let mut out = format!(
        "## Medians of all {} traces, ms\n\n| step | from | 95 % interval | of {} | to | 95 % interval | of {} |\n|---|---:|---:|---:|---:|---:|---:|\n",
        medians.kind, medians.from_traces, medians.to_traces
    );
    for row in &medians.rows {
        let step = format!("{}{}", "&emsp;".repeat(row.depth), text(&row.step));
        let _ = writeln!(out, "| {step} | {} | {} |", cells(row.from.as_ref()), cells(row.to.as_ref()));
    }
    out.trim_end().to_owned()
}

fn cells(median: Option<&Median>) -> String {
    let Some(median) = median else { return format!("{UNKNOWN} | {UNKNOWN} | 0") };
    let interval = median.interval_us.map_or_else(
        || UNKNOWN.to_owned(),
        |[low, high]| format!("{} to {}", digits(low / 1e3), digits(high / 1e3)),
    );
    format!("{} | {interval} | {}", fractional_ms(median.us), median.traces)
}

/// Every character that Markdown or HTML may take for its own, as an entity or with a backslash.
pub(crate) fn text(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' | '~' | '!' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_is_no_markup() {
        assert_eq!(super::text("a|b <script> `x` [y](z)"), "a\\|b &lt;script&gt; \\`x\\` \\[y\\](z)");
    }
}
