//! The experiment file as TOML spells it.
//!
//! Apart from the checked types so that `deny_unknown_fields` and line numbers stay a matter of this file alone. Invariant: no
//! value here is trusted; `check` is the only reader.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{ApplicationLevel, LogFormat, SystemLevel, TracingMode};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) experiment: Head,
    #[serde(default)]
    pub(super) account: AccountTable,
    #[serde(default)]
    pub(super) parameters: BTreeMap<Spanned<String>, ParameterValue>,
    #[serde(default)]
    pub(super) secrets: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    pub(super) setup: Vec<FunctionTable>,
    pub(super) variant: Vec<FunctionTable>,
    #[serde(default)]
    pub(super) load: BTreeMap<String, LoadTable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: Spanned<String>,
    pub(super) description: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountTable {
    pub(super) concurrent_executions: Option<Spanned<i64>>,
    pub(super) new_sandboxes_per_10_s: Option<Spanned<i64>>,
}

/// Either the value alone, or a table that also says it is secure.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string, or { value = \"..\", secure = true }")]
pub(super) enum ParameterValue {
    Plain(String),
    Table(ParameterTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterTable {
    pub(super) value: String,
    #[serde(default)]
    pub(super) secure: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FunctionTable {
    pub(super) name: Spanned<String>,
    pub(super) package: Option<Spanned<String>>,
    pub(super) binary: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) dir: Option<Spanned<String>>,
    pub(super) memory_mb: Spanned<i64>,
    pub(super) timeout_s: Spanned<i64>,
    #[serde(default)]
    pub(super) extensions: Vec<ProgramTable>,
    pub(super) reserved_concurrency: Option<Spanned<i64>>,
    pub(super) provisioned_concurrency: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) log_format: LogFormat,
    pub(super) application_log_level: Option<Spanned<ApplicationLevel>>,
    pub(super) system_log_level: Option<Spanned<SystemLevel>>,
    #[serde(default)]
    pub(super) tracing: TracingMode,
    #[serde(default)]
    pub(super) env: BTreeMap<Spanned<String>, String>,
    pub(super) lever: Option<Spanned<String>>,
    pub(super) against: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramTable {
    pub(super) package: Option<Spanned<String>>,
    pub(super) binary: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    pub(super) dir: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoadTable {
    pub(super) rounds: Spanned<i64>,
    pub(super) cold_starts: Spanned<i64>,
    pub(super) warm_up_requests: Spanned<i64>,
    pub(super) warm_requests: Spanned<i64>,
    pub(super) control: Option<Spanned<ControlValue>>,
    #[serde(default)]
    pub(super) arrivals: Vec<Spanned<ArrivalTable>>,
    pub(super) scenarios: Option<Spanned<Vec<Spanned<String>>>>,
}

/// One variant's name, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a variant's name, or a list of names")]
pub(super) enum ControlValue {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrivalTable {
    pub(super) duration_s: f64,
    pub(super) arrival_rate: f64,
    pub(super) ramp_to: Option<f64>,
}
