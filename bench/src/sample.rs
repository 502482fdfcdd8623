//! The line of `samples.jsonl`: what the client saw of one request.
//!
//! Apart from the client because files, metrics and tests share it. Invariant: a sample is answered, failed or dropped, exactly
//! one of the three; whatever was not answered says why in `error`.

use serde::{Deserialize, Serialize};

/// `error` of a request that was not finished within the client's limit.
pub const TIMEOUT: &str = "timeout";
/// `error` of an arrival that was never sent, because too many requests were in flight.
pub const DROPPED: &str = "dropped";

/// Which part of a variant's turn a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// One request at a time, each to a fresh sandbox.
    Cold,
    /// Requests that bring a sandbox to its steady state; sent and accounted for, never part of a latency.
    WarmUp,
    /// One request in flight, to a sandbox that has served before.
    Warm,
    /// Open-loop arrivals by the profile's schedule.
    Load,
}

/// One request. Times are microseconds from the start of its phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The variant's name.
    pub variant: String,
    /// From 1.
    pub round: u32,
    /// The part of the variant's turn.
    pub phase: Phase,
    /// When the schedule wanted it sent; in the cold and warm phases, when it was sent.
    pub intended_us: u64,
    /// When it was handed to the HTTP client; none if dropped.
    pub sent_us: Option<u64>,
    /// When the last byte of the answer was read, or the client gave up; none if dropped.
    pub done_us: Option<u64>,
    /// The HTTP status, where an answer came.
    pub status: Option<u16>,
    /// Whether its invocation was a cold start; none where no invocation was recorded.
    pub cold: Option<bool>,
    /// Whether the client had its trace sampled.
    #[serde(default)]
    pub sampled: bool,
    /// Root of the trace header sent with it: joins it to its invocation.
    pub trace_id: String,
    /// Why it was not answered: `timeout`, `connect`, `transport`, `dropped`, `http_<status>` for a status that is not 2xx, or
    /// `expect_status`, `expect_content_type` for an answer that is not what the load scenario expects.
    pub error: Option<String>,
}

impl Sample {
    /// Whether a 2xx answer was read to its end.
    pub fn answered(&self) -> bool {
        self.error.is_none()
    }

    /// Whether it was never sent.
    pub fn dropped(&self) -> bool {
        self.error.as_deref() == Some(DROPPED)
    }

    /// From the intended time to the end of the answer, for requests whose time means something: answered ones, and those that
    /// timed out, at the limit. A quick error must not look like a quick answer.
    pub fn response_ms(&self) -> Option<f64> {
        let counts = self.answered() || self.error.as_deref() == Some(TIMEOUT);
        let done_us = self.done_us.filter(|_| counts)?;
        Some(milliseconds(done_us.saturating_sub(self.intended_us)))
    }

    /// From the intended time to the sending: the load generator's own lateness.
    pub fn send_lag_ms(&self) -> Option<f64> {
        self.sent_us.map(|sent_us| milliseconds(sent_us.saturating_sub(self.intended_us)))
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(error: Option<&str>) -> Sample {
        Sample {
            variant: "a".into(),
            round: 1,
            phase: Phase::WarmUp,
            intended_us: 1_000,
            sent_us: Some(1_500),
            done_us: Some(9_250),
            status: Some(200),
            cold: None,
            sampled: false,
            trace_id: "1-00000000-000000000000000000000000".into(),
            error: error.map(str::to_owned),
        }
    }

    #[test]
    fn response_counts_from_the_intended_time_and_lag_to_the_sending() {
        let answered = sample(None);
        assert_eq!(answered.response_ms(), Some(8.25));
        assert_eq!(answered.send_lag_ms(), Some(0.5));
    }

    #[test]
    fn a_time_out_counts_at_its_value_and_a_quick_error_does_not() {
        assert_eq!(sample(Some(TIMEOUT)).response_ms(), Some(8.25));
        assert_eq!(sample(Some("http_503")).response_ms(), None);
        assert!(!sample(Some("http_503")).answered());
        assert!(sample(Some(DROPPED)).dropped());
    }

    #[test]
    fn a_line_has_the_names_of_the_file_format_and_reads_back() {
        let line = serde_json::to_string(&sample(None)).unwrap();
        assert!(
            line.starts_with(
                r#"{"variant":"a","round":1,"phase":"warm_up","intended_us":1000,"sent_us":1500,"done_us":9250,"#
            ),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Sample>(&line).unwrap(), sample(None));
    }
}
