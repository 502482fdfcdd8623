//! Reading a condition.
//!
//! Apart from the judging because it knows words and no figures. Invariant: what is read is the whole text; a word too many is
//! refused, and every refusal says what was expected in its place.

use std::str::FromStr;

use crate::gate::{Condition, Gate, Operator, Pair, Quantity};
use crate::verdict::Verdict;

/// The words a verdict may be.
const VERDICTS: [Verdict; 4] =
    [Verdict::Better, Verdict::Worse, Verdict::NoDifferenceShown, Verdict::NotMeasurable];

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A word that does not fit.
    #[error("found {found}; expected {expected}, as in `warm_ms_p99 ratio > 1.10`")]
    Word {
        /// The word, or where the text ended.
        found: String,
        /// What would fit.
        expected: &'static str,
    },
    /// A word that is no verdict.
    #[error("{found:?} is no verdict; the verdicts are: better, worse, no difference shown, not measurable")]
    Verdict {
        /// The words.
        found: String,
    },
    /// A bound that no ratio can have.
    #[error("{found:?} is no bound of a ratio; expected a number above 0, such as 1.10")]
    Bound {
        /// The word.
        found: String,
    },
}

impl FromStr for Gate {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let words = words(text);
        let mut rest = words.iter().map(String::as_str).peekable();
        let pair = rest.peek().and_then(|word| word.split_once('/'));
        let pair = match pair {
            Some((to, from)) if to.is_empty() || from.is_empty() => {
                return Err(unexpected(rest.next(), "a pair of variants as TO/FROM"));
            }
            Some((to, from)) => {
                rest.next();
                Some(Pair { to: to.to_owned(), from: from.to_owned() })
            }
            None => None,
        };
        let metric = rest.next().ok_or_else(|| unexpected(None, "a metric"))?.to_owned();
        let quantity = match rest.next() {
            Some("ratio") => Quantity::Ratio,
            Some("low") => Quantity::Low,
            Some("high") => Quantity::High,
            Some("verdict") => {
                let condition = verdict(rest)?;
                return Ok(Self { text: spaced(&words), pair, metric, condition });
            }
            other => return Err(unexpected(other, "ratio, low, high or verdict")),
        };
        let operator = match rest.next() {
            Some(">") => Operator::Above,
            Some(">=") => Operator::AtLeast,
            Some("<") => Operator::Below,
            Some("<=") => Operator::AtMost,
            other => return Err(unexpected(other, ">, >=, < or <=")),
        };
        let bound = bound(rest.next().ok_or_else(|| unexpected(None, "a number"))?)?;
        if let Some(word) = rest.next() {
            return Err(unexpected(Some(word), "the end"));
        }
        let condition = Condition::Number { quantity, operator, bound };
        Ok(Self { text: spaced(&words), pair, metric, condition })
    }
}

fn verdict<'a>(mut rest: impl Iterator<Item = &'a str>) -> Result<Condition, ParseError> {
    match rest.next() {
        Some("is") => {}
        other => return Err(unexpected(other, "the word is")),
    }
    let found = rest.collect::<Vec<_>>().join(" ");
    let verdict = VERDICTS.into_iter().find(|verdict| verdict.word() == found);
    verdict.map(Condition::Verdict).ok_or(ParseError::Verdict { found })
}

fn bound(word: &str) -> Result<f64, ParseError> {
    let number = word.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| ParseError::Bound { found: word.to_owned() })
}

/// The words of `text`; an operator is one even without spaces around it.
fn words(text: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(text.len() + 4);
    for character in text.chars() {
        match character {
            '<' | '>' => spaced.extend([' ', character]),
            '=' => spaced.extend(['=', ' ']),
            _ => {
                if spaced.ends_with(['<', '>']) {
                    spaced.push(' ');
                }
                spaced.push(character);
            }
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

fn spaced(words: &[String]) -> String {
    words.join(" ")
}

fn unexpected(found: Option<&str>, expected: &'static str) -> ParseError {
    let found = found.map_or_else(|| "the end".to_owned(), |word| format!("{word:?}"));
    ParseError::Word { found, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Gate {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_pairs_and_verdicts_are_read() {
        let gate = parsed("warm_ms_p99 ratio > 1.10");
        assert_eq!((gate.pair, gate.metric.as_str()), (None, "warm_ms_p99"));
        let number = |quantity, operator, bound| Condition::Number { quantity, operator, bound };
        assert_eq!(gate.condition, number(Quantity::Ratio, Operator::Above, 1.1));
        for (text, expected) in [
            ("m low >= 0.5", number(Quantity::Low, Operator::AtLeast, 0.5)),
            ("m high<2", number(Quantity::High, Operator::Below, 2.0)),
            ("m  ratio<=1e-2", number(Quantity::Ratio, Operator::AtMost, 0.01)),
            ("m verdict is worse", Condition::Verdict(Verdict::Worse)),
            ("m verdict is  no difference shown", Condition::Verdict(Verdict::NoDifferenceShown)),
        ] {
            assert_eq!(parsed(text).condition, expected, "{text}");
        }
        let gate = parsed("optimized/baseline-reused cold_ms_p50 verdict is not measurable");
        assert_eq!(gate.pair.unwrap().to_string(), "optimized/baseline-reused");
        assert_eq!(gate.condition, Condition::Verdict(Verdict::NotMeasurable));
        assert_eq!(parsed("m  high<2").text, "m high < 2");
    }

    #[test]
    fn what_is_no_condition_is_refused_with_what_was_expected() {
        for (text, parts) in [
            ("", ["the end", "a metric"]),
            ("m", ["the end", "ratio, low, high or verdict"]),
            ("m mean > 1", ["\"mean\"", "ratio, low, high or verdict"]),
            ("m ratio = 1", ["\"=\"", ">, >=, < or <="]),
            ("m ratio => 1", ["\"=\"", ">, >=, < or <="]),
            ("m ratio >", ["the end", "a number"]),
            ("m ratio > ten", ["\"ten\"", "a number above 0"]),
            ("m ratio > -1", ["\"-1\"", "a number above 0"]),
            ("m ratio > NaN", ["\"NaN\"", "a number above 0"]),
            ("m ratio > 1 or so", ["\"or\"", "the end"]),
            ("m verdict worse", ["\"worse\"", "the word is"]),
            ("m verdict is much worse", ["\"much worse\"", "no difference shown"]),
            ("/a m ratio > 1", ["\"/a\"", "TO/FROM"]),
        ] {
            let message = text.parse::<Gate>().unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{text:?}: {message}");
        }
    }
}
