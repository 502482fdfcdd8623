//! Random traces, however malformed: nothing panics, and everything adds up to the microsecond.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::collections::HashSet;

use bench::traces::assemble::assemble;
use bench::traces::chrome;
use bench::traces::pair::pair;
use bench::traces::records::InvocationLine;
use bench::traces::segment::Segment;
use bench::traces::select::Kind;
use bench::traces::span::{Span, Trace};
use fastrand::Rng;

const TREES: u64 = 4000;
const NAMES: [&str; 9] = [
    "Init",
    "Initialization",
    "Invocation",
    "Overhead",
    "## init",
    "## handler",
    "## other",
    "db.query",
    "cache.get",
];

fn segment(random: &mut Rng, index: usize, count: usize) -> Segment {
    // Mostly within the invocation's 100 ms, sometimes far outside; now and then it ends before it begins, or never.
    let near = if random.u8(..8) == 0 { -500_000..600_000 } else { 0..100_000 };
    let start_us = 1_000_000 + random.i64(near);
    let backwards = random.u8(..10) == 0;
    let length = random.i64(if backwards { -1000..1 } else { 0..60_000 });
    let parent = match random.u8(..10) {
        0 => "nobody".to_owned(),
        1 => index.to_string(),
        _ => random.usize(..count).to_string(),
    };
    Segment {
        id: index.to_string(),
        parent_id: Some(parent),
        name: NAMES[random.usize(..NAMES.len())].to_owned(),
        origin: None,
        namespace: None,
        start_us,
        end_us: (random.u8(..10) > 0).then_some(start_us + length),
        request_id: None,
        http_status: None,
        failure: None,
        annotations: serde_json::Map::new(),
    }
}

/// Often without one of Lambda's segments, in any order.
fn segments(random: &mut Rng) -> Vec<Segment> {
    let count = random.usize(1..40);
    let mut segments: Vec<_> = (0..count).map(|index| segment(random, index, count)).collect();
    if random.u8(..5) > 0 {
        segments[0].origin = Some("AWS::Lambda::Function".into());
        segments[0].name = "f".into();
        for overhead in ["aws.runtimeOverhead", "aws.extensionOverhead"] {
            let told = [-3.0, 0.5, 30.0, 1e300][random.usize(..4)];
            segments[0].annotations.insert(overhead.into(), told.into());
        }
    }
    random.shuffle(&mut segments);
    segments
}

fn invocation(random: &mut Rng) -> InvocationLine {
    InvocationLine {
        function: "f".into(),
        request_id: "r".into(),
        trace_id: "t".into(),
        cold: random.bool(),
        started_unix_us: 1_000_000,
        init_ms: random.bool().then_some(20.0),
        duration_ms: 100.0,
        sampled: true,
    }
}

fn check(span: &Span, seed: u64) -> i64 {
    assert!(span.start_us <= span.end_us && span.self_us >= 0, "seed {seed}: {span:?}");
    for child in &span.children {
        assert!(
            span.start_us <= child.start_us && child.end_us <= span.end_us,
            "seed {seed}: {child:?} in {span:?}"
        );
    }
    let order = span.children.windows(2).all(|two| two[0].start_us <= two[1].start_us);
    assert!(order, "seed {seed}: {span:?}");
    span.self_us + span.children.iter().map(|child| check(child, seed)).sum::<i64>()
}

fn random_trace(random: &mut Rng, seed: u64) -> Trace {
    let (invocation, segments) = (invocation(random), segments(random));
    let trace = assemble(&invocation, &segments);
    assert_eq!(check(&trace.root, seed), trace.total_us(), "seed {seed}: self times of {trace:?}");
    assert!(trace.gap_us >= 0, "seed {seed}");
    trace
}

#[test]
fn random_traces_add_up_to_the_microsecond() {
    let mut children_beside_each_other = 0;
    for seed in 0..TREES {
        let mut random = Rng::with_seed(seed);
        let (from, to) = (random_trace(&mut random, seed), random_trace(&mut random, seed));
        let pair = pair(Kind::Warm, 50, (&from, 1), (&to, 1));
        let difference = to.total_us() - from.total_us();
        let rows: i64 = pair.rows.iter().map(|row| row.self_difference_us).sum();
        let pieces: i64 = pair.bridge.iter().map(|piece| piece.self_difference_us).sum();
        assert_eq!((rows, pieces), (difference, difference), "seed {seed}");
        assert_eq!((pair.rows[0].from_us, pair.rows[0].to_us), (Some(from.total_us()), Some(to.total_us())));
        let sizes: Vec<i64> = pair.bridge.iter().map(|piece| piece.self_difference_us.abs()).collect();
        assert!(sizes.is_sorted_by(|larger, smaller| larger >= smaller), "seed {seed}: {sizes:?}");
        let overlap = |span: &Span| span.children.windows(2).any(|two| two[0].end_us > two[1].start_us);
        children_beside_each_other += u32::from(overlap(&from.root));
    }
    assert!(children_beside_each_other > 100, "the generator makes hardly any overlap");
}

/// On one thread of the Chrome trace, two events nest or do not touch; and none is lost.
#[test]
fn chrome_events_of_a_thread_nest() {
    for seed in 0..500 {
        let mut random = Rng::with_seed(seed);
        let traces: Vec<Trace> = (0..3)
            .map(|_| {
                let mut trace = random_trace(&mut random, seed);
                trace.zero_unix_us += random.i64(0..200_000);
                trace
            })
            .collect();
        let file = chrome::events(&["f"], &chrome::as_it_happened(&traces));
        let events: Vec<_> =
            file["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").collect();
        assert_eq!(events.len(), traces.iter().map(|trace| spans(&trace.root)).sum::<usize>());
        let threads: HashSet<u64> = events.iter().map(|event| event["tid"].as_u64().unwrap()).collect();
        for thread in threads {
            let mut on_it: Vec<(i64, i64)> = events
                .iter()
                .filter(|event| event["tid"] == thread)
                .map(|event| (event["ts"].as_i64().unwrap(), event["dur"].as_i64().unwrap()))
                .map(|(start, length)| (start, start + length))
                .collect();
            on_it.sort_by_key(|(start, end)| (*start, -*end));
            let mut open: Vec<i64> = Vec::new();
            for (start, end) in on_it {
                while open.last().is_some_and(|outer| *outer <= start) {
                    open.pop();
                }
                assert!(
                    open.last().is_none_or(|outer| end <= *outer),
                    "seed {seed}, thread {thread}: {start}..{end}"
                );
                open.push(end);
            }
        }
    }
}

/// The schema says what the trace event format allows of what is written here.
#[test]
fn chrome_events_are_of_the_formats_schema() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/traces/chrome.schema.json")).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    for seed in 0..200 {
        let mut random = Rng::with_seed(seed);
        let pairs = [0, 1].map(|_| (random_trace(&mut random, seed), random_trace(&mut random, seed)));
        let file = chrome::events(&["f"], &chrome::in_pairs(&pairs));
        let wrong: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "seed {seed}: {wrong:?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"traceEvents": [{"ph": "X", "name": "x"}]})));
}

fn spans(span: &Span) -> usize {
    1 + span.children.iter().map(spans).sum::<usize>()
}
