//! `capacity.toml`: when a step fails, in which situations the variants climb, and how thoroughly.
//!
//! Apart from the experiment file because the lab has no use for it: a situation becomes an experiment of its own before the lab
//! sees it. Invariant: settings that exist are sound; whatever is wrong is said with its key, its value and the mend before
//! anything starts.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("capacity settings {path}: {source}; name an existing file with --settings")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or type that the settings do not have.
    #[error("capacity settings {path}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The TOML reader's words, with line, column and excerpt.
        message: String,
    },
    /// A value is impossible.
    #[error("capacity settings {path}: {key} = {value}: {expected}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What is expected instead.
        expected: String,
    },
    /// A name that is not in the file.
    #[error("{kind} {name:?} is not in the capacity settings; they have: {known}")]
    Unknown {
        /// `profile` or `situation`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The greatest share of failed and dropped requests with which a step passes.
    pub error_share: f64,
    /// The least apdex with which a step passes.
    pub apdex: f64,
    /// In the order they are driven.
    #[serde(rename = "situation")]
    pub situations: Vec<Situation>,
    /// How thoroughly, by name.
    #[serde(rename = "profile")]
    pub profiles: BTreeMap<String, Profile>,
}

/// A surrounding that limits the variants: a lab of its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Its name, and its folder's in the results.
    pub name: String,
    /// What limits the variants, in words.
    pub description: String,
    /// Reserved concurrency of each variant.
    pub reserved_concurrency: Option<NonZeroU32>,
    /// The account's concurrent executions.
    pub concurrent_executions: Option<NonZeroU32>,
    /// Parameter Store's requests a second; none: it does not throttle.
    pub ssm_per_second: Option<NonZeroU32>,
    /// How much of a step's beginning is not judged, where that is another than the profile's: a limit that saves up what is not
    /// used must have spent it. What is judged stays as long.
    pub warm_up_s: Option<f64>,
    /// The first rate of a climb, requests a second.
    pub start_rate: NonZeroU32,
    /// The last.
    pub ceiling: NonZeroU32,
}

/// How thoroughly.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Climbs of each variant in each situation; even, since every other round runs backwards.
    pub rounds: u32,
    /// How long a step lasts.
    pub step_s: f64,
    /// How much of its beginning is not judged.
    pub warm_up_s: f64,
    /// Each rate is so many times the one before.
    pub factor: f64,
    /// How often the gap between passed and failed is halved.
    pub bisections: u32,
    /// The situations it drives, by name.
    pub situations: Vec<String>,
    /// The experiment's variants it drives, by name; all, unless given.
    pub variants: Option<Vec<String>>,
}

