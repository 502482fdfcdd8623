//! All that a sandbox says, at one point: what its processes print and what the platform tells, as log lines and as telemetry.
//!
//! Apart from the sandbox's protocol, which only says what happened. Output comes through pipes, so that it can be told from whom
//! it came, cut into lines, put in order with START and END, and given to subscribers. Invariant: the log and the telemetry of a
//! sandbox have the same order.

mod event;
mod function_log;
mod json;
mod level;
mod lines;
mod pipe;
mod records;
mod sandbox_log;
mod tail;
mod telemetry;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use event::{EventStatus, Initialization, Phase, PlatformEvent, Report};
pub(crate) use function_log::FunctionLog;
pub use function_log::{LogFormat, LogSettings};
pub use level::{ApplicationLevel, SystemLevel};
pub(crate) use sandbox_log::{SandboxLog, Source};

use crate::function::ACCOUNT;

/// What events tell about their sandbox.
#[derive(Clone, Debug)]
pub(crate) struct SandboxFacts {
    pub(crate) function_name: String,
    pub(crate) function_version: String,
    pub(crate) function_arn: String,
    /// The sandbox's id, or its log stream.
    pub(crate) instance_id: String,
    pub(crate) memory_mb: u32,
    /// Such as `provided:al2023.v90`.
    pub(crate) runtime_version: String,
    pub(crate) runtime_version_arn: String,
}

impl SandboxFacts {
    /// The facts of sandbox `instance_id` of a function. The runtime version is this lab's and says so; its ARN has the form of
    /// AWS's and names no runtime of theirs.
    pub(crate) fn new(function_name: &str, instance_id: &str, memory_mb: u32, region: &str) -> Self {
        Self {
            function_name: function_name.to_owned(),
            function_version: "$LATEST".to_owned(),
            function_arn: format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{function_name}"),
            instance_id: instance_id.to_owned(),
            memory_mb,
            runtime_version: concat!("provided:lambda-lab.v", env!("CARGO_PKG_VERSION")).to_owned(),
            runtime_version_arn: format!("arn:aws:lambda:{region}::runtime:{:064}", 0),
        }
    }
}
