//! What the load turns of a profile send: when, to which path, and what of an answer counts.
//!
//! Apart from the scenario because a profile has either phases of its own or several files. Invariant: every variant and round of a
//! run is offered the same, and `run.json` says by which files, with their digests.

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use lambda_lab::experiment::LoadProfile;
use serde::{Deserialize, Serialize};

use super::{Expect, Scenario, ScenarioError};
use crate::client::TIME_LIMIT;
use crate::load::APDEX_THRESHOLD_MS;
use crate::schedule;

/// Everything about the load turns.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// Offsets of all arrivals from the start of the turn, ascending.
    pub arrivals: Vec<Duration>,
    /// How long the schedule lasts.
    pub span: Duration,
    /// How a ramp grows.
    pub form: Form,
    /// The files that made the arrivals; none where the experiment file did.
    pub files: Vec<ScenarioFile>,
    /// The path asked for, from `/`; none for the variant's address as it is.
    pub url: Option<String>,
    /// What an answer must be.
    pub expect: Expect,
    /// How long a request may take.
    pub time_limit: Duration,
    /// Apdex: answers up to this are satisfying.
    pub apdex_threshold_ms: f64,
}

/// How the rate of a ramp grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// With every moment: the experiment file's `arrivals`.
    #[default]
    Continuous,
    /// In steps of one second, as Artillery does it: a scenario file's phases.
    Stepped,
}

/// A scenario file that made arrivals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// Its name, without folders.
    pub file: String,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Arrivals it makes in a turn.
    pub requests: u64,
    /// How long they take, in seconds.
    pub duration_s: f64,
}

impl Offered {
    /// What `profile` offers; reads its scenario files.
    ///
    /// # Errors
    /// A file that cannot be used, or files that differ in what they ask for.
    pub fn of(profile: &LoadProfile) -> Result<Self, ScenarioError> {
        let files =
            profile.scenarios.iter().map(|path| Scenario::load(path)).collect::<Result<Vec<_>, _>>()?;
        match files.split_first() {
            Some((first, others)) => Self::by_files(first, others),
            None => Ok(Self {
                arrivals: schedule::arrivals(&profile.arrivals),
                span: schedule::span(&profile.arrivals),
                form: Form::Continuous,
                files: Vec::new(),
                url: None,
                expect: Expect::default(),
                time_limit: TIME_LIMIT,
                apdex_threshold_ms: APDEX_THRESHOLD_MS,
            }),
        }
    }

    fn by_files(first: &Scenario, others: &[Scenario]) -> Result<Self, ScenarioError> {
        others.iter().try_for_each(|other| alike(first, other))?;
        let mut offered = Self {
            arrivals: Vec::new(),
            span: Duration::ZERO,
            form: Form::Stepped,
            files: Vec::new(),
            url: Some(first.url.clone()),
            expect: first.expect.clone(),
            time_limit: first.time_limit.unwrap_or(TIME_LIMIT),
            apdex_threshold_ms: first.apdex_threshold_ms.unwrap_or(APDEX_THRESHOLD_MS),
        };
        for scenario in std::iter::once(first).chain(others) {
            let schedule = schedule::artillery_arrivals(&scenario.phases);
            let name = scenario.path.file_name().unwrap_or(scenario.path.as_os_str());
            offered.files.push(ScenarioFile {
                file: name.to_string_lossy().into_owned(),
                sha256: scenario.sha256.clone(),
                requests: schedule.arrivals.len() as u64,
                duration_s: schedule.span.as_secs_f64(),
            });
            offered.arrivals.extend(schedule.arrivals.iter().map(|arrival| offered.span + *arrival));
            offered.span += schedule.span;
        }
        Ok(offered)
    }

    /// Where `base`, a variant's address, is asked.
    pub fn uri(&self, base: &Uri) -> Uri {
        let Some(url) = &self.url else { return base.clone() };
        let path = format!("{}{url}", base.path().trim_end_matches('/'));
        let mut parts = base.clone().into_parts();
        // The path was checked with its file, so this is never the fallback.
        parts.path_and_query = path.parse().ok().or(parts.path_and_query);
        Uri::from_parts(parts).unwrap_or_else(|_| base.clone())
    }
}

/// Refuses two files that differ in more than their arrivals.
fn alike(first: &Scenario, other: &Scenario) -> Result<(), ScenarioError> {
    let differ = |what, left: String, right: String| {
        let paths: (PathBuf, PathBuf) = (first.path.clone(), other.path.clone());
        if left == right {
            Ok(())
        } else {
            Err(ScenarioError::Differ { first: paths.0, other: paths.1, what, left, right })
        }
    };
    differ("the url of get", first.url.clone(), other.url.clone())?;
    differ("expect", told(&first.expect), told(&other.expect))?;
    differ("config.apdex.threshold", or_unset(first.apdex_threshold_ms), or_unset(other.apdex_threshold_ms))?;
    let seconds = |scenario: &Scenario| or_unset(scenario.time_limit.map(|limit| limit.as_secs_f64()));
    differ("config.http.timeout", seconds(first), seconds(other))
}

fn told(expect: &Expect) -> String {
    format!("statusCode {:?}, contentType {}", expect.statuses, or_unset(expect.content_type.as_ref()))
}

fn or_unset(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