impl Settings {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Checks `text` as if it were the file at `path`.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let malformed = |error: toml::de::Error| SettingsError::Malformed {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        };
        let settings: Self = toml::from_str(text).map_err(malformed)?;
        let invalid = |(key, value, expected): Wrong| {
            Err(SettingsError::Invalid { path: path.to_owned(), key, value, expected: expected.to_owned() })
        };
        settings.wrong().map_or(Ok(()), invalid)?;
        for profile in settings.profiles.values() {
            settings.situations_of(profile)?;
        }
        Ok(settings)
    }

    /// The profile called `name`.
    ///
    /// # Errors
    /// Names those there are.
    pub fn profile(&self, name: &str) -> Result<&Profile, SettingsError> {
        self.profiles.get(name).ok_or_else(|| SettingsError::Unknown {
            kind: "profile",
            name: name.to_owned(),
            known: self.profiles.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// The situations that `profile` drives, in the file's order.
    ///
    /// # Errors
    /// A name that the file does not have.
    pub fn situations_of(&self, profile: &Profile) -> Result<Vec<&Situation>, SettingsError> {
        let names: Vec<&str> = self.situations.iter().map(|situation| situation.name.as_str()).collect();
        if let Some(name) = profile.situations.iter().find(|name| !names.contains(&name.as_str())) {
            let known = names.join(", ");
            return Err(SettingsError::Unknown { kind: "situation", name: name.clone(), known });
        }
        Ok(self.situations.iter().filter(|situation| profile.situations.contains(&situation.name)).collect())
    }

    /// The first value that is impossible.
    fn wrong(&self) -> Option<Wrong> {
        let sound = [
            (
                "error_share",
                self.error_share,
                (0.0..1.0).contains(&self.error_share),
                "a share from 0 to below 1",
            ),
            ("apdex", self.apdex, (0.0..=1.0).contains(&self.apdex), "a number from 0 to 1"),
        ];
        let head = sound.into_iter().find(|(.., sound, _)| !sound);
        let head = head.map(|(key, value, _, expected)| (key.to_owned(), value.to_string(), expected));
        head.or_else(|| self.situations.iter().find_map(Situation::wrong))
            .or_else(|| self.profiles.iter().find_map(|(name, profile)| profile.wrong(name)))
    }
}

/// Key, value and what is expected.
type Wrong = (String, String, &'static str);

impl Situation {
    fn wrong(&self) -> Option<Wrong> {
        let key = |key: &str| format!("situation.{}.{key}", self.name);
        let named = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !named {
            return Some((
                "situation.name".to_owned(),
                format!("{:?}", self.name),
                "expected 1 to 64 of a-z, A-Z, 0-9, - and _",
            ));
        }
        if self.description.is_empty() {
            return Some((key("description"), "\"\"".to_owned(), "expected a few words"));
        }
        if let Some(warm_up_s) = self.warm_up_s.filter(|warm_up_s| !(0.0..=60.0).contains(warm_up_s)) {
            return Some((key("warm_up_s"), warm_up_s.to_string(), "expected 0 to 60"));
        }
        let (start, ceiling) = (self.start_rate, self.ceiling);
        (start > ceiling || ceiling.get() > 5000)
            .then(|| (key("ceiling"), ceiling.to_string(), "expected start_rate to 5000 requests a second"))
    }
}

impl Profile {
    /// Length of a step in `situation`.
    pub fn step(&self, situation: &Situation) -> Duration {
        Duration::from_secs_f64(self.step_s - self.warm_up_s) + self.warm_up(situation)
    }

    /// Its part that is not judged.
    pub fn warm_up(&self, situation: &Situation) -> Duration {
        Duration::from_secs_f64(situation.warm_up_s.unwrap_or(self.warm_up_s))
    }

    fn wrong(&self, name: &str) -> Option<Wrong> {
        let even = (2..=100).contains(&self.rounds) && self.rounds.is_multiple_of(2);
        let checks = [
            ("rounds", self.rounds.to_string(), even, "expected an even number from 2 to 100"),
            ("step_s", self.step_s.to_string(), (0.2..=600.0).contains(&self.step_s), "expected 0.2 to 600"),
            (
                "warm_up_s",
                self.warm_up_s.to_string(),
                (0.0..=self.step_s - 0.1).contains(&self.warm_up_s),
                "expected from 0 to 0.1 s less than step_s",
            ),
            ("factor", self.factor.to_string(), (1.05..=10.0).contains(&self.factor), "expected 1.05 to 10"),
            ("bisections", self.bisections.to_string(), self.bisections <= 10, "expected 0 to 10"),
            ("situations", "[]".to_owned(), !self.situations.is_empty(), "expected at least one"),
            (
                "variants",
                "[]".to_owned(),
                self.variants.as_ref() != Some(&Vec::new()),
                "expected at least one",
            ),
        ];
        let wrong = checks.into_iter().find(|(_, _, sound, _)| !sound)?;
        Some((format!("profile.{name}.{}", wrong.0), wrong.1, wrong.3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file that ships is sound, and each of its profiles too.
    #[test]
    fn the_shipped_settings_are_sound() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("capacity.toml");
        let settings = Settings::load(&path).unwrap();
        for name in ["quick", "full", "smoke"] {
            assert!(!settings.situations_of(settings.profile(name).unwrap()).unwrap().is_empty());
        }
        let named: Vec<&str> = settings.situations.iter().map(|situation| situation.name.as_str()).collect();
        assert_eq!(named, ["reserved-2", "account-10", "ssm-40"]);
    }

    #[test]
    fn impossible_values_are_named_with_what_is_expected() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("capacity.toml");
        let sound = std::fs::read_to_string(&path).unwrap();
        for (from, to, named) in [
            ("error_share = 0.01", "error_share = 1.5", "error_share = 1.5"),
            ("apdex = 0.85", "apdex = 85", "apdex = 85"),
            ("name = \"ssm-40\"", "name = \"../x\"", "situation.name"),
            ("ceiling = 80", "ceiling = 10", "situation.ssm-40.ceiling = 10"),
            ("ceiling = 80", "ceiling = 9000", "5000"),
            ("warm_up_s = 2.0", "warm_up_s = 61.0", "situation.ssm-40.warm_up_s = 61"),
            ("rounds = 4", "rounds = 5", "rounds = 5"),
            ("warm_up_s = 1.0", "warm_up_s = 2.5", "profile.full.warm_up_s = 2.5"),
            ("factor = 3.0", "factor = 1.0", "profile.smoke.factor = 1"),
            ("start_rate = 40", "start_rate = 0", "start_rate"),
        ] {
            assert!(sound.contains(from), "{from:?} is not in the file any more");
            let message = Settings::parse(&sound.replacen(from, to, 1), &path).unwrap_err().to_string();
            assert!(message.contains(named), "{to}: {message}");
        }
    }
}
