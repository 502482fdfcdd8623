//! Two runs as Markdown, for a pull request.
//!
//! Apart from the terminal's table because names must not become markup here. Invariant: what is said is what the table says.

use crate::compare::report::{Report, VariantChange};
use crate::compare::rows;
use crate::traces::markdown::text;

/// The whole of `report`.
pub fn render(report: &Report) -> String {
    let mut blocks = vec![format!("# {} -> {}", text(&report.from.commit), text(&report.to.commit))];
    let mut head = rows::differences(report);
    head.extend(rows::side("from", &report.from));
    head.extend(rows::side("to", &report.to));
    blocks.push(head.iter().map(|line| format!("- {}", text(line))).collect::<Vec<_>>().join("\n"));
    if !report.relative.is_empty() {
        blocks.push(format!(
            "## Relative to {0}\n\n{1}",
            text(&report.reference),
            text(&rows::relative_to(&report.reference))
        ));
        blocks.extend(report.relative.iter().map(table));
    }
    blocks.push(format!("## As measured\n\n{}", text(rows::AS_MEASURED)));
    blocks.extend(report.as_measured.iter().map(table));
    blocks.push(text(rows::NOTES));
    blocks.join("\n\n")
}

fn table(changed: &VariantChange) -> String {
    let header = rows::HEADER.join(" | ");
    let mut lines = vec![
        format!("| {} | {header} |", text(&changed.variant)),
        "|---|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(changed.metrics.iter().map(|change| {
        let cells = rows::cells(change).map(|cell| text(&cell));
        format!("| {} |", cells.join(" | "))
    }));
    let reasons: String =
        rows::reasons(changed).iter().map(|reason| format!("\n\n{}", text(reason))).collect();
    lines.join("\n") + &reasons
}
