//! JSON written straight into a line's bytes.
//!
//! Apart because a log line is made thousands of times a second: nothing here builds a value first, and what a field formats
//! with `Debug` or `Display` is escaped as it is written, without a string in between.
//! Invariant: whatever goes in, what comes out is one valid JSON value with no line break in it.

use std::fmt::{self, Write};

/// Appends `,"name":`, or `"name":` right after an opening brace.
pub(crate) fn key(json: &mut Vec<u8>, name: &str) {
    if json.last().is_some_and(|byte| *byte != b'{') {
        json.push(b',');
    }
    string(json, name);
    json.push(b':');
}

/// Appends a string value.
pub(crate) fn string(json: &mut Vec<u8>, value: &str) {
    json.push(b'"');
    escape(json, value);
    json.push(b'"');
}

/// Appends a string value made of whatever `value` formats to.
pub(crate) fn text(json: &mut Vec<u8>, value: fmt::Arguments<'_>) {
    json.push(b'"');
    // Writing to memory cannot fail; a Debug implementation that reports an error has written what it could.
    let _ = Escaping(json).write_fmt(value);
    json.push(b'"');
}

/// Appends something that is JSON as it prints: an integer, true or false.
pub(crate) fn plain(json: &mut Vec<u8>, value: impl fmt::Display) {
    let _ = Escaping(json).write_fmt(format_args!("{value}"));
}

/// Appends a number; a whole one without a fraction (`1`, not `1.0`), and `null` for what JSON has no number for.
pub(crate) fn number(json: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        plain(json, value);
    } else {
        json.extend_from_slice(b"null");
    }
}

/// Appends an error as `{"message":..,"cause":{..}}`, down to its first cause.
pub(crate) fn error(json: &mut Vec<u8>, value: &(dyn std::error::Error + 'static)) {
    json.push(b'{');
    key(json, "message");
    text(json, format_args!("{value}"));
    if let Some(cause) = value.source() {
        key(json, "cause");
        error(json, cause);
    }
    json.push(b'}');
}

struct Escaping<'a>(&'a mut Vec<u8>);

impl Write for Escaping<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        escape(self.0, part);
        Ok(())
    }
}

/// Copies runs of bytes that need no escape at once: nearly every string is one such run.
fn escape(json: &mut Vec<u8>, value: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = value.as_bytes();
    let mut copied = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => b'u',
            _ => continue,
        };
        json.extend_from_slice(&bytes[copied..index]);
        json.extend_from_slice(&[b'\\', short]);
        if short == b'u' {
            json.extend_from_slice(&[b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        copied = index + 1;
    }
    json.extend_from_slice(&bytes[copied..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_string_comes_back_from_a_json_parser_as_it_went_in() {
        let every_low_character: String = (0..=0x9f_u8).map(char::from).collect();
        for value in
            ["", "plain", "\"quoted\" \\ slash\\", "line\nbreak\r\ttab", "é 🏟 \u{2028}", &every_low_character]
        {
            let mut json = Vec::new();
            string(&mut json, value);
            assert_eq!(serde_json::from_slice::<String>(&json).expect("valid JSON"), value);
            assert!(!json.contains(&b'\n'), "a line break ends a log line");
        }
    }

    #[test]
    fn numbers_are_numbers_or_null() {
        let expected =
            [(1.0, "1"), (0.25, "0.25"), (-3.5, "-3.5"), (f64::NAN, "null"), (f64::INFINITY, "null")];
        for (value, text) in expected {
            let mut json = Vec::new();
            number(&mut json, value);
            assert_eq!(String::from_utf8(json).expect("UTF-8"), text);
        }
    }
}
