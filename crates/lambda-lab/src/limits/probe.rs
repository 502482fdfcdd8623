//! Which backend this machine can give.
//!
//! Apart because it is asked once and has most of the reasons why not. Invariant: a backend is taken only after its groups were made:
//! being mounted says nothing about being allowed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::control_file::write;
use super::hierarchies::{Hierarchies, V2};
use super::parent_group::ParentGroup;
use super::remover::Remover;
use super::{LimitsError, Wanted};

/// The group this process goes to when it makes groups beside itself: version 2 allows processes only in a group without
/// controlled ones below (<https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint>).
const OWN_LEAF: &str = "lambda-lab-itself";

/// What was found.
pub(super) struct Backend {
    pub(super) name: &'static str,
    pub(super) not_emulated: Vec<String>,
    /// Ends before the parents are removed.
    pub(super) remover: Option<Remover>,
    pub(super) parents: Parents,
}

/// Where sandboxes' groups are made.
pub(super) enum Parents {
    /// Nowhere.
    None,
    /// In each of these hierarchies of version 1; controllers that are mounted together share one.
    V1 {
        cpu: Arc<ParentGroup>,
        cpuacct: Option<Arc<ParentGroup>>,
        memory: Arc<ParentGroup>,
        /// Version 2's, for its freezer.
        unified: Option<Arc<ParentGroup>>,
    },
    /// In version 2's hierarchy, with these controllers.
    V2 { parent: ParentGroup, cpu: bool, memory: bool },
}

/// Finds what is wanted.
pub(super) fn find(wanted: Wanted) -> Result<Backend, LimitsError> {
    let hierarchies = Hierarchies::find();
    let unavailable = |name| move |reason| LimitsError::Unavailable { name, reason };
    match wanted {
        Wanted::None => Ok(without("limits are switched off")),
        Wanted::V1 => v1(&hierarchies).map_err(unavailable("cgroup-v1")),
        Wanted::V2 => whole_v2(&hierarchies).map_err(unavailable("cgroup-v2")),
        Wanted::Auto => Ok(best(&hierarchies)),
    }
    .and_then(with_remover)
}

/// Version 2, else version 1, else what version 2 can do without controllers, else nothing.
fn best(hierarchies: &Hierarchies) -> Backend {
    let no_v2 = match whole_v2(hierarchies) {
        Ok(backend) => return backend,
        Err(reason) => reason,
    };
    let no_v1 = match v1(hierarchies) {
        Ok(backend) => return backend,
        Err(reason) => reason,
    };
    v2(hierarchies).unwrap_or_else(|_| without(&format!("cgroup-v2: {no_v2}; cgroup-v1: {no_v1}")))
}

fn with_remover(mut backend: Backend) -> Result<Backend, LimitsError> {
    if !matches!(backend.parents, Parents::None) {
        backend.remover = Some(Remover::start()?);
    }
    Ok(backend)
}

fn without(reason: &str) -> Backend {
    let not_emulated = vec![
        format!("the CPU share of a memory size ({reason})"),
        "the memory limit; Max Memory Used is the sum of the programs' own peaks".to_owned(),
        "throttled time".to_owned(),
        "freezing of processes that left their program's process group".to_owned(),
    ];
    Backend { name: "none", not_emulated, remover: None, parents: Parents::None }
}

fn v1(hierarchies: &Hierarchies) -> Result<Backend, String> {
    let mount = |controller| hierarchies.v1_mount(controller);
    let needed =
        |controller| mount(controller).ok_or_else(|| format!("its {controller} controller is not mounted"));
    let (cpu_mount, memory_mount) = (needed("cpu")?, needed("memory")?);
    let cpu = in_v1(cpu_mount)?;
    let beside = |path: &Path| if path == cpu_mount { Ok(Arc::clone(&cpu)) } else { in_v1(path) };
    let memory = beside(memory_mount)?;
    let cpuacct = mount("cpuacct").map(beside).transpose()?;
    // Without it sandboxes are frozen by signals.
    let unified = hierarchies.v2.as_ref().and_then(|v2| in_v1(&v2.mount).ok());
    let mut not_emulated = Vec::new();
    if unified.is_none() {
        not_emulated.push("freezing of processes that left their program's process group".to_owned());
    }
    let name =
        if unified.is_some() { "cgroup v1 with the v2 freezer" } else { "cgroup v1 with stop signals" };
    Ok(Backend { name, not_emulated, remover: None, parents: Parents::V1 { cpu, cpuacct, memory, unified } })
}

