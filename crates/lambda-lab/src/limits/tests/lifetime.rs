//! What becomes of processes and groups: nothing is left, whoever dies and however.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use super::super::parent_group::ParentGroup;
use super::*;

/// A child that left its group, and an orphan that left it too; their numbers in files.
const RUNAWAYS: &str = "
    setsid sh -c 'echo $$ > child; exec sleep 1000' &
    sh -c 'setsid sh -c \"echo \\$\\$ > orphan; exec sleep 1000\" &'
    wait";

/// Where the sandboxes of these limits have their groups.
fn parents(limits: &Limits) -> Vec<PathBuf> {
    let path = |parent: &ParentGroup| parent.path().to_path_buf();
    match &limits.shared.backend.parents {
        Parents::None => Vec::new(),
        Parents::V1 { cpu, cpuacct, memory, unified } => {
            [Some(cpu), cpuacct.as_ref(), Some(memory), unified.as_ref()]
                .into_iter()
                .flatten()
                .map(|parent| path(parent))
                .collect()
        }
        Parents::V2 { parent, .. } => vec![path(parent)],
    }
}

fn groups_in(parent: &Path) -> usize {
    std::fs::read_dir(parent).unwrap().flatten().filter(|entry| entry.path().is_dir()).count()
}

#[tokio::test]
async fn a_frozen_sandbox_can_be_killed_and_used_again() {
    for limits in backends() {
        let mut sandbox = Sandbox::start(&limits, 128, "sleep 1000");
        sandbox.cage.freeze().unwrap();
        sandbox.cage.kill();
        let ended = tokio::time::timeout(PATIENCE, sandbox.child.wait()).await.unwrap().unwrap();
        assert!(!ended.success(), "{}", limits.name());
        sandbox.cage.thaw().unwrap();
        let mut again = spawn(&sandbox.cage, "exit 7", sandbox.dir.path(), "again");
        let ended = tokio::time::timeout(PATIENCE, again.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(7), "{}", limits.name());
    }
}

#[tokio::test]
async fn processes_that_left_their_group_die_with_the_cage() {
    for limits in backends() {
        for frozen in [false, true] {
            let sandbox = Sandbox::start(&limits, 128, RUNAWAYS);
            let pids =
                [sandbox.pid(), number(&sandbox.file("child")).await, number(&sandbox.file("orphan")).await];
            assert!(pids.iter().all(|&pid| runs(pid)));
            if frozen {
                sandbox.cage.freeze().unwrap();
            }
            drop(sandbox.cage);
            let what = format!("the end of {pids:?} ({}, frozen: {frozen})", limits.name());
            until(&what, || !pids.iter().any(|&pid| runs(pid))).await;
        }
    }
}

#[tokio::test]
async fn one_sandboxs_end_leaves_the_others_alone() {
    for limits in backends() {
        let one = Sandbox::start(&limits, 128, RUNAWAYS);
        let other = Sandbox::start(&limits, 128, RUNAWAYS);
        let pids = [other.pid(), number(&other.file("child")).await, number(&other.file("orphan")).await];
        let gone = number(&one.file("orphan")).await;
        drop(one.cage);
        until("the end of the one", || !runs(gone)).await;
        assert!(pids.iter().all(|&pid| runs(pid)), "{}", limits.name());
    }
}

#[tokio::test]
async fn groups_go_with_their_cage_even_right_after_their_processes() {
    for limits in enforcing() {
        let parents = parents(&limits);
        for _ in 0..20 {
            // The shell makes a group of its own in the cage when it may: that goes too.
            let sandbox = Sandbox::start(&limits, 128, "while :; do :; done & wait");
            let parent = parents.last().unwrap();
            let own = std::fs::read_dir(parent)
                .unwrap()
                .flatten()
                .find(|entry| entry.path().is_dir())
                .unwrap()
                .path();
            std::fs::create_dir(own.join("inner")).unwrap();
            drop(sandbox.cage);
            until("the groups' removal", || parents.iter().all(|parent| groups_in(parent) == 0)).await;
        }
        drop(limits);
        assert!(parents.iter().all(|parent| !parent.exists()), "{parents:?}");
    }
}

#[tokio::test]
async fn a_cage_may_be_dropped_on_any_thread_and_after_its_limits() {
    for limits in enforcing() {
        let parents = parents(&limits);
        let cages: Vec<Cage> = (0..50).map(|id| limits.cage(&format!("cage-{id}"), 128).unwrap()).collect();
        drop(limits);
        let threads = cages.into_iter().map(|cage| std::thread::spawn(move || drop(cage)));
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
        assert!(parents.iter().all(|parent| !parent.exists()), "{parents:?}");
    }
}

/// Not a test: the lab that `a_killed_lab` kills. Freezes a sandbox, says which processes it has, and waits for its end.
#[tokio::test]
#[ignore = "run by the test that kills it"]
async fn doomed_lab() {
    let Ok(wanted) = std::env::var("DOOMED_LAB_LIMITS") else { return };
    let limits = Limits::probe(wanted.parse().unwrap()).unwrap();
    let sandbox = Sandbox::start(&limits, 128, RUNAWAYS);
    let (child, orphan) = (number(&sandbox.file("child")).await, number(&sandbox.file("orphan")).await);
    sandbox.cage.freeze().unwrap();
    println!("\ndoomed: {} {child} {orphan}", sandbox.pid());
    for parent in parents(&limits) {
        println!("parent: {}", parent.display());
    }
    println!("ready");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_lab_leaves_no_frozen_process_and_the_next_removes_its_groups() {
    for wanted in ["cgroup-v2", "cgroup-v1", "none"] {
        if Limits::probe(wanted.parse().unwrap()).is_err() {
            continue;
        }
        let mut lab = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "limits::tests::lifetime::doomed_lab", "--ignored", "--nocapture"])
            .env("DOOMED_LAB_LIMITS", wanted)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(lab.stdout.take().unwrap()).lines().map_while(Result::ok);
        let lines: Vec<String> = lines.take_while(|line| line != "ready").collect();
        let pids: Vec<i32> = lines
            .iter()
            .find_map(|line| line.strip_prefix("doomed: "))
            .map(|pids| pids.split(' ').map(|pid| pid.parse().unwrap()).collect())
            .unwrap();
        let parents: Vec<PathBuf> =
            lines.iter().filter_map(|line| line.strip_prefix("parent: ")).map(PathBuf::from).collect();
        lab.kill().unwrap();
        lab.wait().unwrap();
        until("the program's end", || !runs(pids[0])).await;
        let next = Limits::probe(wanted.parse().unwrap()).unwrap();
        if wanted == "none" {
            // Nobody knows of them any more; they are not frozen, for they left the group that was stopped.
            for &pid in &pids[1..] {
                let _ = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        until("the others' end", || !pids.iter().any(|&pid| runs(pid))).await;
        assert!(parents.iter().all(|parent| !parent.exists()), "{parents:?}");
        drop(next);
    }
}
