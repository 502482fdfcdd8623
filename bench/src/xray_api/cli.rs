//! The command line of `bench fetch-traces`.
//!
//! Apart from the fetching because it is there without the feature `aws` too: whoever built without it hears how to build
//! with it, not that the command is unknown. Invariant: durations are positive, so nothing waits for ever.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

/// What to fetch and how long to wait for it.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The run's folder, such as bench/results/latest.
    pub run: PathBuf,
    /// Ask for the traces that an X-Ray filter expression finds, such as 'annotation.Service = "x"', not for the run's own.
    #[arg(long, requires = "since", requires = "until")]
    pub filter: Option<String>,
    /// With --filter: from when on, such as 2026-11-22T02:19:53Z.
    #[arg(long, requires = "filter")]
    pub since: Option<Timestamp>,
    /// With --filter: until when.
    #[arg(long, requires = "filter")]
    pub until: Option<Timestamp>,
    /// Where the account keeps its traces.
    #[arg(long, value_enum, default_value_t = Store::Auto)]
    pub from: Store,
    /// Give up on what is missing after so many seconds in which nothing new came.
    #[arg(long = "patience-s", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub patience: Duration,
    /// Look again after so many seconds.
    #[arg(long = "poll-s", value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub poll: Duration,
    /// Stop after so many seconds in all, also if more is still coming.
    #[arg(long = "time-limit-s", value_name = "SECONDS", default_value = "900", value_parser = seconds)]
    pub time_limit: Duration,
}

/// Where an account keeps its traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// Ask X-Ray (`GetTraceSegmentDestination`).
    Auto,
    /// X-Ray itself: read with `BatchGetTraces`.
    #[value(name = "xray")]
    XRay,
    /// CloudWatch Logs, by Transaction Search: read with `StartTraceRetrieval`.
    TransactionSearch,
}

/// What `bench fetch-traces` says when it was built without the feature.
#[cfg(not(feature = "aws"))]
pub const NOT_BUILT: &str = "this bench was built without the AWS SDK, which fetch-traces needs; use `make fetch-traces \
                             RUN=<folder>`, or build it with `cargo build --release --package bench --features aws`";

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is no number of seconds, such as 60"))?;
    match Duration::try_from_secs_f64(seconds) {
        // A day is longer than any wait that makes sense, and short enough for every clock.
        Ok(duration) if !duration.is_zero() && duration <= Duration::from_secs(86_400) => Ok(duration),
        _ => Err(format!("{text} is not between 0 and 86400 seconds")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn parse(words: &[&str]) -> Result<Arguments, String> {
        let line = Line::try_parse_from([&["x", "folder"], words].concat());
        line.map(|line| line.arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn waits_are_positive_and_finite() {
        assert_eq!(parse(&["--poll-s", "0.25"]).unwrap().poll, Duration::from_millis(250));
        for wrong in ["0", "-1", "NaN", "inf", "1e9", "soon", ""] {
            let error = parse(&[&format!("--patience-s={wrong}")]).unwrap_err();
            assert!(error.contains("seconds"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_filter_needs_its_times_and_they_need_a_filter() {
        let error = parse(&["--filter", "annotation.Service = \"x\"", "--since", "2026-11-22T00:00:00Z"]);
        assert!(error.unwrap_err().contains("--until"));
        assert!(parse(&["--since", "2026-11-22T00:00:00Z"]).unwrap_err().contains("--filter"));
        assert!(parse(&["--filter", "x", "--since", "yesterday", "--until", "now"]).is_err());
    }
}
