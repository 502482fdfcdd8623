//! What can go wrong with a server, in words that say what to do next.
//!
//! Apart because all servers share it. Invariant: no message ever holds a password.

use std::io;
use std::path::PathBuf;

use crate::certificates::CertificateError;

/// Why a server could not be started, asked or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A program is not installed.
    #[error(
        "`{program}` was not found on this machine: run `scripts/setup`, or install it yourself ({install})"
    )]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The packages that hold it, by system.
        install: &'static str,
    },
    /// We are root, the servers must not be, and there is no other user to run them.
    #[error(
        "the servers do not run as root, and this machine has neither the user `postgres` nor `nobody`: create one"
    )]
    NoUser,
    /// The unprivileged user cannot reach the run folder.
    #[error(
        "the servers run as the user `{user}`, which may not enter {}: set TMPDIR to a folder that every user may enter, such as /tmp",
        folder.display()
    )]
    ClosedFolder {
        /// The user the servers run as.
        user: String,
        /// The folder above the run folder that is closed to it.
        folder: PathBuf,
    },
    /// Unix socket addresses are short.
    #[error("{} has {} bytes and a Unix socket's path at most {limit}: set TMPDIR to a shorter folder", path.display(), path.as_os_str().len())]
    LongSocketPath {
        /// The socket's path.
        path: PathBuf,
        /// The system's limit in bytes.
        limit: usize,
    },
    /// A file or folder of the run folder could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A server ended by itself.
    #[error("{name} ended by itself ({status}); the end of its log:\n{log}")]
    Ended {
        /// The server.
        name: String,
        /// Its exit status.
        status: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server found its port taken by another program, which took it after we had found it free.
    #[error("{name} found its port taken by another program: start again; the end of its log:\n{log}")]
    PortTaken {
        /// The server.
        name: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server runs but does not answer.
    #[error("{name} was not ready after {limit_s} s: {cause}; the end of its log:\n{log}")]
    NotReady {
        /// The server.
        name: String,
        /// How long we waited, in seconds.
        limit_s: u64,
        /// What the last attempt to reach it said.
        cause: String,
        /// The last lines of its log.
        log: String,
    },
    /// A server did not end when told to.
    #[error("{name} did not end within {grace_s} s of its signal and was killed")]
    Killed {
        /// The server.
        name: String,
        /// How long we waited, in seconds.
        grace_s: u64,
    },
    /// A client program failed.
    #[error("`{program}` failed ({status}): {message}")]
    Tool {
        /// The client program.
        program: String,
        /// Its exit status, or the time limit it exceeded.
        status: String,
        /// What it printed.
        message: String,
    },
    /// A server answered what we cannot read.
    #[error("cannot read `{what}` from the answer of {name}: {answer:?}")]
    Answer {
        /// The server or program.
        name: String,
        /// What we looked for.
        what: &'static str,
        /// What came.
        answer: String,
    },
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl ServiceError {
    /// Whether a new start with other ports may succeed.
    pub(crate) fn is_port_taken(&self) -> bool {
        matches!(self, Self::PortTaken { .. })
    }

    /// For `map_err`: names the file and what was tried with it.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
