//! How outputs write times and names.
//!
//! Apart from the outputs because all write them alike. Invariant: a time has all of its microseconds, so that what is shown adds
//! up as what was measured does.

/// Milliseconds with three decimals: every microsecond.
pub fn ms(us: i64) -> String {
    let sign = if us < 0 { "-" } else { "" };
    let us = us.unsigned_abs();
    format!("{sign}{}.{:03}", us / 1000, us % 1000)
}

/// [`ms`] with a sign, also where it is positive.
pub fn signed_ms(us: i64) -> String {
    if us > 0 { format!("+{}", ms(us)) } else { ms(us) }
}

/// [`ms`] of a time that may not be there.
pub fn optional_ms(us: Option<i64>) -> String {
    us.map_or_else(|| crate::table::UNKNOWN.to_owned(), ms)
}

/// A number of microseconds that need not be whole, in milliseconds.
pub fn fractional_ms(us: f64) -> String {
    format!("{:.3}", us / 1e3)
}

/// The first `most` characters of `text`, the last of them an ellipsis if there are more.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_microsecond_is_shown() {
        assert_eq!(
            [0, 7, -7, 20_412, -1_000_001].map(ms),
            ["0.000", "0.007", "-0.007", "20.412", "-1000.001"]
        );
        assert_eq!([0, 7, -7].map(signed_ms), ["0.000", "+0.007", "-0.007"]);
        assert_eq!(cut("handler", 7), "handler");
        assert_eq!(cut("handlers", 7), "handle…");
    }
}
