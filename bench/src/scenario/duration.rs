//! Durations as Artillery reads them: seconds as a number, or the forms of its library `ms`, such as `1m` or `90 seconds`.
//!
//! Apart from the rules because it is a small language of its own. No crate has it: those for human durations read `1m 30s`, which
//! Artillery refuses, and refuse `1.5m`, which it reads. Invariant: what is read here, Artillery reads as the same time.

/// The units of <https://www.npmjs.com/package/ms> up to days, with their names, in seconds.
const UNITS: [(f64, &[&str]); 5] = [
    (0.001, &["ms", "msec", "msecs", "millisecond", "milliseconds"]),
    (1.0, &["s", "sec", "secs", "second", "seconds"]),
    (60.0, &["m", "min", "mins", "minute", "minutes"]),
    (3600.0, &["h", "hr", "hrs", "hour", "hours"]),
    (86_400.0, &["d", "day", "days"]),
];

/// The seconds that `text` says, if it has one of the forms. A number without a unit is seconds and must be whole: with a fraction
/// Artillery would take it as milliseconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit_at = text.find(|letter: char| !(letter.is_ascii_digit() || letter == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit = unit.trim_start().to_ascii_lowercase();
    let number: f64 = number.parse().ok()?;
    if unit.is_empty() {
        return (number.fract() == 0.0).then_some(number);
    }
    UNITS.iter().find(|(_, names)| names.contains(&unit.as_str())).map(|(factor, _)| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_artillery_are_read() {
        let cases = [
            ("60", 60.0),
            ("1m", 60.0),
            ("1.5 Minutes", 90.0),
            ("30s", 30.0),
            ("500ms", 0.5),
            ("2 hrs", 7200.0),
            ("1d", 86_400.0),
            (".5s", 0.5),
        ];
        for (text, expected) in cases {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_artillery_takes_otherwise_or_not_at_all_is_no_duration() {
        for text in ["", "1.5", "1m 30s", "-5s", "soon", "s", "1..5s", "1 fortnight", "{{ duration }}"] {
            assert_eq!(seconds(text), None, "{text:?}");
        }
    }
}
