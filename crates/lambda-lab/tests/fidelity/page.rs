//! docs/FIDELITY.md as text.
//!
//! Apart from the table because this is only its looks. Invariant: everything in the table stands on the page, and every sentence
//! about the lab comes from the table.

use std::fmt::Write;

use crate::table::{Cell, Group, Row, Table, Word};

/// The whole page.
pub(crate) fn render(table: &Table) -> String {
    let mut page = head(table);
    let notes = table.notes_in_order();
    let mut number = 0;
    for group in &table.group {
        page.push_str(&section(table, group, &notes, number));
        number += group.row.len();
    }
    page.push_str(
        "\n## Not verified on AWS\n\nNobody here has held these against AWS. What the lab does instead:\n\n",
    );
    page.push_str("| fact | here |\n|---|---|\n");
    for unverified in &table.unverified {
        line(&mut page, &format!("| {} | {} |", unverified.fact, unverified.here));
    }
    page.push_str("\n## The peers\n\n");
    line(&mut page, &format!("Read on {} in these versions, not run:\n", table.read_on));
    for peer in &table.peer {
        line(&mut page, &format!("- **{}**: {}", peer.name, peer.about));
    }
    page.push_str("\nNotes:\n\n");
    for (index, key) in notes.iter().enumerate() {
        line(&mut page, &format!("{}. {}", index + 1, table.note[*key]));
    }
    page
}

fn head(table: &Table) -> String {
    let count = |word| table.rows().filter(|row| row.lab == word).count();
    format!(
        "\
<!-- Made from fidelity.toml by `UPDATE_DOCS=1 cargo test -p lambda-lab --test fidelity`; do not edit. -->

# Fidelity

What the lab does as AWS Lambda does, and what it does not: {rows} behaviours, {yes} yes, {partly} partly, {no} no. Each yes names the
tests that prove it, and CI fails when one is gone; each partly and no says what it means for a verdict. What this machine cannot
enforce besides (CPU share and memory limit need control groups, so Linux) stands in every report as \"not emulated\".

The peers' columns come from reading their sources (versions and notes at the end); a dot means that nobody looked. A test is named
as `target::module::test`: `lab::limits::..` is in `crates/lambda-lab/tests/lab/limits.rs`, `xray::header::tests::..` in
`crates/lambda-lab/src/xray/header.rs`; another crate's has its name and a slash before it. `conformance::area::case` is a case that
`make conformance` runs. What needs control groups or AWS's own clients says so and is skipped where they are missing.
",
        rows = table.rows().count(),
        yes = count(Word::Yes),
        partly = count(Word::Partly),
        no = count(Word::No),
    )
}

/// A group: its table, then what each row rests on. Rows are numbered through the page, from `before + 1` here.
fn section(table: &Table, group: &Group, notes: &[&str], before: usize) -> String {
    let mut text = format!("\n## {}\n\n", group.title);
    let peers: Vec<_> = table.peer.iter().map(|peer| peer.name.as_str()).collect();
    line(&mut text, &format!("| | behaviour | this lab | {} |", peers.join(" | ")));
    line(&mut text, &format!("|---|---|---|{}", "---|".repeat(peers.len())));
    for (index, row) in group.row.iter().enumerate() {
        let cells: Vec<_> = row.peers.iter().map(|cell| self::cell(cell, notes)).collect();
        let (number, lab) = (before + index + 1, word(row.lab));
        line(&mut text, &format!("| {number} | {} | **{lab}** | {} |", row.behaviour, cells.join(" | ")));
    }
    text.push('\n');
    for (index, row) in group.row.iter().enumerate() {
        line(&mut text, &format!("{}. {}", before + index + 1, grounds(row)));
    }
    text
}

fn grounds(row: &Row) -> String {
    let proofs: Vec<_> = row.proofs.iter().map(|proof| format!("`{proof}`")).collect();
    let means = row.means.as_deref().map(|means| match row.lab {
        Word::Yes => means.to_owned(),
        Word::Partly | Word::No | Word::Unknown => format!("**{}**: {means}", word(row.lab)),
    });
    let proved = (!proofs.is_empty()).then(|| format!("Tests: {}", proofs.join(", ")));
    means.into_iter().chain(proved).collect::<Vec<_>>().join(" ")
}

fn cell(cell: &Cell, notes: &[&str]) -> String {
    let number = cell.note.as_deref().and_then(|key| notes.iter().position(|known| *known == key));
    let word = word(cell.word);
    number.map_or_else(|| word.to_owned(), |index| format!("{word} <sup>{}</sup>", index + 1))
}

fn word(word: Word) -> &'static str {
    match word {
        Word::Yes => "yes",
        Word::Partly => "partly",
        Word::No => "no",
        Word::Unknown => "·",
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}
