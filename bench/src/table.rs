//! The terminal table, made from `run.json` alone.
//!
//! Apart from the other reports because it is the one read first. Invariant: no line is wider than [`WIDTH`] columns, and a
//! number that is not known is a dash, which a line below explains.

use std::path::Path;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::run_file::{Comparison, Difference, RunFile, Variant};
use crate::table_notes::notes;

/// The greatest width of a line, in columns.
pub const WIDTH: u16 = 110;
/// How many variants stand beside each other.
const VARIANTS_ABREAST: usize = 4;
/// One rule below the header and no other line.
const STYLE: TableStyle = NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));
/// What stands for a number that is not known.
pub const UNKNOWN: &str = "-";

type Row = (&'static str, fn(&Variant) -> Option<String>);

/// Rows that every run has.
const ROWS: [Row; 18] = [
    ("memory setting, MB", |variant| Some(variant.memory_mb.to_string())),
    ("cold starts", |variant| Some(variant.cold_starts.to_string())),
    ("init p50, ms", |variant| variant.init_ms.p50.map(digits)),
    ("init CPU, ms", |variant| variant.init_cpu_ms.map(digits)),
    ("cold response p50, ms", |variant| variant.cold_ms.p50.map(digits)),
    ("warm p50, ms", |variant| variant.warm_ms.p50.map(digits)),
    ("warm p90, ms", |variant| variant.warm_ms.p90.map(digits)),
    ("warm p99, ms", |variant| variant.warm_ms.p99.map(digits)),
    ("warm response p50, ms", |variant| variant.response_ms.p50.map(digits)),
    ("CPU per warm invocation, ms", |variant| variant.cpu_ms_per_invoke.map(digits)),
    ("throttled per warm invocation, ms", |variant| variant.throttled_ms_per_invoke.map(digits)),
    ("memory peak, MB", |variant| variant.max_memory_mb.map(digits)),
    ("errors", |variant| Some(variant.errors.to_string())),
    ("requests/s per sandbox", |variant| variant.tps_per_sandbox.map(digits)),
    ("package, MB", |variant| variant.package_bytes.map(megabytes)),
    ("cost of a million requests, USD", |variant| variant.cost_per_million_usd.map(digits)),
    ("GetParameters per warm invocation", |variant| {
        variant.dependencies.ssm_get_parameters_per_invoke.map(digits)
    }),
    ("new connections per warm invocation", |variant| {
        variant.dependencies.new_connections_per_invoke.map(digits)
    }),
];

/// Rows of runs with a load phase.
const LOAD_ROWS: [Row; 9] = [
    ("load: offered requests/s", |variant| Some(digits(variant.load.as_ref()?.offered_rate))),
    ("load: achieved requests/s", |variant| Some(digits(variant.load.as_ref()?.achieved_rate))),
    ("load: response p50, ms", |variant| variant.load.as_ref()?.response_ms.p50.map(digits)),
    ("load: response p90, ms", |variant| variant.load.as_ref()?.response_ms.p90.map(digits)),
    ("load: response p99, ms", |variant| variant.load.as_ref()?.response_ms.p99.map(digits)),
    ("load: cold starts", |variant| Some(variant.load.as_ref()?.cold_starts.to_string())),
    ("load: peak sandboxes", |variant| Some(variant.load.as_ref()?.peak_sandboxes.to_string())),
    ("load: errors and drops", |variant| {
        let load = variant.load.as_ref()?;
        Some((load.errors.values().sum::<u64>() + load.dropped).to_string())
    }),
    ("load: apdex", |variant| variant.apdex.map(|apdex| format!("{apdex:.2}"))),
];

/// The whole report of `run`, which was read from or written to `path`.
pub fn render(run: &RunFile, path: &Path) -> String {
    let mut blocks = vec![crate::table_notes::head(run)];
    if one_at_a_time(run) {
        blocks.extend(run.variants.chunks(VARIANTS_ABREAST).map(variants_table));
        blocks.extend(crate::cost_table::block(&run.variants));
    }
    // Each rung is judged against the one before it: the waterfall stands for a table of each two.
    let on_ladder = |name: &str| run.ladder.iter().any(|rung| rung.rung == name);
    let other = |pair: &&Comparison| !(on_ladder(&pair.from) && on_ladder(&pair.to));
    let others = run.comparisons.iter().filter(other);
    blocks.extend(others.map(|comparison| crate::table_pairs::comparison(comparison, &run.control)));
    if !run.ladder.is_empty() {
        blocks.push(crate::ladder::of_run(run));
    }
    blocks.extend(run.control.iter().map(crate::table_pairs::control));
    blocks.extend(tracing_cost_table(&run.variants));
    blocks.extend(crate::capacity::table::blocks(run));
    blocks.push(notes(run, path));
    blocks.join("\n\n")
}

/// Whether the run had cold and warm phases; a run of climbs has none.
pub(crate) fn one_at_a_time(run: &RunFile) -> bool {
    run.environment.profile.warm_requests > 0
}

fn variants_table(variants: &[Variant]) -> String {
    let mut table = new_table();
    table.set_header(std::iter::once("").chain(variants.iter().map(|variant| variant.name.as_str())));
    let under_load = variants.iter().any(|variant| variant.load.is_some());
    for (label, value) in ROWS.iter().chain(LOAD_ROWS.iter().filter(|_| under_load)) {
        let values = variants.iter().map(|variant| value(variant).unwrap_or_else(|| UNKNOWN.to_owned()));
        table.add_row(std::iter::once((*label).to_owned()).chain(values));
    }
    finished(table)
}

/// What a traced warm invocation cost more, where that was measured.
fn tracing_cost_table(variants: &[Variant]) -> Option<String> {
    let costs: Vec<_> =
        variants.iter().filter_map(|variant| Some((&variant.name, variant.tracing_cost.as_ref()?))).collect();
    if costs.is_empty() {
        return None;
    }
    let mut table = new_table();
    table.set_header([
        "traced less not traced, warm",
        "traced",
        "p50, us",
        "95 % interval",
        "CPU, us",
        "95 % interval",
        "sent, bytes",
    ]);
    for (name, cost) in costs {
        let [warm, warm_interval] = microseconds(cost.warm_ms);
        let [cpu, cpu_interval] = microseconds(cost.cpu_ms);
        let traced = format!("{} of {}", cost.sampled, cost.sampled + cost.others);
        let bytes = cost.bytes.map_or_else(|| UNKNOWN.to_owned(), digits);
        table.add_row([name.clone(), traced, warm, warm_interval, cpu, cpu_interval, bytes]);
    }
    Some(finished(table))
}

/// A difference and its interval, from milliseconds.
fn microseconds(difference_ms: Option<Difference>) -> [String; 2] {
    let Some(Difference { value, interval: [low, high] }) = difference_ms else {
        return [UNKNOWN.to_owned(), UNKNOWN.to_owned()];
    };
    let [value, low, high] = [value, low, high].map(|value_ms| digits(value_ms * 1e3));
    [value, format!("{low} to {high}")]
}

pub(crate) fn new_table() -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table
}

