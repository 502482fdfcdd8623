//! What the judges' programs wrote down, and counters that they keep in a file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::wait::until;

/// A file of JSON lines that functions and extensions append to.
pub(crate) struct Notes(pub(crate) PathBuf);

impl Notes {
    /// Every whole line so far.
    pub(crate) fn all(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The notes that have `key`, its value of each.
    pub(crate) fn of(&self, key: &str) -> Vec<Value> {
        self.all().iter().filter_map(|note| note.get(key).cloned()).collect()
    }

    /// The values of `key`, once there are `count` of them.
    pub(crate) fn wait_for(&self, key: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} notes of {key} in {:?}", self.all()), || {
            let found = self.of(key);
            (found.len() >= count).then_some(found)
        })
    }

    /// All telemetry events noted so far, in the order of their delivery.
    pub(crate) fn telemetry(&self) -> Vec<Value> {
        self.of("batch").iter().flat_map(|batch| batch.as_array().cloned().unwrap_or_default()).collect()
    }

    /// The types of [`Self::telemetry`]'s events.
    pub(crate) fn telemetry_types(&self) -> Vec<String> {
        self.telemetry().iter().filter_map(|event| Some(event["type"].as_str()?.to_owned())).collect()
    }
}

/// The counter in `file`, 0 before it is there.
pub(crate) fn count_in(file: &Path) -> u64 {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.try_into().map_or(0, u64::from_le_bytes)
}
