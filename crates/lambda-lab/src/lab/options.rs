//! What a lab is started with.
//!
//! Apart because the command line and tests fill it in. Invariant: the default is the lab as faithful as this machine allows.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::distance::Network;
use crate::limits::Wanted;
use crate::records::Invocation;
use crate::xray::{Sampling, SegmentStyle};
use crate::{invoke_api, ssm};

/// What a lab is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where built functions lie: `<functions_dir>/<binary>/bootstrap`.
    pub functions_dir: PathBuf,
    /// Where invocation records are appended; none: not written.
    pub records: Option<PathBuf>,
    /// Folder for one log file per function; none: within the lab's own folder, which is removed at the end.
    pub logs_dir: Option<PathBuf>,
    /// One file for all functions' logs; where set, `logs_dir` stays empty.
    pub log_file: Option<PathBuf>,
    /// Who is told of each invocation when it has ended.
    pub invocations: Option<UnboundedSender<Invocation>>,
    /// Port of the HTTP API; 0 for a free one.
    pub port: u16,
    /// How far the dependencies are said to be.
    pub network: Network,
    /// The folder of the run's trace documents, `documents.jsonl` and `summary.json`; none: they are judged and not kept.
    pub traces: Option<PathBuf>,
    /// Which undecided requests to functions with active tracing are sampled.
    pub sampling: Sampling,
    /// The format of the functions' segments.
    pub segments: SegmentStyle,
    /// Which backend enforces CPU shares, memory and freezing.
    pub limits: Wanted,
    /// Whether idle sandboxes stand still, as on AWS; switched off to see what freezing costs.
    pub freeze: bool,
    /// How long after a failed attempt an asynchronous event is tried again; as many retries as there are delays.
    pub async_retry_delays: Vec<Duration>,
    /// Requests a second that Parameter Store takes before it throttles; none: it never does.
    pub ssm_rate: Option<NonZeroU32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            functions_dir: default_functions_dir(),
            records: None,
            logs_dir: None,
            log_file: None,
            invocations: None,
            port: 0,
            network: Network::default(),
            traces: None,
            sampling: Sampling::default(),
            segments: SegmentStyle::default(),
            limits: Wanted::Auto,
            freeze: true,
            async_retry_delays: invoke_api::ASYNC_RETRY_DELAYS.to_vec(),
            ssm_rate: Some(ssm::DEFAULT_RATE),
        }
    }
}

/// Where the workspace keeps built functions: `<target>/functions`.
pub fn default_functions_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join(Path::new("functions"))
}
