//! A value in a file of the sandbox's temporary folder, for the runtime that is started after this one.
//!
//! Apart from memory because it outlives the process: after a crash or a time-out Lambda starts the runtime anew in the same sandbox,
//! and `/tmp` is still there. Invariant: a file is replaced in one step; one that is missing, half-written, too old, from the future
//! or garbage is a miss, never an error.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::memory::is_fresh;

/// One file.
#[derive(Debug)]
pub struct TemporaryCopy {
    path: PathBuf,
    ttl: Duration,
}

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    since_unix_ms: u64,
    value: T,
}

impl TemporaryCopy {
    /// The file `name` in `folder`, whose value is good for `ttl`.
    pub fn new(folder: &Path, name: &str, ttl: Duration) -> Self {
        Self { path: folder.join(name), ttl }
    }

    /// The value and since when it has been kept, while it is fresh.
    pub fn read<T: DeserializeOwned>(&self) -> Option<(SystemTime, T)> {
        let kept: Kept<T> = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        let since = UNIX_EPOCH.checked_add(Duration::from_millis(kept.since_unix_ms))?;
        is_fresh(since, self.ttl).then_some((since, kept.value))
    }

    /// Replaces the file by one that holds `value` as of `since`, readable by its owner alone.
    ///
    /// # Errors
    /// The file system's words, with the file; or that `value` cannot be JSON.
    pub fn write<T: Serialize>(&self, since: SystemTime, value: T) -> io::Result<()> {
        let since_unix_ms = since.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let since_unix_ms = u64::try_from(since_unix_ms).unwrap_or(u64::MAX);
        let text = serde_json::to_vec(&Kept { since_unix_ms, value })?;
        self.replace(&text)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.path.display())))
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension("new");
        // What a killed runtime left half-written; made anew, so that nobody else's file is followed.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text)?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::value::RawValue;

    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    fn answer() -> Box<RawValue> {
        RawValue::from_string("{\"statusCode\":200,\"body\":\"é\"}".to_owned()).unwrap()
    }

    fn read(copy: &TemporaryCopy) -> Option<String> {
        copy.read::<Box<RawValue>>().map(|(_, answer)| answer.get().to_owned())
    }

    #[test]
    fn what_one_runtime_wrote_the_next_reads_while_it_is_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let copy = || TemporaryCopy::new(folder.path(), "answer.json", TTL);
        assert_eq!(read(&copy()), None);
        let now = SystemTime::now();
        for since in [now - TTL, now + 6 * TTL] {
            copy().write(since, answer()).unwrap();
            assert_eq!(read(&copy()), None, "{since:?}");
        }
        // A runtime was killed while it wrote.
        fs::write(folder.path().join("answer.new"), "{\"since").unwrap();
        copy().write(now, answer()).unwrap();
        assert_eq!(read(&copy()).as_deref(), Some(answer().get()));
        let mode = fs::metadata(folder.path().join("answer.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "the settings' copy holds a password");
    }

    #[test]
    fn garbage_is_a_miss() {
        let folder = tempfile::tempdir().unwrap();
        let copy = TemporaryCopy::new(folder.path(), "answer.json", TTL);
        copy.write(SystemTime::now(), answer()).unwrap();
        let whole = fs::read(folder.path().join("answer.json")).unwrap();
        let half = &whole[..whole.len() / 2];
        for garbage in [half, b"", b"[]", b"{\"since_unix_ms\":-1,\"value\":{}}", &[0xff; 9]] {
            fs::write(folder.path().join("answer.json"), garbage).unwrap();
            assert_eq!(read(&copy), None, "{}", String::from_utf8_lossy(garbage));
        }
        fs::remove_file(folder.path().join("answer.json")).unwrap();
        fs::create_dir(folder.path().join("answer.json")).unwrap();
        assert_eq!(read(&copy), None);
        let message = copy.write(SystemTime::now(), answer()).unwrap_err().to_string();
        assert!(message.contains("answer.json"), "{message}");
    }
}
