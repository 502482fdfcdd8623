//! What can be chosen about tracing: a function's mode, the lab's sampling, and the style of its segments.
//!
//! Apart from what they do because the experiment file and the command line read them. Invariant: the default of each is Lambda's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A function's tracing mode, as `TracingConfig.Mode` spells it:
/// <https://docs.aws.amazon.com/lambda/latest/api/API_TracingConfig.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TracingMode {
    /// Lambda decides where nobody has, and sends segments of what is sampled.
    Active,
    /// Lambda passes the header on and sends nothing, not even where the caller decided to sample.
    #[default]
    PassThrough,
}

impl FromStr for TracingMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Active" => Ok(Self::Active),
            "PassThrough" => Ok(Self::PassThrough),
            _ => Err("expected Active or PassThrough".to_owned()),
        }
    }
}

impl fmt::Display for TracingMode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "Active",
            Self::PassThrough => "PassThrough",
        })
    }
}

/// Which of the requests that nobody has decided about are sampled, in functions whose mode is Active. A caller's decision is always
/// respected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sampling {
    /// As the service: the first request of each second, and five of a hundred others.
    #[default]
    Service,
    /// All.
    All,
    /// None.
    None,
}

impl FromStr for Sampling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "service" => Ok(Self::Service),
            "all" => Ok(Self::All),
            "none" => Ok(Self::None),
            _ => Err("expected service (one request a second and 5 % of the others), all or none".to_owned()),
        }
    }
}

/// Which of Lambda's two formats the function's segment has. Lambda has been changing from the old to the new one since 2025.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SegmentStyle {
    /// `Init` below it, and how the time divides as annotations.
    #[default]
    New,
    /// `Initialization`, `Invocation` and `Overhead` below it.
    Old,
}

impl FromStr for SegmentStyle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "new" => Ok(Self::New),
            "old" => Ok(Self::Old),
            _ => Err("expected new or old".to_owned()),
        }
    }
}
