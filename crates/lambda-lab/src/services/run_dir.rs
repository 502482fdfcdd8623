//! The private folder of one lab, and the cleaning up after labs that were killed.
//!
//! Apart from the servers because everything the lab writes lives in it. A lab killed by SIGKILL cannot remove its folder,
//! so the next one does. Invariant: only folders that belong to us and whose lab is dead are ever touched; a folder's owner
//! decides, because anyone may make a folder of any name in a shared temp dir.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process;

use nix::unistd::geteuid;

use super::pid_file::ProcessMark;

/// What every run folder's name begins with; the lab's pid and something random follow.
const PREFIX: &str = "lambda-lab-";
/// The file that says whose folder it is.
const LAB_PID: &str = "lab.pid";

/// Why the run folder could not be made or removed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source} (the lab's folders live in the system's temp dir; set TMPDIR to use another)", path.display())]
pub struct RunDirError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The private folder of one lab, below the system's temp dir; removed on [`RunDir::remove`] and on drop.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Cleans up after dead labs (their folders, and the processes that `<name>.pid` files there record), then makes a folder
    /// `lambda-lab-<pid>-<random>`, mode 0711: others may pass through it to what is theirs, and not look around.
    ///
    /// Blocks; when a dead lab's server does not end by itself, for up to four seconds each.
    ///
    /// # Errors
    /// [`RunDirError`] when the temp dir cannot be written. Leftovers that cannot be removed are left.
    pub fn create() -> Result<Self, RunDirError> {
        Self::create_in(&std::env::temp_dir())
    }

    /// As [`RunDir::create`], below another folder than the system's temp dir.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn create_in(parent: &Path) -> Result<Self, RunDirError> {
        clean_up(parent);
        let parent = parent.canonicalize().map_err(failed("find", parent))?;
        let random = uuid::Uuid::new_v4().simple().to_string();
        let path = parent.join(format!("{PREFIX}{}-{}", process::id(), &random[..8]));
        DirBuilder::new().mode(0o711).create(&path).map_err(failed("create", &path))?;
        // From here on, an early return drops `run_dir` and so removes the folder.
        let run_dir = Self { path };
        let path = run_dir.path();
        fs::set_permissions(path, Permissions::from_mode(0o711)).map_err(failed("open", path))?;
        let mark = ProcessMark::of(process::id())
            .ok_or_else(|| io::Error::other("the system does not tell this process' start time"));
        let pid_path = path.join(LAB_PID);
        mark.and_then(|mark| mark.write(&pid_path)).map_err(failed("write", &pid_path))?;
        Ok(run_dir)
    }

    /// Where it is; absolute, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder and all it holds. Stop the servers first.
    ///
    /// # Errors
    /// [`RunDirError`] when something in it cannot be removed.
    pub fn remove(self) -> Result<(), RunDirError> {
        fs::remove_dir_all(&self.path).map_err(failed("remove", &self.path))
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // After `remove` there is nothing left; otherwise nobody is there to be told.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn failed(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> RunDirError {
    let path = path.into();
    move |source| RunDirError { action, path, source }
}

/// Removes what dead labs left below `parent`.
fn clean_up(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for folder in entries.flatten().map(|entry| entry.path()) {
        if is_left_over(&folder) {
            for mark in recorded_processes(&folder) {
                mark.end();
            }
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

/// Whether `folder` is a run folder of ours whose lab is dead.
fn is_left_over(folder: &Path) -> bool {
    let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let Some(pid) = rest.split('-').next().and_then(|pid| pid.parse::<u32>().ok()) else {
        return false;
    };
    let ours = fs::symlink_metadata(folder)
        .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == geteuid().as_raw());
    let alive = match ProcessMark::read(&folder.join(LAB_PID)) {
        Some(mark) => mark.is_alive(),
        // Killed, or still working, between making the folder and writing the file: the name knows the pid too.
        None => ProcessMark::of(pid).is_some(),
    };
    ours && !alive
}

/// The marks in all `<name>.pid` files of a dead lab.
fn recorded_processes(folder: &Path) -> Vec<ProcessMark> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let files = entries.flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "pid"))
        .filter_map(|p| ProcessMark::read(&p))
        .collect()
}
