//! The networks that can be asked for by name, from the dated file `round-trips.toml`.
//!
//! Apart from the delay line because these are figures with sources, and change without the code. Invariant: a figure travels
//! with the day it was read; `loopback` has none because it adds none.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::Dependency;

/// The network that adds nothing.
const LOOPBACK: &str = "loopback";
/// A round trip longer than this is a mistake in the data file: the moon is nearer than 10 s.
const LONGEST_MS: f64 = 10_000.0;

/// Why there is no such network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The name is not known.
    #[error("there is no network {name:?}; known are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names, separated by commas.
        known: String,
    },
    /// The bundled file is not as expected.
    #[error("crates/lambda-lab/src/distance/round-trips.toml: {0}")]
    Malformed(String),
}

/// Round trips to each dependency.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    about: String,
    source_date: Option<String>,
    round_trips: BTreeMap<Dependency, Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    read_on: String,
    network: Vec<Entry>,
    source: Vec<Source>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    about: String,
    round_trips_ms: RoundTrips,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoundTrips {
    ssm: f64,
    database: f64,
    cache: f64,
}

/// Where a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The page.
    pub url: String,
    /// When it was published: `YYYY`, or `YYYY-MM-DD`.
    pub published: String,
    /// What it says.
    pub says: String,
}

impl Network {
    /// Every dependency on loopback, nothing added.
    pub fn loopback() -> Self {
        Self {
            name: LOOPBACK.to_owned(),
            about: "every dependency on loopback, nothing added".to_owned(),
            source_date: None,
            round_trips: BTreeMap::new(),
        }
    }

    /// The network called `name`.
    ///
    /// # Errors
    /// [`NetworkError::Unknown`] lists the names there are.
    pub fn named(name: &str) -> Result<Self, NetworkError> {
        let all = Self::all()?;
        let known = || all.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        let found = all.iter().find(|network| network.name == name).cloned();
        found.ok_or_else(|| NetworkError::Unknown { name: name.to_owned(), known: known() })
    }

    /// All there are, `loopback` first.
    ///
    /// # Errors
    /// A bundled file that is not as expected.
    pub fn all() -> Result<Vec<Self>, NetworkError> {
        Self::parse(include_str!("round-trips.toml"))
    }

    /// The sources of the bundled figures.
    ///
    /// # Errors
    /// A bundled file that is not as expected.
    pub fn sources() -> Result<Vec<Source>, NetworkError> {
        Ok(read(include_str!("round-trips.toml"))?.source)
    }

    pub(super) fn parse(text: &str) -> Result<Vec<Self>, NetworkError> {
        let File { read_on, network, .. } = read(text)?;
        let mut all = vec![Self::loopback()];
        for Entry { name, about, round_trips_ms: RoundTrips { ssm, database, cache } } in network {
            let each = [(Dependency::Ssm, ssm), (Dependency::Database, database), (Dependency::Cache, cache)];
            let each = each.map(|(dependency, round_trip_ms)| {
                Ok((dependency, checked(round_trip_ms).ok_or((dependency, round_trip_ms))?))
            });
            let round_trips = each.into_iter().collect::<Result<_, (Dependency, f64)>>();
            let round_trips = round_trips.map_err(|(dependency, round_trip_ms)| {
                let dependency = dependency.name();
                NetworkError::Malformed(format!(
                    "network {name:?}: {dependency} = {round_trip_ms}; a round trip is more than 0 and at most {LONGEST_MS} ms"
                ))
            })?;
            if all.iter().any(|other| other.name == name) {
                return Err(NetworkError::Malformed(format!("two networks are called {name:?}; rename one")));
            }
            all.push(Self { name, about, source_date: Some(read_on.clone()), round_trips });
        }
        Ok(all)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it stands for, in a few words.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The day its figures were read, `YYYY-MM-DD`; none where nothing is added.
    pub fn source_date(&self) -> Option<&str> {
        self.source_date.as_deref()
    }

    /// What one round trip to `dependency` takes longer than on loopback; none where nothing is added.
    pub fn round_trip(&self, dependency: Dependency) -> Option<Duration> {
        self.round_trips.get(&dependency).copied()
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(name: &str) -> Result<Self, NetworkError> {
        Self::named(name)
    }
}

impl Default for Network {
    fn default() -> Self {
        Self::loopback()
    }
}

fn read(text: &str) -> Result<File, NetworkError> {
    toml::from_str(text).map_err(|error| NetworkError::Malformed(error.to_string()))
}

fn checked(round_trip_ms: f64) -> Option<Duration> {
    let fits = round_trip_ms > 0.0 && round_trip_ms <= LONGEST_MS;
    fits.then(|| Duration::from_secs_f64(round_trip_ms / 1e3))
}
