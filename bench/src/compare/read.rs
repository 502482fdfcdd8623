//! Reading a run to be compared.
//!
//! Apart from the run file because a comparison needs more of it than a table does. Invariant: what is handed on has values by round.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::compare::error::CompareError;
use crate::run_file::{RunFile, RunFileError};

/// The first version whose runs keep their values by round.
const BY_ROUND_SINCE: u64 = 4;

/// The one key that every version has.
#[derive(Deserialize)]
struct Versioned {
    schema_version: u64,
}

/// The run at `path`, a run file or the folder it is in; and the file's path.
///
/// # Errors
/// If it cannot be read, or has no values by round.
pub fn read(path: &Path) -> Result<(RunFile, PathBuf), CompareError> {
    let path = run_file(path);
    let run = RunFile::load(&path)?;
    if run.variants.iter().any(|variant| !variant.per_round.is_empty()) {
        return Ok((run, path));
    }
    match written_version(&path)? {
        version if version < BY_ROUND_SINCE => Err(CompareError::Older { path, version }),
        _ => Err(CompareError::NoRounds { path }),
    }
}

/// `path` itself, or the `run.json` in it.
pub fn run_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("run.json") } else { path.to_owned() }
}

/// The version in the file, which loading has raised to today's.
fn written_version(path: &Path) -> Result<u64, CompareError> {
    let unreadable = |source| RunFileError::Unreadable { path: path.to_owned(), source };
    let malformed = |source| RunFileError::Malformed { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let versioned: Versioned = serde_json::from_str(&text).map_err(malformed)?;
    Ok(versioned.schema_version)
}
