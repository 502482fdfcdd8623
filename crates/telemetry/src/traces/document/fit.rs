//! Names and keys made such that X-Ray takes them.
//!
//! Apart because X-Ray refuses a whole document for one character. Invariant: what is fit is never empty, and what was fit
//! already is not changed.

use std::borrow::Cow;

/// For segments; subsegments may have 250, but one limit for both is easier to keep.
const MAX_NAME: usize = 200;

const MAX_KEY: usize = 500;

/// A subsegment's name: letters, digits, spaces and `_ . : / % & # = + - @`; any other character becomes `_`.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    fitted(name, MAX_NAME, |character| {
        // Of the letters beyond ASCII only the Latin ones: not all that Rust calls alphabetic are letters to X-Ray.
        character.is_ascii_alphanumeric()
            || " _.:/%&#=+-@".contains(character)
            || matches!(character, '\u{c0}'..='\u{24f}' if character != '×' && character != '÷')
    })
}

/// An annotation's key: ASCII letters, digits and `_`; any other character becomes `_`.
pub(super) fn key(key: &str) -> Cow<'_, str> {
    fitted(key, MAX_KEY, |character| character.is_ascii_alphanumeric() || character == '_')
}

/// The first `limit` bytes of `text`, less a character that would be cut in two.
pub(super) fn shortened(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

fn fitted(text: &str, limit: usize, is_fit: impl Fn(char) -> bool) -> Cow<'_, str> {
    let text = shortened(text, limit);
    if text.is_empty() {
        return Cow::Borrowed("_");
    }
    if text.chars().all(&is_fit) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|character| if is_fit(character) { character } else { '_' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fit_stays_and_the_rest_becomes_an_underscore() {
        let names = [
            ("## handler", "## handler"),
            ("db.connect", "db.connect"),
            ("a_b.c:d/e%f&g#h=i+j-k@l 9", "a_b.c:d/e%f&g#h=i+j-k@l 9"),
            ("GET product:{id}", "GET product:_id_"),
            ("SELECT * FROM t", "SELECT _ FROM t"),
            ("f(x)?", "f_x__"),
            ("tab\tline\nnul\0", "tab_line_nul_"),
            ("Zürich × 🏟", "Zürich _ _"),
            ("", "_"),
        ];
        for (given, expected) in names {
            assert_eq!(name(given), expected, "{given:?}");
        }
        assert_eq!(key("aws.region-id é"), "aws_region_id__");
        assert_eq!(key("ColdStart"), "ColdStart");
    }

    #[test]
    fn what_is_long_is_cut_between_characters() {
        assert_eq!(name(&"a".repeat(201)).len(), 200);
        assert_eq!(name(&format!("{}é", "a".repeat(199))), "a".repeat(199));
        assert_eq!(key(&"k".repeat(900)).len(), 500);
    }
}
