//! The client and the open loop against a real HTTP sink on loopback.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/http.rs"]
mod http;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bench::client::{Client, Shot};
use bench::open_loop;
use bench::sample::{Phase, Sample};

fn shot(address: &str) -> Shot {
    Shot {
        variant: "sink".into(),
        round: 3,
        phase: Phase::Load,
        uri: format!("{address}/x").parse().unwrap(),
        sampled: false,
    }
}

async fn fire(address: &str, limit: Duration) -> Sample {
    Client::new(limit).fire(shot(address), Instant::now(), None).await
}

const PLENTY: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_answer_carries_the_trace_that_the_server_saw() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let address = http::serve({
        let seen = Arc::clone(&seen);
        move |request| {
            seen.lock().unwrap().push((
                request.method,
                request.path,
                request.headers["x-amzn-trace-id"].clone(),
            ));
            Some((200, "body".repeat(100_000)))
        }
    });
    let sample = fire(&address, PLENTY).await;
    let (method, path, header) = seen.lock().unwrap().pop().unwrap();
    assert_eq!((method.as_str(), path.as_str()), ("GET", "/x"));
    assert_eq!(header, format!("Root={};Sampled=0", sample.trace_id));
    assert_eq!((sample.status, sample.error.as_deref(), sample.round), (Some(200), None, 3));
    assert!(sample.answered() && sample.done_us > sample.sent_us);
}

#[tokio::test]
async fn failures_have_names_and_nothing_is_tried_twice() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = |answer: http::Answer| {
        let calls = Arc::clone(&calls);
        http::serve(move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            answer.clone()
        })
    };
    let refused = fire(&count(Some((503, "throttled".into()))), PLENTY).await;
    assert_eq!((refused.status, refused.error.as_deref()), (Some(503), Some("http_503")));
    assert_eq!(refused.response_ms(), None);
    let broken = fire(&count(None), PLENTY).await;
    assert_eq!((broken.status, broken.error.as_deref()), (None, Some("transport")));
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = fire(&format!("http://{free}"), PLENTY).await;
    assert_eq!(nobody.error.as_deref(), Some("connect"));
}

#[tokio::test]
async fn a_kept_connection_that_broke_is_a_failure_and_not_retried() {
    let calls = Arc::new(AtomicUsize::new(0));
    let address = http::serve({
        let calls = Arc::clone(&calls);
        move |_| (calls.fetch_add(1, Ordering::SeqCst) == 0).then(|| (200, "once".to_owned()))
    });
    let client = Client::new(PLENTY);
    let first = client.fire(shot(&address), Instant::now(), None).await;
    let second = client.fire(shot(&address), Instant::now(), None).await;
    assert!(first.answered());
    assert_eq!(second.error.as_deref(), Some("transport"));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_time_out_is_recorded_at_its_limit() {
    let address = http::serve(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Some((200, String::new()))
    });
    let limit = Duration::from_millis(200);
    let sample = fire(&address, limit).await;
    assert_eq!((sample.status, sample.error.as_deref()), (None, Some("timeout")));
    assert!(sample.response_ms().unwrap() >= 200.0, "{sample:?}");
}

#[tokio::test]
async fn every_arrival_becomes_one_sample_and_none_is_sent_early() {
    let calls = Arc::new(AtomicUsize::new(0));
    let address = http::serve({
        let calls = Arc::clone(&calls);
        move |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            Some((200, "[]".to_owned()))
        }
    });
    let arrivals: Vec<Duration> = (0..300).map(|k| Duration::from_micros(k * 1_000)).collect();
    let mut samples = Vec::new();
    open_loop::drive(
        |_| shot(&address),
        arrivals.clone(),
        5000,
        |sample| {
            samples.push(sample);
        },
    )
    .await
    .unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 300);
    let intended: BTreeSet<u64> = samples.iter().map(|sample| sample.intended_us).collect();
    assert_eq!(intended, arrivals.iter().map(|arrival| arrival.as_micros() as u64).collect());
    assert_eq!(samples.len(), 300);
    assert!(samples.iter().all(|sample| sample.sent_us >= Some(sample.intended_us) && sample.answered()));
    let traces: BTreeSet<&str> = samples.iter().map(|sample| sample.trace_id.as_str()).collect();
    assert_eq!(traces.len(), 300);
}

#[tokio::test]
async fn a_slow_server_delays_no_arrival() {
    let address = http::serve(|_| {
        std::thread::sleep(Duration::from_millis(1500));
        Some((200, "[]".to_owned()))
    });
    let arrivals: Vec<Duration> = (0..40).map(|k| Duration::from_millis(k * 5)).collect();
    let mut samples = Vec::new();
    open_loop::drive(|_| shot(&address), arrivals, 5000, |sample| samples.push(sample)).await.unwrap();
    let last_sent = samples.iter().filter_map(|sample| sample.sent_us).max().unwrap();
    let first_done = samples.iter().filter_map(|sample| sample.done_us).min().unwrap();
    assert!(last_sent < first_done, "the last was sent at {last_sent} us, the first done at {first_done} us");
}

#[tokio::test]
async fn arrivals_beyond_the_limit_are_dropped_and_counted() {
    let address = http::serve(|_| {
        std::thread::sleep(Duration::from_millis(500));
        Some((200, "[]".to_owned()))
    });
    let mut samples = Vec::new();
    open_loop::drive(
        |_| shot(&address),
        vec![Duration::ZERO; 10],
        4,
        |sample| {
            samples.push(sample);
        },
    )
    .await
    .unwrap();
    let dropped: Vec<&Sample> = samples.iter().filter(|sample| sample.dropped()).collect();
    assert_eq!((samples.len(), dropped.len()), (10, 6));
    assert!(dropped.iter().all(|sample| sample.sent_us.is_none() && sample.done_us.is_none()));
}
