//! Which variants are rungs of a ladder, and what each is compared with.
//!
//! Apart from a function's own rules because a rung is a matter of two variants. Invariant: a lever that exists names another variant
//! of the file, and a rung without a name of its own to be compared with follows a rung or the ladder's foot.

use toml::Spanned;

use super::Lever;
use super::error::{Checked, Source};
use super::file::FunctionTable;
use super::function::quoted;

/// How many characters a lever has at most: it stands before the figures of its line.
const LEVER_CHARACTERS: usize = 80;

/// The levers of `variants`, in their order; none for a variant that is no rung.
pub(super) fn levers(source: &Source<'_>, variants: &[FunctionTable]) -> Checked<Vec<Option<Lever>>> {
    let mut levers: Vec<Option<Lever>> = Vec::with_capacity(variants.len());
    for (index, variant) in variants.iter().enumerate() {
        let lever = match (&variant.lever, &variant.against) {
            (None, None) => None,
            (None, Some(against)) => {
                let expected = "expected only beside lever = \"<what was changed>\"";
                return Err(source.invalid(against.span(), "against", quoted(against), expected));
            }
            (Some(lever), Some(against)) => Some(Lever {
                words: words(source, lever)?,
                against: named(source, variant, against, variants)?,
                beside: true,
            }),
            (Some(lever), None) => {
                let words = words(source, lever)?;
                let against = before(source, lever, &levers, &variants[..index])?;
                // What follows a rung beside the way stands beside it too.
                let beside = levers.last().and_then(Option::as_ref).is_some_and(|lever| lever.beside);
                Some(Lever { words, against, beside })
            }
        };
        levers.push(lever);
    }
    Ok(levers)
}

/// A setup function is not measured.
pub(super) fn none_in_setup(source: &Source<'_>, setup: &[FunctionTable]) -> Checked<()> {
    for (key, value) in setup.iter().flat_map(|table| [("lever", &table.lever), ("against", &table.against)])
    {
        if let Some(value) = value {
            let expected = "expected only in a [[variant]]";
            return Err(source.invalid(value.span(), key, quoted(value), expected));
        }
    }
    Ok(())
}

fn words(source: &Source<'_>, lever: &Spanned<String>) -> Checked<String> {
    let words = lever.get_ref().trim();
    let fits = (1..=LEVER_CHARACTERS).contains(&words.chars().count());
    if fits && !words.chars().any(char::is_control) {
        return Ok(words.to_owned());
    }
    let expected =
        format!("expected one line of 1 to {LEVER_CHARACTERS} characters that says what was changed");
    Err(source.invalid(lever.span(), "lever", quoted(lever), &expected))
}

/// The variant that `against` names.
fn named(
    source: &Source<'_>,
    own: &FunctionTable,
    against: &Spanned<String>,
    variants: &[FunctionTable],
) -> Checked<String> {
    let own = own.name.get_ref();
    let others = variants.iter().map(|variant| variant.name.get_ref()).filter(|name| *name != own);
    let others: Vec<&str> = others.map(String::as_str).collect();
    if others.contains(&against.get_ref().as_str()) {
        return Ok(against.get_ref().clone());
    }
    let expected = match others.as_slice() {
        [] => "expected another variant, and the file has none".to_owned(),
        others => format!("expected another variant: {}", others.join(", ")),
    };
    Err(source.invalid(against.span(), "against", quoted(against), &expected))
}

/// The variant before a rung that names none: a rung, or, before the first rung, the ladder's foot.
fn before(
    source: &Source<'_>,
    lever: &Spanned<String>,
    levers: &[Option<Lever>],
    earlier: &[FunctionTable],
) -> Checked<String> {
    let Some(last) = earlier.last() else {
        let expected =
            "expected a variant without lever before it, the ladder's foot, or against = \"<variant>\"";
        return Err(source.invalid(lever.span(), "lever", quoted(lever), expected));
    };
    let first = levers.iter().all(Option::is_none);
    if first || levers.last().is_some_and(Option::is_some) {
        return Ok(last.name.get_ref().clone());
    }
    let expected = format!(
        "expected against = \"<variant>\" beside it, since {} before it is no rung",
        quoted(&last.name)
    );
    Err(source.invalid(lever.span(), "lever", quoted(lever), &expected))
}
