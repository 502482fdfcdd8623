//! The control groups of one sandbox.
//!
//! Apart from the cage because making them has an order, and what was made must go when the next step fails. Invariant: every
//! directory made here is given to the remover when this is dropped.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::control_file::{naming, open_to_write};
use super::entrance::Entrance;
use super::freezer::Freezer;
use super::parent_group::{ParentGroup, kill_all};
use super::probe::{Backend, Parents};
use super::{Shared, Usage, v1, v2};

/// The directories, and what their files can do.
pub(super) struct Groups {
    made: Made,
    /// Where the kernel lists all of the sandbox's processes, and kills them at once if it can.
    killed_in: Option<PathBuf>,
    quota: Quota,
    usage: UsageFiles,
}

enum Quota {
    None,
    V1(PathBuf),
    V2(PathBuf),
}

enum UsageFiles {
    None,
    V1(v1::UsageFiles),
    V2(v2::UsageFiles),
}

impl Groups {
    /// Makes them, with the memory limit and no quota, and says how they are frozen.
    pub(super) fn make(shared: &Arc<Shared>, id: &str, memory_mb: u32) -> io::Result<(Self, Freezer)> {
        let mut made = Made { groups: Vec::new(), shared: Arc::clone(shared) };
        match &shared.backend.parents {
            Parents::None => {
                let groups = Self { made, killed_in: None, quota: Quota::None, usage: UsageFiles::None };
                Ok((groups, Freezer::Signals))
            }
            Parents::V1 { cpu, cpuacct, memory, unified } => {
                let cpu = made.in_v1(cpu, id)?;
                v1::set_period(&cpu)?;
                let memory = made.in_v1(memory, id)?;
                v1::limit_memory(&memory, memory_mb)?;
                let cpuacct = cpuacct.as_ref().map(|parent| made.in_v1(parent, id)).transpose()?;
                let unified =
                    unified.as_ref().map(|parent| made.group(parent, id, v2::ENTRANCE)).transpose()?;
                let usage = UsageFiles::V1(v1::UsageFiles::open(&cpu, cpuacct.as_deref(), &memory)?);
                let freezer = unified.as_deref().map_or(Ok(Freezer::Signals), Freezer::of_group)?;
                let killed_in = Some(unified.unwrap_or(memory));
                Ok((Self { made, killed_in, quota: Quota::V1(cpu), usage }, freezer))
            }
            Parents::V2 { parent, cpu, memory } => {
                let group = made.group(parent, id, v2::ENTRANCE)?;
                if *memory {
                    v2::limit_memory(&group, memory_mb)?;
                }
                let usage = UsageFiles::V2(v2::UsageFiles::open(&group));
                let freezer = Freezer::of_group(&group)?;
                let quota = if *cpu { Quota::V2(group.clone()) } else { Quota::None };
                Ok((Self { made, killed_in: Some(group), quota, usage }, freezer))
            }
        }
    }

    /// The way in, for one process.
    pub(super) fn entrance(&self) -> Entrance {
        Entrance::new(self.made.groups.iter().map(|(group, entrance)| open_to_write(group, entrance)))
    }

    /// Processor time in a period; `None` for no limit.
    pub(super) fn set_quota(&self, quota_us: Option<u32>) -> io::Result<()> {
        match &self.quota {
            Quota::None => Ok(()),
            Quota::V1(group) => v1::set_quota(group, quota_us),
            Quota::V2(group) => v2::set_quota(group, quota_us),
        }
    }

    /// What the kernel counted; all `None` without groups.
    pub(super) fn usage(&self) -> Usage {
        match &self.usage {
            UsageFiles::None => Usage::default(),
            UsageFiles::V1(files) => files.usage(),
            UsageFiles::V2(files) => files.usage(),
        }
    }

    /// Whether every process of the sandbox is in them.
    pub(super) fn hold_processes(&self) -> bool {
        self.killed_in.is_some()
    }

    /// Kills every process in them.
    pub(super) fn kill(&self) {
        if let Some(group) = &self.killed_in {
            kill_all(group);
        }
    }

    /// The most memory charged to them at once, in MB, where the kernel tells it.
    pub(super) fn peak_memory_mb(&self) -> Option<f64> {
        match &self.usage {
            UsageFiles::None => None,
            UsageFiles::V1(files) => files.peak_memory_mb(),
            UsageFiles::V2(files) => files.peak_memory_mb(),
        }
    }
}

/// Directories made, each with the file that is written to enter; removed when dropped.
struct Made {
    groups: Vec<(PathBuf, &'static str)>,
    shared: Arc<Shared>,
}

impl Made {
    fn in_v1(&mut self, parent: &ParentGroup, id: &str) -> io::Result<PathBuf> {
        self.group(parent, id, v1::ENTRANCE)
    }

    /// The group `id` in `parent`, made unless controllers that share a hierarchy made it before.
    fn group(&mut self, parent: &ParentGroup, id: &str, entrance: &'static str) -> io::Result<PathBuf> {
        let group = parent.path().join(id);
        if !self.groups.iter().any(|(made, _)| *made == group) {
            fs::create_dir(&group).map_err(|error| naming(&group, &error))?;
            self.groups.push((group.clone(), entrance));
        }
        Ok(group)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let groups: Vec<PathBuf> = self.groups.drain(..).map(|(group, _)| group).collect();
        if let Backend { remover: Some(remover), .. } = &self.shared.backend
            && !groups.is_empty()
        {
            remover.remove(groups);
        }
    }
}

/// Whether `id` can name a directory beside the kernel's own files.
pub(super) fn is_name(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
