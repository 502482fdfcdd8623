//! Shares, memory and standing still.

use super::*;

/// Counts up in a file as fast as it can.
const COUNT: &str = "i=0; while :; do i=$((i+1)); echo $i > count; done";
const BURN: &str = "while :; do :; done";

/// In which even the smallest share would be used.
const TWO_PERIODS: Duration = Duration::from_millis(45);

/// Waits until a frozen sandbox has finished the system calls that were under way and the kernel's work of standing still, which
/// may have to wait for its share's next period.
async fn until_idle(cage: &Cage) {
    until("standing still", || cage.stands_still()).await;
    let start = Instant::now();
    loop {
        let used = cage.usage().cpu;
        tokio::time::sleep(TWO_PERIODS).await;
        if used.is_some() && cage.usage().cpu == used {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "it still runs");
    }
}

#[tokio::test]
async fn a_throttled_sandbox_gets_no_more_than_its_share() {
    for limits in enforcing() {
        let sandbox = Sandbox::start(&limits, 128, BURN);
        sandbox.cage.throttle().unwrap();
        let cpu = || sandbox.cage.usage().cpu.unwrap();
        // The slice that ran when the quota was set drains first.
        let throttled = || sandbox.cage.usage().throttled.unwrap() > Duration::ZERO;
        until("throttling", throttled).await;
        let (start, used_before) = (Instant::now(), cpu());
        until("a tenth of a second of processor time", || cpu() - used_before > Duration::from_millis(100))
            .await;
        // At 128/1769 of a processor it takes 1.38 s; another's load only makes it longer.
        assert!(start.elapsed() > Duration::from_millis(900), "{}: {:?}", limits.name(), start.elapsed());
    }
}

#[tokio::test]
async fn at_full_speed_nothing_is_held_back_whatever_the_memory() {
    for limits in enforcing() {
        let sandbox = Sandbox::start(&limits, 128, BURN);
        let used = || sandbox.cage.usage().cpu.unwrap() > Duration::from_millis(200);
        until("a fifth of a second of processor time", used).await;
        assert_eq!(sandbox.cage.usage().throttled, Some(Duration::ZERO), "{}", limits.name());
    }
}

#[tokio::test]
async fn the_share_can_be_set_while_frozen_and_lifted_again() {
    for limits in enforcing() {
        let sandbox = Sandbox::start(&limits, 128, BURN);
        let throttled = || sandbox.cage.usage().throttled.unwrap();
        sandbox.cage.freeze().unwrap();
        sandbox.cage.throttle().unwrap();
        sandbox.cage.thaw().unwrap();
        until("throttling", || throttled() > Duration::ZERO).await;
        sandbox.cage.full_speed().unwrap();
        // What was held back when the quota was lifted is let go at once, and counted.
        tokio::time::sleep(Duration::from_millis(40)).await;
        let (before, used) = (throttled(), sandbox.cage.usage().cpu.unwrap());
        let cpu = || sandbox.cage.usage().cpu.unwrap();
        until("some processor time", || cpu() - used > Duration::from_millis(100)).await;
        assert_eq!(throttled(), before, "{}", limits.name());
    }
}

#[tokio::test]
async fn a_full_memory_is_counted_and_ends_the_process() {
    for limits in enforcing() {
        let mut sandbox = Sandbox::start(&limits, 64, "tail /dev/zero; sleep 1000");
        let kills = || sandbox.cage.usage().oom_kills.unwrap() > 0;
        until("a kill for want of memory", kills).await;
        let peak_mb = sandbox.cage.peak_memory_mb().unwrap();
        assert!((48.0..=64.0).contains(&peak_mb), "{}: {peak_mb}", limits.name());
        if matches!(limits.shared.backend.parents, Parents::V2 { .. }) {
            // As a whole: the shell too, which had hardly any of the memory.
            let ended = tokio::time::timeout(PATIENCE, sandbox.child.wait()).await.unwrap().unwrap();
            assert!(!ended.success());
        }
    }
}

