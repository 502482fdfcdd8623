//! How many bytes a function's package has.
//!
//! Apart from the build because the package is weighed the same way for every variant, whatever built it. Invariant: the archive
//! is the one `cargo lambda build --output-format zip` makes: one file `bootstrap`, deflated at the default level.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A package that could not be weighed.
#[derive(Debug, thiserror::Error)]
#[error("cannot weigh the package of {path}: {source}")]
pub struct PackageError {
    /// The program's file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// Size of the zip that would be uploaded for the program at `path`, in bytes.
///
/// # Errors
/// Names the file that cannot be read.
pub fn zipped_bytes(path: &Path) -> Result<u64, PackageError> {
    let failed = |source| PackageError { path: path.to_owned(), source };
    let program = std::fs::read(path).map_err(failed)?;
    let archive = archive_of(&program).map_err(|error| failed(error.into()))?;
    Ok(archive.len() as u64)
}

fn archive_of(program: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o755);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options)?;
    writer.write_all(program)?;
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_archive_holds_the_program_deflated_as_bootstrap() {
        let program = b"the same words again and again ".repeat(1000);
        let archive = archive_of(&program).unwrap();
        assert!(archive.len() < program.len() / 10, "{} bytes", archive.len());
        let mut opened = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
        let mut file = opened.by_name("bootstrap").unwrap();
        let mut unpacked = Vec::new();
        file.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, program);
        assert_eq!(file.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    }

    #[test]
    fn an_unreadable_program_is_named() {
        let error = zipped_bytes(Path::new("/nowhere/bootstrap")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/bootstrap"), "{error}");
    }
}
