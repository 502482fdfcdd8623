//! Freeze and thaw: nothing in a sandbox runs between two invocations, and no event meets a frozen sandbox.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::case::Need::Strays;
use crate::case::{Case, case, show};
use crate::support::function::Function;
use crate::support::http::at_once;
use crate::support::lab::{Lab, in_dir};
use crate::support::notes::count_in;
use crate::support::wait::until;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(freezing, background_thread_makes_no_progress_while_idle),
        case!(freezing, child_process_makes_no_progress_while_idle),
        case!(freezing, child_in_a_session_of_its_own_makes_no_progress_while_idle).needs(&[Strays]),
        case!(freezing, extension_makes_no_progress_while_idle),
        case!(freezing, events_never_meet_a_frozen_sandbox).alone(),
    ]
}

/// Waits until the counter in `file` stands, then holds it to that for a second.
fn assert_frozen(file: &Path) {
    until("the counter to stand", || {
        let before = count_in(file);
        std::thread::sleep(Duration::from_millis(200));
        (before > 0 && count_in(file) == before).then_some(())
    });
    let before = count_in(file);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(count_in(file), before, "it counted while the sandbox was idle");
}

fn assert_thawed_by(lab: &Lab, file: &Path) {
    let before = count_in(file);
    lab.ask("one", json!({ "do": "sleep", "ms": 300 }));
    assert!(count_in(file) > before, "it did not count during an invocation");
}

fn background_thread_makes_no_progress_while_idle() {
    let lab = Lab::serve([Function::judge("one").memory(1769)]);
    let file = lab.dir.path().join("count");
    lab.ask("one", json!({ "do": "background", "file": file }));
    lab.reports(1);
    assert_frozen(&file);
    assert_thawed_by(&lab, &file);
    assert_frozen(&file);
    lab.stop();
}

fn child_process_makes_no_progress_while_idle() {
    assert_child_is_frozen(false);
}

fn child_in_a_session_of_its_own_makes_no_progress_while_idle() {
    assert_child_is_frozen(true);
}

fn assert_child_is_frozen(session: bool) {
    let lab = Lab::serve([Function::judge("one").memory(1769)]);
    let file = lab.dir.path().join("count");
    lab.ask("one", json!({ "do": "leave_child", "file": file, "session": session }));
    lab.reports(1);
    assert_frozen(&file);
    assert_thawed_by(&lab, &file);
    lab.stop();
}

fn extension_makes_no_progress_while_idle() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("count");
    let config = json!({ "count": in_dir(dir.path(), "count") });
    let lab = Lab::serve_in(dir, [Function::judge("one").memory(1769).extension("counter", config)], &[]);
    lab.ask("one", json!({ "do": "pid" }));
    lab.reports(1);
    assert_frozen(&file);
    assert_thawed_by(&lab, &file);
    lab.stop();
}

fn events_never_meet_a_frozen_sandbox() {
    const CALLERS: usize = 4;
    const REQUESTS: u64 = 500;
    let lab = Lab::serve([Function::judge("one").memory(1769).timeout(10)]);
    // A thread that never rests, so that a freeze comes at any place of the function's.
    let background = json!({ "do": "background", "file": lab.path("count"), "pause_s": 0.0005 });
    at_once(CALLERS, |_| lab.ask("one", background.clone()));
    let begun = Instant::now();
    let served = at_once(CALLERS, |_| {
        (0..REQUESTS).map(|_| lab.ask("one", json!({ "do": "served" }))["served"].as_u64().unwrap()).count()
    });
    let total: usize = served.iter().sum();
    assert_eq!(total, CALLERS * usize::try_from(REQUESTS).unwrap());
    let reports = lab.reports(total + CALLERS);
    assert!(reports.iter().all(|report| !report.contains("Status:")), "an invocation failed");
    show(format!(
        "{total} requests of {CALLERS} callers, each between a thaw and a freeze: {:.1?}",
        begun.elapsed()
    ));
    lab.stop();
}
