//! Two runs on a terminal.
//!
//! Apart from the Markdown because lines are broken and columns aligned here. Invariant: warnings stand above every figure.

use comfy_table::Table;

use crate::compare::report::{Report, VariantChange};
use crate::compare::rows;
use crate::table::{new_table, right_aligned};
use crate::table_notes::wrapped;

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let mut head = rows::side("from", &report.from);
    head.extend(rows::side("to  ", &report.to));
    // A warning is read first.
    let mut said = rows::differences(report);
    let at = said.iter().take_while(|line| line.starts_with("WARNING")).count();
    let others = said.split_off(at);
    let head: Vec<_> = said.into_iter().chain(head).chain(others).collect();
    let mut blocks = vec![wrapped(&head)];
    blocks.push(wrapped(&[rows::AS_MEASURED.to_owned()]));
    for changed in &report.as_measured {
        let title = if changed.variant == report.reference {
            format!("{}: the drift", changed.variant)
        } else {
            changed.variant.clone()
        };
        blocks.push(table(&title, changed));
    }
    if !report.relative.is_empty() {
        blocks.push(wrapped(&[rows::relative_to(&report.reference)]));
    }
    for changed in &report.relative {
        blocks.push(table(&format!("{} / {}", changed.variant, report.reference), changed));
    }
    blocks.push(wrapped(&[rows::NOTES.to_owned()]));
    blocks.join("\n\n")
}

fn table(title: &str, changed: &VariantChange) -> String {
    let mut table: Table = new_table();
    table.set_header(std::iter::once(title).chain(rows::HEADER));
    for change in &changed.metrics {
        table.add_row(rows::cells(change));
    }
    let mut text = right_aligned(table, 1..);
    let reasons = rows::reasons(changed);
    if !reasons.is_empty() {
        text = format!("{text}\n{}", wrapped(&reasons));
    }
    text
}