#[tokio::test]
async fn a_frozen_sandbox_stands_still_and_a_thawed_one_goes_on() {
    for limits in backends() {
        let sandbox = Sandbox::start(&limits, 1_769, COUNT);
        let count = || std::fs::read_to_string(sandbox.file("count")).unwrap_or_default();
        until("a first count", || !count().is_empty()).await;
        for _ in 0..20 {
            sandbox.cage.freeze().unwrap();
            until_idle(&sandbox.cage).await;
            let (counted, used) = (count(), sandbox.cage.usage().cpu);
            tokio::time::sleep(TWO_PERIODS).await;
            assert_eq!(count(), counted, "{}", limits.name());
            let since = sandbox.cage.usage().cpu.unwrap() - used.unwrap();
            // A stopped thread's last moments are added a little after the stop is told.
            assert!(since < Duration::from_millis(2), "{}: {since:?}", limits.name());
            sandbox.cage.thaw().unwrap();
            until("the next count", || !count().is_empty() && count() != counted).await;
        }
    }
}

#[tokio::test]
async fn a_frozen_sandbox_that_is_throttled_stands_still_too() {
    for limits in enforcing() {
        let sandbox = Sandbox::start(&limits, 128, COUNT);
        sandbox.cage.throttle().unwrap();
        for _ in 0..20 {
            sandbox.cage.freeze().unwrap();
            until_idle(&sandbox.cage).await;
            let used = sandbox.cage.usage().cpu;
            tokio::time::sleep(TWO_PERIODS).await;
            assert_eq!(sandbox.cage.usage().cpu, used, "{}", limits.name());
            sandbox.cage.thaw().unwrap();
            let cpu = || sandbox.cage.usage().cpu;
            until("going on", || cpu() > used).await;
        }
    }
}

#[tokio::test]
async fn the_peak_is_that_of_all_its_processes_and_stays_when_they_let_go() {
    for limits in enforcing() {
        // 24 MB in a child that has ended by the time we look.
        let script = "head -c 24m /dev/zero | tail -c 24m > /dev/null; echo $$ > done; sleep 1000";
        let sandbox = Sandbox::start(&limits, 512, script);
        number(&sandbox.file("done")).await;
        let peak_mb = sandbox.cage.peak_memory_mb().unwrap();
        assert!((24.0..100.0).contains(&peak_mb), "{}: {peak_mb}", limits.name());
        assert_eq!(sandbox.cage.usage().oom_kills, Some(0));
    }
}

#[tokio::test]
async fn the_peak_holds_pages_of_files_that_others_have_read_before() {
    for limits in backends() {
        let sandbox = Sandbox::start(&limits, 512, "echo $$ > done; sleep 1000");
        let shell = number(&sandbox.file("done")).await;
        let status = std::fs::read_to_string(format!("/proc/{shell}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let resident_mb = line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0;
        let peak_mb = sandbox.cage.peak_memory_mb().unwrap();
        assert!(peak_mb >= resident_mb, "{}: {peak_mb}, resident {resident_mb}", limits.name());
    }
}

#[tokio::test]
async fn without_groups_the_leaders_own_numbers_are_told() {
    let limits = Limits::probe(Wanted::None).unwrap();
    let sandbox = Sandbox::start(&limits, 128, BURN);
    let used = || sandbox.cage.usage().cpu.unwrap() > Duration::from_millis(10);
    until("some processor time", used).await;
    let usage = sandbox.cage.usage();
    assert!(sandbox.cage.peak_memory_mb().unwrap() > 0.0);
    assert_eq!((usage.throttled, usage.oom_kills), (None, None));
    sandbox.cage.kill();
    let none_left = super::super::Usage { cpu: Some(Duration::ZERO), ..super::super::Usage::default() };
    assert_eq!(sandbox.cage.usage(), none_left);
}
