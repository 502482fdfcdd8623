//! Which control group hierarchies are mounted here, and where this process stands in them.
//!
//! Apart because it is text of `/proc` and nothing else. Invariant: it only reads.
//!
//! Formats: <https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html>, <https://man7.org/linux/man-pages/man7/cgroups.7.html>.

use std::fs;
use std::path::{Path, PathBuf};

/// What is mounted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Hierarchies {
    /// Version 2's, of which there is one.
    pub(super) v2: Option<V2>,
    /// Version 1's, each with the controllers it has.
    pub(super) v1: Vec<V1>,
}

/// Version 2's hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct V2 {
    /// Where it is mounted.
    pub(super) mount: PathBuf,
    /// The folder of the group this process is in.
    pub(super) own: PathBuf,
}

/// One of version 1's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct V1 {
    /// Where it is mounted.
    pub(super) mount: PathBuf,
    controllers: Vec<String>,
}

impl Hierarchies {
    /// Reads this process's files in `/proc`; empty where there are none.
    pub(super) fn find() -> Self {
        let read = |name| fs::read_to_string(Path::new("/proc/self").join(name)).unwrap_or_default();
        Self::parse(&read("mountinfo"), &read("cgroup"))
    }

    /// Where version 1's `controller` is mounted.
    pub(super) fn v1_mount(&self, controller: &str) -> Option<&Path> {
        let has = |tree: &&V1| tree.controllers.iter().any(|name| name == controller);
        self.v1.iter().find(has).map(|tree| tree.mount.as_path())
    }

    fn parse(mountinfo: &str, cgroup: &str) -> Self {
        let own = cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
        let mut found = Self::default();
        for line in mountinfo.lines() {
            let Some((front, back)) = line.split_once(" - ") else { continue };
            let mut front = front.split(' ').skip(3);
            let (Some(root), Some(mount)) = (front.next(), front.next()) else { continue };
            let mut back = back.split(' ');
            let (kind, options) = (back.next(), back.nth(1).unwrap_or_default());
            let mount = PathBuf::from(mount);
            match kind {
                // Mounted twice: the first is the one the system uses.
                Some("cgroup2") if found.v2.is_none() => {
                    let own = mount.join(below(root, own));
                    found.v2 = Some(V2 { mount, own });
                }
                Some("cgroup") => {
                    let controllers = options.split(',').map(str::to_owned).collect();
                    found.v1.push(V1 { mount, controllers });
                }
                _ => {}
            }
        }
        found
    }
}

/// The group `own` as seen from a mount of `root`; the mount itself where it does not show that group.
fn below<'a>(root: &str, own: &'a str) -> &'a str {
    let path = if root == "/" { Some(own) } else { own.strip_prefix(root) };
    path.map(|path| path.trim_start_matches('/')).filter(|path| !path.starts_with("..")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hybrid_system() {
        let mountinfo = "\
25 22 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
26 25 0:22 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
27 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
28 25 0:24 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
";
        let found = Hierarchies::parse(mountinfo, "4:memory:/x\n0::/\n");
        assert_eq!(found.v1_mount("cpu"), Some(Path::new("/sys/fs/cgroup/cpu,cpuacct")));
        assert_eq!(found.v1_mount("cpuacct"), found.v1_mount("cpu"));
        assert_eq!(found.v1_mount("memory"), Some(Path::new("/sys/fs/cgroup/memory")));
        assert_eq!(found.v1_mount("pids"), None);
        let unified = PathBuf::from("/sys/fs/cgroup/unified");
        assert_eq!(found.v2, Some(V2 { mount: unified.clone(), own: unified }));
    }

    #[test]
    fn a_users_session() {
        let mountinfo = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let cgroup = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n";
        let own = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope";
        assert_eq!(Hierarchies::parse(mountinfo, cgroup).v2.map(|v2| v2.own), Some(PathBuf::from(own)));
    }

    #[test]
    fn a_container_that_sees_only_its_own_part() {
        let mountinfo = "30 23 0:26 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
        let own = |cgroup| Hierarchies::parse(mountinfo, cgroup).v2.map(|v2| v2.own);
        assert_eq!(own("0::/docker/ab/leaf\n"), Some(PathBuf::from("/sys/fs/cgroup/leaf")));
        assert_eq!(own("0::/elsewhere\n"), Some(PathBuf::from("/sys/fs/cgroup/")));
    }

    #[test]
    fn a_system_without() {
        assert_eq!(Hierarchies::parse("", ""), Hierarchies::default());
    }
}
