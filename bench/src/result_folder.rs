//! The folder a run leaves its files in.
//!
//! Apart from the run because naming, replacing and linking files safely is its own matter. Invariant: `run.json` is there whole
//! or not at all, and `latest` always points to a run that has one and did not end early.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::run_file::RunFile;

/// A file or folder that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}; {mend}", mend = mend(source))]
pub struct FolderError {
    /// What could not be made.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// What to do about a file of the results that the system will not have written.
pub fn mend(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "free some space, or raise the limit on files (ulimit -f), or name a folder on another disk with --results; then measure again"
        }
        _ => "name a folder you may write with --results",
    }
}

/// `<results>/<UTC time>-<experiment>/`.
#[derive(Clone, Debug)]
pub struct ResultFolder {
    results: PathBuf,
    name: String,
}

impl ResultFolder {
    /// Makes the folder for a run of `experiment` that began at `started`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(results: &Path, experiment: &str, started: Timestamp) -> Result<Self, FolderError> {
        std::fs::create_dir_all(results)
            .map_err(|source| FolderError { path: results.to_owned(), source })?;
        // The lab runs elsewhere and is told these paths, so they must not depend on the current folder.
        let results = std::fs::canonicalize(results)
            .map_err(|source| FolderError { path: results.to_owned(), source })?;
        let base = format!("{}-{experiment}", started.strftime("%Y-%m-%dT%H-%M-%SZ"));
        let mut attempt = 1;
        loop {
            let name = if attempt == 1 { base.clone() } else { format!("{base}-{attempt}") };
            match std::fs::create_dir(results.join(&name)) {
                Ok(()) => return Ok(Self { results, name }),
                // Two runs within a second.
                Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < 100 => {
                    attempt += 1;
                }
                Err(source) => {
                    return Err(FolderError { path: results.join(name), source });
                }
            }
        }
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.results.join(&self.name).join(name)
    }

    /// Writes `run.json`, and points `latest` here unless the run ended early; tells the file's path.
    ///
    /// # Errors
    /// If either cannot be written.
    pub fn finish(&self, run: &RunFile) -> Result<PathBuf, FolderError> {
        let path = self.file("run.json");
        let half_written = self.file(".run.json.part");
        let failed = |source| FolderError { path: path.clone(), source };
        let mut text = serde_json::to_vec_pretty(run).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let written = std::fs::File::create(&half_written)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&half_written, &path));
        if let Err(error) = written {
            // The failure to write is what is told; half a file is of no use and takes room.
            let _ = std::fs::remove_file(&half_written);
            return Err(failed(error));
        }
        if run.partial.is_none() {
            self.point_latest_here()?;
        }
        Ok(path)
    }

    /// A new link renamed over the old one: whoever follows it sees one run or the other.
    fn point_latest_here(&self) -> Result<(), FolderError> {
        let latest = self.results.join("latest");
        let new = self.results.join(format!(".latest-{}", std::process::id()));
        let failed = |source| FolderError { path: latest.clone(), source };
        std::os::unix::fs::symlink(&self.name, &new).map_err(failed)?;
        std::fs::rename(&new, &latest).map_err(|source| {
            // The rename's failure is what is told; a leftover link is only untidy.
            let _ = std::fs::remove_file(&new);
            failed(source)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> RunFile {
        RunFile::load(Path::new("tests/fixtures/run.json")).unwrap()
    }

    #[test]
    fn two_runs_within_a_second_get_a_folder_each_and_latest_is_the_newer() {
        let results = tempfile::tempdir().unwrap();
        let started: Timestamp = "2026-11-22T02:19:53Z".parse().unwrap();
        let first = ResultFolder::create(results.path(), "stadiums", started).unwrap();
        let second = ResultFolder::create(results.path(), "stadiums", started).unwrap();
        assert!(first.file("x").ends_with("2026-11-22T02-19-53Z-stadiums/x"));
        assert!(second.file("x").ends_with("2026-11-22T02-19-53Z-stadiums-2/x"));
        for (folder, name) in
            [(&first, "2026-11-22T02-19-53Z-stadiums"), (&second, "2026-11-22T02-19-53Z-stadiums-2")]
        {
            let path = folder.finish(&fixture()).unwrap();
            assert_eq!(RunFile::load(&path).unwrap(), fixture());
            assert_eq!(std::fs::read_link(results.path().join("latest")).unwrap(), Path::new(name));
        }
        let left: Vec<_> =
            std::fs::read_dir(results.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[test]
    fn a_latest_that_is_no_link_is_left_alone_and_named() {
        let results = tempfile::tempdir().unwrap();
        std::fs::create_dir(results.path().join("latest")).unwrap();
        let folder = ResultFolder::create(results.path(), "x", Timestamp::UNIX_EPOCH).unwrap();
        let error = folder.finish(&fixture()).unwrap_err().to_string();
        assert!(error.contains("latest"), "{error}");
        assert!(results.path().join("latest").is_dir());
    }
}
