//! The judges: what AWS documents or its clients rely on, asked of the `lambda-lab` binary run as a user runs it.
//!
//! Apart from the crate's other tests because the clients and the functions are not ours, or are hostile, and because the whole
//! suite runs once for each backend of limits (`make conformance`). A case's name says which behaviour it proves; docs/FIDELITY.md
//! refers to these names. Invariant: a case asserts what AWS does, also where the lab does not yet.

#![allow(clippy::unwrap_used)]

mod case;
mod cases;
mod support;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most cases wait for a process most of the time.
    arguments.test_threads.get_or_insert(4);
    if arguments.list {
        let trials = cases::all().into_iter().map(|case| case.trial(None)).collect();
        return libtest_mimic::run(&arguments, trials).exit_code();
    }
    let world = support::world::World::look_around();
    println!("judging {world}");
    let cases = cases::all();
    let skipped: Vec<_> =
        cases.iter().filter_map(|case| Some((case.name, case.skipped_because(&world)?))).collect();
    let trials = cases.into_iter().map(|case| case.trial(Some(&world))).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    for figure in case::figures() {
        println!("figure: {figure}");
    }
    for (name, reason) in skipped {
        println!("skipped: {name}: {reason}");
    }
    conclusion.exit_code()
}
