//! CPU share and memory by memory size (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>: 1,769 MB are one
//! vCPU).

use serde_json::{Value, json};

use crate::case::Need::{CpuShare, MemoryLimit};
use crate::case::{Case, case, show};
use crate::support::function::Function;
use crate::support::lab::Lab;
use crate::support::log::field;

const MB_OF_ONE_VCPU: f64 = 1769.0;

/// About 200 ms of one processor.
const ROUNDS: u32 = 1500;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(limits, cpu_time_is_shared_out_by_memory_size).needs(&[CpuShare]).alone(),
        case!(limits, init_runs_at_full_speed).needs(&[CpuShare]).alone(),
        case!(limits, throttled_time_is_recorded).needs(&[CpuShare]),
        case!(limits, max_memory_used_shows_an_allocation),
        case!(limits, runaway_is_ended_as_out_of_memory_and_replaced).needs(&[MemoryLimit]),
        case!(limits, runaway_in_init_is_ended_as_out_of_memory).needs(&[MemoryLimit]),
        case!(limits, memory_size_reaches_the_report),
    ]
}

fn burn() -> Value {
    json!({ "do": "burn", "rounds": ROUNDS })
}

fn cpu_time_is_shared_out_by_memory_size() {
    let sizes = [128, 512, 1024, 1769];
    let functions = sizes.map(|mb| Function::judge(&format!("of-{mb}")).memory(mb).timeout(60));
    let lab = Lab::serve(functions);
    let mut wall_ms = Vec::new();
    for mb in sizes {
        let name = format!("of-{mb}");
        lab.ask(&name, json!({ "do": "pid" }));
        // The best of three: whatever else this machine does only makes a burn longer.
        let burns = (0..3).map(|_| burnt(&lab, &name, mb));
        let (wall, cpu) = burns.min_by(|one, other| one.0.total_cmp(&other.0)).unwrap();
        let share = f64::from(mb) / MB_OF_ONE_VCPU;
        show(format!("{mb} MB: {cpu:.0} ms of work in {wall:.0} ms, {:.3} vCPU of {share:.3}", cpu / wall));
        wall_ms.push(wall);
    }
    assert!(wall_ms.is_sorted_by(|smaller, larger| smaller > larger), "{wall_ms:?}");
    // The smallest share is there on any machine, however busy.
    assert!(wall_ms[0] > wall_ms[3] * 3.0, "{wall_ms:?}");
    let ratio = |of: usize| wall_ms[of] / wall_ms[3];
    let ratios = format!("{:.1}, {:.1}, {:.1}", ratio(0), ratio(1), ratio(2));
    show(format!(
        "times at 128, 512 and 1024 MB to that at 1769 MB: {ratios}; by the shares: 13.8, 3.5, 1.7"
    ));
    lab.stop();
}

/// The milliseconds of the clock and of CPU that the same work took.
fn burnt(lab: &Lab, name: &str, mb: u32) -> (f64, f64) {
    let burnt = lab.ask(name, burn());
    let (wall, cpu) = (burnt["wall_ms"].as_f64().unwrap(), burnt["cpu_ms"].as_f64().unwrap());
    // A quota is spent in slices, so that a short burst may gain a period's worth on each end.
    assert!(
        cpu <= wall * f64::from(mb) / MB_OF_ONE_VCPU * 1.1 + 40.0,
        "{mb} MB got more than its share: {burnt}"
    );
    (wall, cpu)
}

fn init_runs_at_full_speed() {
    let lab = Lab::serve([Function::judge("one").memory(128).timeout(60).init(json!([burn()]))]);
    let burnt = lab.ask("one", burn());
    let wall_ms = burnt["wall_ms"].as_f64().unwrap();
    let init_ms = field(&lab.reports(1)[0], "Init Duration").unwrap();
    show(format!("128 MB, the same work: {init_ms:.0} ms in INIT, {wall_ms:.0} ms in the first invocation"));
    assert!(init_ms < wall_ms / 2.0, "INIT took {init_ms} ms, the invocation {wall_ms} ms");
    lab.stop();
}

fn throttled_time_is_recorded() {
    let lab = Lab::serve([Function::judge("one").memory(128).timeout(60)]);
    lab.ask("one", json!({ "do": "pid" }));
    lab.ask("one", burn());
    let record = lab.records(2).remove(1);
    assert!(record["throttled_ms"].as_f64().is_some_and(|throttled| throttled > 0.0), "{record}");
    lab.stop();
}

fn max_memory_used_shows_an_allocation() {
    let lab = Lab::serve([Function::judge("one").memory(256)]);
    lab.ask("one", json!({ "do": "pid" }));
    lab.ask("one", json!({ "do": "allocate", "mb": 40 }));
    let reports = lab.reports(2);
    let used = |report: &String| field(report, "Max Memory Used").unwrap();
    let (before, after) = (used(&reports[0]), used(&reports[1]));
    show(format!("Max Memory Used before and after 40 MB: {before} MB, {after} MB"));
    assert!(before > 0.0 && before < 60.0, "{}", reports[0]);
    assert!((38.0..60.0).contains(&(after - before)), "{before} MB, then {after} MB");
    lab.stop();
}

fn runaway_is_ended_as_out_of_memory_and_replaced() {
    let lab = Lab::serve([Function::judge("one").memory(128).timeout(30)]);
    let first = lab.ask("one", json!({ "do": "pid" }));
    let answer = lab.invoke("one", json!({ "do": "allocate_forever" }));
    let message = format!(
        "RequestId: {} Error: Runtime exited with error: signal: killed",
        answer.header("x-amzn-requestid")
    );
    assert_eq!(answer.json(), json!({ "errorType": "Runtime.OutOfMemory", "errorMessage": message }));
    let report = lab.reports(2).remove(1);
    assert!(report.ends_with("\tStatus: error\tError Type: Runtime.OutOfMemory\n"), "{report:?}");
    assert!(
        field(&report, "Max Memory Used").is_some_and(|used| (126.0..=128.0).contains(&used)),
        "{report}"
    );
    assert_ne!(lab.ask("one", json!({ "do": "pid" })), first);
    lab.stop();
}

fn runaway_in_init_is_ended_as_out_of_memory() {
    let function = Function::judge("one").memory(128).timeout(10).init(json!([{ "do": "allocate_forever" }]));
    let lab = Lab::serve([function]);
    let answer = lab.invoke("one", json!({ "do": "pid" }));
    assert_eq!(answer.json()["errorType"], "Runtime.OutOfMemory", "{answer:?}");
    lab.stop();
}

fn memory_size_reaches_the_report() {
    let lab = Lab::serve([Function::judge("one").memory(333)]);
    lab.ask("one", json!({ "do": "pid" }));
    let report = lab.reports(1).remove(0);
    assert_eq!(field(&report, "Memory Size"), Some(333.0), "{report}");
    assert_ne!(field(&report, "Max Memory Used"), Some(333.0), "the used memory is measured, not copied");
    lab.stop();
}
