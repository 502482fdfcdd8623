//! Instructions an invocation, which no other load on the machine can change.
//!
//! Apart because it needs a tool: the processor's own counters by `perf stat`, or valgrind where a virtual machine has none.
//! Invariant: it is the difference of two runs, so what happens once a process is not in it.

use std::process::Output;

use crate::daemon::Daemon;
use crate::{Error, Mode};

const FEW: u64 = 100;
const MANY: u64 = 1100;

/// A tool, how it is asked, and how its count is found in what it says.
struct Tool {
    name: &'static str,
    command: &'static [&'static str],
    find: fn(&str) -> Option<u64>,
}

const TOOLS: [Tool; 2] = [
    Tool {
        name: "perf stat, user space",
        command: &["perf", "stat", "-x,", "-e", "instructions:u"],
        find: |text| text.lines().find(|line| line.contains("instructions"))?.split(',').next()?.parse().ok(),
    },
    Tool {
        name: "valgrind, user space",
        command: &["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"],
        find: |text| text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok()),
    },
];

pub(crate) fn print(daemon: &Daemon) -> Result<(), Error> {
    for tool in &TOOLS {
        let Some(off) = count(tool, Mode::Off, daemon) else { continue };
        println!("instructions an invocation ({}):", tool.name);
        println!("  tracing off  {off:7}");
        for mode in [Mode::NotSampled, Mode::Sampled] {
            let counted = count(tool, mode, daemon).ok_or("the tool counted once and then no more")?;
            println!("  {:<12} {counted:7}, {:6} above off", mode.name(), counted.saturating_sub(off));
        }
        return Ok(());
    }
    println!("instructions: not counted, as this machine gives perf no counter and has no valgrind");
    Ok(())
}

/// `None` where the tool is not there or cannot count.
fn count(tool: &Tool, mode: Mode, daemon: &Daemon) -> Option<u64> {
    let counted = |invocations| {
        let output: Output = mode.child(daemon, invocations, tool.command).ok()?.output().ok()?;
        (tool.find)(&String::from_utf8_lossy(&output.stderr))
    };
    Some(counted(MANY)?.saturating_sub(counted(FEW)?) / (MANY - FEW))
}