fn in_v1(mount: &Path) -> Result<Arc<ParentGroup>, String> {
    ParentGroup::create(mount)
        .map(Arc::new)
        .map_err(|error| format!("cannot make a group: {error}; run as root"))
}

fn whole_v2(hierarchies: &Hierarchies) -> Result<Backend, String> {
    let backend = v2(hierarchies)?;
    match &backend.parents {
        Parents::V2 { cpu: true, memory: true, .. } => Ok(backend),
        _ => Err(backend.not_emulated.join("; ")),
    }
}

fn v2(hierarchies: &Hierarchies) -> Result<Backend, String> {
    let tree = hierarchies.v2.as_ref().ok_or("it is not mounted")?;
    let base = base_for_groups(tree);
    let parent = ParentGroup::create(&base).map_err(|error| {
        format!("cannot make a group: {error}; run as root, or as `systemd-run --user --scope -p Delegate=yes ...`")
    })?;
    let mut missing = Vec::new();
    let mut has = |controller, what: &str| match enable(tree, &base, &parent, controller) {
        Ok(()) => true,
        Err(reason) => {
            missing.push(format!("{what} (the {controller} controller: {reason})"));
            false
        }
    };
    let cpu = has("cpu", "the CPU share of a memory size");
    let memory = has("memory", "the memory limit");
    let name = match (cpu, memory) {
        (true, true) => "cgroup v2",
        (true, false) => "cgroup v2 without its memory controller",
        (false, true) => "cgroup v2 without its cpu controller",
        (false, false) => "cgroup v2 without controllers",
    };
    Ok(Backend { name, not_emulated: missing, remover: None, parents: Parents::V2 { parent, cpu, memory } })
}

/// The group to make ours in: the one we are in where it was given to us, else the topmost.
fn base_for_groups(tree: &V2) -> PathBuf {
    let own = if tree.own.ends_with(OWN_LEAF) { tree.own.parent().unwrap_or(&tree.mount) } else { &tree.own };
    let is_root = nix::unistd::Uid::effective().is_root();
    if is_root { tree.mount.clone() } else { own.to_path_buf() }
}

/// Makes `controller` available to sandboxes' groups, from the topmost group on as far as we may.
fn enable(tree: &V2, base: &Path, parent: &ParentGroup, controller: &str) -> Result<(), String> {
    if !lists(base, "cgroup.controllers", controller) {
        return Err(format!("not available in {}", base.display()));
    }
    if !lists(base, "cgroup.subtree_control", controller) {
        let order = format!("+{controller}");
        write(base, "cgroup.subtree_control", &order)
            .or_else(|_| {
                move_to_leaf(tree, base).and_then(|()| write(base, "cgroup.subtree_control", &order))
            })
            .map_err(|error| error.to_string())?;
    }
    write(parent.path(), "cgroup.subtree_control", &format!("+{controller}"))
        .map_err(|error| error.to_string())
}

/// Moves this process out of `base` into a leaf of its own, if it is there.
fn move_to_leaf(tree: &V2, base: &Path) -> io::Result<()> {
    if tree.own != base {
        return Ok(());
    }
    let leaf = base.join(OWN_LEAF);
    match fs::create_dir(&leaf) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => write(&leaf, "cgroup.procs", &std::process::id().to_string()),
    }
}

fn lists(group: &Path, file: &str, controller: &str) -> bool {
    let text = fs::read_to_string(group.join(file)).unwrap_or_default();
    text.split_ascii_whitespace().any(|name| name == controller)
}
