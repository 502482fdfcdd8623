//! How a sandbox ends: SIGKILL alone without extensions, else SIGTERM, SHUTDOWN and a budget; and how the lab does.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::extensions::watched;
use crate::case::{Case, case};
use crate::support::function::Function;
use crate::support::lab::{Lab, in_dir};
use crate::support::notes::Notes;
use crate::support::processes::runs;
use crate::support::wait::until;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(shutdown, function_without_extensions_gets_no_sigterm),
        case!(shutdown, function_with_an_external_extension_gets_sigterm),
        case!(shutdown, function_with_an_internal_extension_gets_sigterm),
        case!(shutdown, who_ignores_everything_is_killed_after_the_budget),
        case!(shutdown, extension_without_shutdown_is_not_waited_for),
        case!(shutdown, end_of_the_lab_leaves_no_process),
        case!(shutdown, killed_lab_leaves_no_process),
        case!(shutdown, killed_lab_leaves_no_process_with_a_busy_sandbox),
    ]
}

fn pid() -> Value {
    json!({ "do": "pid" })
}

fn terminated(notes: &Notes) -> bool {
    std::fs::read_to_string(&notes.0).unwrap_or_default().contains("SIGTERM")
}

/// Ends an idle sandbox of `function`, which notes SIGTERM; whether it got one.
fn gets_sigterm(function: Function) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let notes = Notes(dir.path().join("terminated"));
    let function = function.env("ON_SIGTERM", &in_dir(dir.path(), "terminated"));
    let lab = Lab::serve_in(dir, [function], &[]);
    let process = lab.ask("one", pid());
    lab.reports(1);
    lab.retire("one");
    until("the function to be gone", || (!runs(&process)).then_some(()));
    let got = terminated(&notes);
    lab.stop();
    got
}

fn function_without_extensions_gets_no_sigterm() {
    assert!(!gets_sigterm(Function::judge("one")));
}

fn function_with_an_external_extension_gets_sigterm() {
    assert!(gets_sigterm(Function::judge("one").extension("watcher", json!({}))));
}

fn function_with_an_internal_extension_gets_sigterm() {
    let headers = json!({ "Lambda-Extension-Name": "inner" });
    let call = json!(["POST", "/2020-01-01/extension/register", headers, { "events": [] }]);
    assert!(gets_sigterm(
        Function::judge("one").init(json!([{ "do": "register_internal", "calls": [call] }]))
    ));
}

fn who_ignores_everything_is_killed_after_the_budget() {
    let function = Function::judge("one").env("ON_SIGTERM", "ignore");
    let (lab, notes) = watched(function, json!({ "on_shutdown": "ignore" }));
    let function = lab.ask("one", pid());
    lab.reports(1);
    let begun = Instant::now();
    lab.retire("one");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(1900), "the budget is 2 s, it took {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let extension = notes.wait_for("pid", 1).remove(0);
    until("both to be gone", || (!runs(&function) && !runs(&extension)).then_some(()));
    lab.stop();
}

fn extension_without_shutdown_is_not_waited_for() {
    let (lab, notes) = watched(Function::judge("one"), json!({ "events": ["INVOKE"] }));
    lab.ask("one", pid());
    lab.reports(1);
    lab.retire("one");
    let extension = notes.wait_for("pid", 1).remove(0);
    until("the extension to be gone", || (!runs(&extension)).then_some(()));
    assert_eq!(notes.of("event").len(), 1, "it was told of a shutdown");
    lab.stop();
}

fn end_of_the_lab_leaves_no_process() {
    let (mut lab, notes) = watched(Function::judge("one"), json!({}));
    let function = lab.ask("one", pid());
    let child = lab.ask("one", json!({ "do": "leave_child", "file": lab.path("count") }));
    assert!(lab.end().success());
    let extension = notes.wait_for("pid", 1).remove(0);
    for process in [function, child, extension] {
        assert!(!runs(&process), "{process} runs after the lab's end");
    }
}

fn killed_lab_leaves_no_process() {
    let (lab, notes) = watched(Function::judge("one"), json!({}));
    let function = lab.ask("one", pid());
    let child = lab.ask("one", json!({ "do": "leave_child", "file": lab.path("count") }));
    // Idle, and so frozen.
    lab.reports(2);
    kill_lab(&lab);
    let extension = notes.wait_for("pid", 1).remove(0);
    for process in [function, extension] {
        until(&format!("{process} to be gone"), || (!runs(&process)).then_some(()));
    }
    end(&child);
}

fn killed_lab_leaves_no_process_with_a_busy_sandbox() {
    let lab = Lab::serve([Function::judge("one").timeout(60).memory(1769)]);
    let function = lab.ask("one", pid());
    std::thread::scope(|scope| {
        scope.spawn(|| std::panic::catch_unwind(|| lab.post("one", json!({ "do": "sleep", "ms": 30_000 }))));
        std::thread::sleep(Duration::from_millis(200));
        kill_lab(&lab);
    });
    until("the function to be gone", || (!runs(&function)).then_some(()));
}

fn kill_lab(lab: &Lab) {
    let pid = i32::try_from(lab.pid().as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// A child in a session of its own is nobody's after a SIGKILL of the lab: only the lab's next start can find it by its group.
fn end(child: &Value) {
    let pid = i32::try_from(child.as_i64().unwrap()).unwrap();
    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
}
