//! Both engines' figures as a table.
//!
//! Apart from the figures because it only shows. Invariant: above every column stands whose it is and what its times count from.

use super::figures::Figures;
use crate::table::{UNKNOWN, digits, finished, new_table};

/// What is to be kept in mind, below every table.
pub(super) const NOTES: &str = "\
Ours, from intended: to the end of the answer from the moment the schedule wanted it sent, so a late sender shows in it; connections
  are kept. From sending: the same requests from the moment they were sent.
Artillery: from its sending to the end of the answer, in whole milliseconds as it reports them; every virtual user opens a connection
  of its own, and what Artillery sends late does not show. Its apdex scores answers only; ours counts errors as frustrated.
Rate: ours is what the schedule offers, Artillery's its requests between its first and its last count.";

type Row = (&'static str, fn(&Figures) -> Option<String>);

const ROWS: [Row; 11] = [
    ("requests", |figures| Some(figures.requests.to_string())),
    ("answered", |figures| Some(figures.answered.to_string())),
    ("errors", |figures| Some(errors(figures))),
    ("requests/s", |figures| figures.rate.map(digits)),
    ("p50, ms", |figures| figures.response_ms[0].map(digits)),
    ("p90, ms", |figures| figures.response_ms[1].map(digits)),
    ("p95, ms", |figures| figures.response_ms[2].map(digits)),
    ("p99, ms", |figures| figures.response_ms[3].map(digits)),
    ("apdex", |figures| figures.apdex.map(|apdex| format!("{apdex:.2}"))),
    ("send lag p50, ms", |figures| figures.send_lag_ms[0].map(digits)),
    ("send lag p99, ms", |figures| figures.send_lag_ms[1].map(digits)),
];

/// The figures of one variant beside each other; each column with its head.
pub fn render(variant: &str, columns: &[(&str, &Figures)]) -> String {
    let mut table = new_table();
    table.set_header(std::iter::once(variant).chain(columns.iter().map(|(head, _)| *head)));
    for (label, value) in ROWS {
        let values = columns.iter().map(|(_, figures)| value(figures).unwrap_or_else(|| UNKNOWN.to_owned()));
        table.add_row(std::iter::once(label.to_owned()).chain(values));
    }
    finished(table)
}

fn errors(figures: &Figures) -> String {
    if figures.errors.is_empty() {
        return "0".to_owned();
    }
    figures.errors.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_figure_stands_under_its_head_and_unknown_ones_say_so() {
        let ours = Figures {
            requests: 500,
            answered: 497,
            errors: BTreeMap::from([("http_503".to_owned(), 3)]),
            rate: Some(50.0),
            response_ms: [Some(9.01), Some(12.0), Some(13.0), None],
            apdex: Some(0.994),
            send_lag_ms: [Some(0.1), None],
        };
        let table = render("optimized", &[("ours", &ours), ("Artillery", &Figures::default())]);
        let row = |label: &str| {
            let line = table.lines().find(|line| line.trim_start().starts_with(label)).unwrap_or_default();
            line.trim()[label.len()..]
                .split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect::<Vec<_>>()
        };
        assert_eq!(row("optimized"), ["ours", "Artillery"]);
        assert_eq!(row("requests "), ["500", "0"]);
        assert_eq!(row("errors"), ["http_503 3", "0"]);
        assert_eq!(row("p50, ms"), ["9.01", "-"]);
        assert_eq!(row("p99, ms"), ["-", "-"]);
        assert_eq!(row("apdex"), ["0.99", "-"]);
    }
}
