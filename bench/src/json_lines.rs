//! Files with one JSON value a line, such as `invocations.jsonl`.
//!
//! Apart because several readers of a run's folder need the same care. Invariant: every line that is not empty is handed over, or
//! named with its number.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a file of a run cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JsonLinesError {
    /// The file itself.
    #[error("{path}: {source}; name the folder of a run, such as bench/results/latest")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line that is not what a run leaves there.
    #[error("{path}, line {line}: {source}; measure again, or remove the line")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
}

/// Hands every line of the file at `path` to `take`, with its number from 1; tells whether there is such a file.
///
/// # Errors
/// If it cannot be read, a line is not a `Line`, or `take` refuses one.
pub fn each_line<Line: DeserializeOwned, Error: From<JsonLinesError>>(
    path: &Path,
    mut take: impl FnMut(usize, Line) -> Result<(), Error>,
) -> Result<bool, Error> {
    let unreadable = |source| JsonLinesError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(false);
        }
        opened => opened.map_err(unreadable)?,
    };
    // Bytes, not text: what is no UTF-8 is a malformed line like any other.
    for (line, bytes) in (1..).zip(BufReader::new(file).split(b'\n')) {
        let bytes = bytes.map_err(unreadable)?;
        if !bytes.trim_ascii().is_empty() {
            let malformed = |source| JsonLinesError::Malformed { path: path.to_owned(), line, source };
            take(line, serde_json::from_slice(&bytes).map_err(malformed)?)?;
        }
    }
    Ok(true)
}
