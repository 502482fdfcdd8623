//! Whom the servers run as, and the folders and files that belong to them.
//!
//! Apart because PostgreSQL and PgBouncer refuse to run as root, and a lab in a container often is root. Invariant: when we
//! are root, no server is; when we are not, nothing here changes an owner.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{User, geteuid};

use super::error::ServiceError;

/// Users that may run the servers in place of root, the best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Whom the servers run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUser {
    /// Set only when we are root: who takes our place.
    substitute: Option<Substitute>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Substitute {
    name: String,
    uid: u32,
    gid: u32,
}

impl ServiceUser {
    /// Ourselves, or, when we are root, the first unprivileged user there is.
    pub(crate) fn find() -> Result<Self, ServiceError> {
        if !geteuid().is_root() {
            return Ok(Self { substitute: None });
        }
        let user = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = user.ok_or(ServiceError::NoUser)?;
        let substitute = Substitute { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() };
        Ok(Self { substitute: Some(substitute) })
    }

    /// Makes `command` run as this user; its supplementary groups go with the uid.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Some(user) = &self.substitute {
            command.uid(user.uid).gid(user.gid);
        }
    }

    /// Refuses a run folder that this user cannot reach, such as one below root's home.
    pub(crate) fn require_way_to(&self, run_dir: &Path) -> Result<(), ServiceError> {
        let Some(user) = &self.substitute else {
            return Ok(());
        };
        for folder in run_dir.ancestors() {
            let metadata = fs::metadata(folder).map_err(ServiceError::file("read", folder))?;
            let bit = if metadata.uid() == user.uid {
                0o100
            } else if metadata.gid() == user.gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & bit == 0 {
                return Err(ServiceError::ClosedFolder {
                    user: user.name.clone(),
                    folder: folder.to_path_buf(),
                });
            }
        }
        Ok(())
    }

    /// Makes a folder that only this user (and root) may enter; one left by an earlier attempt is replaced.
    pub(crate) fn new_folder(&self, path: PathBuf) -> Result<PathBuf, ServiceError> {
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ServiceError::file("empty", path)(error));
            }
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(ServiceError::file("create", &path))?;
        self.give(&path)?;
        Ok(path)
    }

    /// Writes a file, mode 0600, that belongs to this user.
    pub(crate) fn write_file(&self, path: &Path, text: &str) -> Result<(), ServiceError> {
        let failed = |source| ServiceError::File { action: "write", path: path.to_path_buf(), source };
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        self.give(path)
    }

    /// Hands a file or folder over to this user.
    pub(crate) fn give(&self, path: &Path) -> Result<(), ServiceError> {
        let Some(user) = &self.substitute else {
            return Ok(());
        };
        chown(path, Some(user.uid), Some(user.gid)).map_err(ServiceError::file("hand over", path))
    }
}