/// Numbers to the right.
pub(crate) fn finished(table: Table) -> String {
    right_aligned(table, 1..)
}

/// The table as text, with the columns whose indices are in `right` aligned to the right.
pub(crate) fn right_aligned(mut table: Table, right: impl std::ops::RangeBounds<usize>) -> String {
    for (index, column) in table.column_iter_mut().enumerate() {
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A positive number with three digits that count: 1234, 123, 12.3, 1.23, 0.123, 0.0123, 2e-5.
pub fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        magnitude if magnitude >= 99.95 => 0,
        magnitude if magnitude >= 9.995 => 1,
        magnitude if magnitude >= 0.9995 => 2,
        magnitude if magnitude >= 0.099_95 => 3,
        magnitude if magnitude >= 0.009_995 => 4,
        magnitude if magnitude >= 0.000_099_95 => 5,
        magnitude if magnitude > 0.0 => return format!("{value:.0e}"),
        _ => 0,
    };
    format!("{value:.decimals$}")
}

fn megabytes(bytes: u64) -> String {
    digits(bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        let table = [
            (1234.4, "1234"),
            (123.4, "123"),
            (99.96, "100"),
            (12.34, "12.3"),
            (9.999, "10.0"),
            (1.234, "1.23"),
            (0.9996, "1.00"),
            (0.1234, "0.123"),
            (0.05123, "0.0512"),
            (0.005123, "0.00512"),
            (0.0008, "0.00080"),
            (0.0000213, "2e-5"),
            (0.0, "0"),
        ];
        for (value, expected) in table {
            assert_eq!(digits(value), expected);
        }
    }
}
