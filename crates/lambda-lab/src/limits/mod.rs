//! A sandbox's limits: its share of a processor, its memory, and standing still between invocations.
//!
//! Apart because only this depends on what the operating system can enforce. Three backends, found at start: control groups
//! version 2, version 1 (with version 2's freezer where it is mounted beside), and none, where stop signals freeze and nothing
//! else is enforced. Invariant: what is not enforced is said in `Limits::not_emulated`, never passed over.
//!
//! Facts: the share is memory / 1,769 MB of a processor (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>);
//! Lambda's own supervisor starts a sandbox unthrottled, throttles it from its first thaw, and reads processor time and peak memory
//! of its group at each freeze (`CgroupProfiles`, `CycleDeltaMetrics` in
//! <https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/supervisor/model/model.go>).

mod cage;
mod control_file;
mod entrance;
mod freezer;
mod groups;
mod hierarchies;
mod parent_group;
mod probe;
mod process_tree;
mod processes;
mod remover;
mod share;
mod v1;
mod v2;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(crate) use cage::Cage;
pub(crate) use entrance::Entrance;
use probe::Backend;

/// Which backend is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// The best one this machine has.
    #[default]
    Auto,
    /// Control groups, version 2, with both the `cpu` and the `memory` controller.
    V2,
    /// Control groups, version 1, with both the `cpu` and the `memory` controller.
    V1,
    /// No limits; sandboxes are frozen by stop signals.
    None,
}

impl FromStr for Wanted {
    type Err = LimitsError;

    fn from_str(name: &str) -> Result<Self, LimitsError> {
        match name {
            "auto" => Ok(Self::Auto),
            "cgroup-v2" => Ok(Self::V2),
            "cgroup-v1" => Ok(Self::V1),
            "none" => Ok(Self::None),
            _ => Err(LimitsError::UnknownName { name: name.to_owned() }),
        }
    }
}

/// Why a wanted backend cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// Not the name of a backend.
    #[error("no limits are called `{name}`: choose auto, cgroup-v2, cgroup-v1 or none")]
    UnknownName {
        /// As it was given.
        name: String,
    },
    /// A backend that was named is not to be had here.
    #[error("limits `{name}` cannot be had here: {reason}; `auto` takes what this machine has")]
    Unavailable {
        /// The backend's name.
        name: &'static str,
        /// What is missing, and how to get it.
        reason: String,
    },
    /// The thread that removes groups could not be started.
    #[error("cannot start the thread that removes control groups: {0}")]
    Thread(#[from] io::Error),
}

/// The backend found at start. Clones share it; when the last clone and the last [`Cage`] are gone, so are its groups.
#[derive(Clone)]
pub(crate) struct Limits {
    shared: Arc<Shared>,
}

struct Shared {
    backend: Backend,
    /// Memory sizes in MB that were caged and whose share is more than this machine has.
    too_large: Mutex<BTreeSet<u32>>,
}

impl Limits {
    /// Finds the backend, and removes the groups of labs that were killed. `Auto` falls back to no limits; call it before any
    /// other process is started, because under version 2 this process may have to move to a group of its own.
    ///
    /// # Errors
    /// When a backend that was named cannot be had: what is missing.
    pub(crate) fn probe(wanted: Wanted) -> Result<Self, LimitsError> {
        let backend = probe::find(wanted)?;
        Ok(Self { shared: Arc::new(Shared { backend, too_large: Mutex::default() }) })
    }

    /// The backend in words, for reports.
    pub(crate) fn name(&self) -> &'static str {
        self.shared.backend.name
    }

    /// What Lambda does and this machine does not, a sentence each; empty where all is enforced.
    pub(crate) fn not_emulated(&self) -> Vec<String> {
        let processors = share::host_processors();
        let too_large = self.shared.too_large.lock().unwrap_or_else(PoisonError::into_inner);
        let unreachable = too_large.iter().map(|&memory_mb| {
            let vcpus = share::vcpus(memory_mb);
            format!("{vcpus:.2} vCPUs for {memory_mb} MB: this machine has {processors} processors")
        });
        self.shared.backend.not_emulated.iter().cloned().chain(unreachable).collect()
    }

    /// Makes the cage of one sandbox, not frozen and at full speed. `id` names it among the lab's; letters, digits and `-`.
    ///
    /// # Errors
    /// When `id` is not such a name or is in use, or a group cannot be made.
    pub(crate) fn cage(&self, id: &str, memory_mb: u32) -> io::Result<Cage> {
        if share::vcpus(memory_mb) > f64::from(share::host_processors()) {
            self.shared.too_large.lock().unwrap_or_else(PoisonError::into_inner).insert(memory_mb);
        }
        Cage::new(&self.shared, id, memory_mb)
    }
}

/// What the kernel counted for a sandbox since it was made. A number that cannot be read is `None`, never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Processor time used.
    pub(crate) cpu: Option<Duration>,
    /// Time that its processors were held back by its share, summed over processors.
    pub(crate) throttled: Option<Duration>,
    /// Times the kernel killed in it because its memory was full.
    pub(crate) oom_kills: Option<u64>,
}
