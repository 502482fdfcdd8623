//! What a runtime leaves for the next one in its sandbox: the answer and the settings.
//!
//! Apart from [`temporary_copy`](crate::temporary_copy), which knows files and not what is in them. Settings are kept as the
//! parameters they were made of, because their own type cannot be written on purpose: it holds a password. Invariant: what is read
//! back passes the same checks as what was fetched; a copy that cannot be written costs a log line, nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use optimized::cache::{Entry, TTL};
use optimized::parameters::{Parameters, Settings};
use serde_json::value::RawValue;
use stadium_core::{ParameterNames, SettingsError};

use crate::memory::Memory;
use crate::serve::names;
use crate::temporary_copy::TemporaryCopy;

/// Both files.
#[derive(Debug)]
pub struct Copies {
    names: ParameterNames,
    answer: TemporaryCopy,
    settings: TemporaryCopy,
    /// The settings that the file holds.
    written: Mutex<Option<Arc<Settings>>>,
}

impl Copies {
    /// In the system's temporary folder: `TMPDIR`, or `/tmp`.
    ///
    /// # Errors
    /// A `PARAMETER_PREFIX` that is no parameter path.
    pub fn from_env() -> Result<Self, SettingsError> {
        let folder = std::env::temp_dir();
        Ok(Self {
            names: names()?,
            answer: TemporaryCopy::new(&folder, "stadiums-answer.json", TTL),
            // `Parameters` knows how long they are good for.
            settings: TemporaryCopy::new(&folder, "stadiums-settings.json", Duration::MAX),
            written: Mutex::default(),
        })
    }

    /// Hands what the runtime before this one left, where it is fresh, to `memory` and `parameters`.
    pub fn restore(&self, memory: &Memory, parameters: &Parameters) {
        if let Some((since, answer)) = self.answer.read::<Box<RawValue>>()
            && Entry::answer(&self.names).read(answer.get().as_bytes()).is_some()
        {
            memory.keep(since, &answer);
        }
        if let Some((since, values)) = self.settings.read::<HashMap<String, String>>()
            && let (Ok(settings), Ok(age)) = (Settings::parse(&self.names, &values), since.elapsed())
        {
            parameters.restore(settings, age);
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) =
                parameters.latest().map(|(_, settings)| settings);
        }
    }

    /// Leaves `answer`, which is new, and the settings, if they are.
    pub fn save(&self, answer: &RawValue, parameters: &Parameters) {
        let now = SystemTime::now();
        tell(self.answer.write(now, answer));
        let Some((age, settings)) = parameters.latest() else { return };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.as_ref().is_none_or(|written| !Arc::ptr_eq(written, &settings)) {
            tell(self.settings.write(now - age, values(&self.names, &settings)));
            *written = Some(settings);
        }
    }
}

fn tell(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(%error, "the next runtime will find no copy");
    }
}

/// The parameters that `settings` were made of, the cache's password among them.
fn values(names: &ParameterNames, settings: &Settings) -> HashMap<String, String> {
    let Settings { database, cache } = settings;
    HashMap::from([
        (names.database_host(), database.host.clone()),
        (names.database_port(), database.port.to_string()),
        (names.database_name(), database.name.clone()),
        (names.database_user(), database.user.clone()),
        (names.cache_host(), cache.host.clone()),
        (names.cache_port(), cache.port.to_string()),
        (names.cache_password(), cache.password.expose().to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_being_kept_as_parameters() {
        let names = ParameterNames::new("/stadiums").unwrap();
        let given: HashMap<String, String> = Settings::names(&names)
            .into_iter()
            .enumerate()
            .map(|(index, name)| (name, (index + 5000).to_string()))
            .collect();
        let settings = Settings::parse(&names, &given).unwrap();
        assert_eq!(values(&names, &settings), given);
    }
}
