//! The bill, against AWS's own published examples and sums done by hand.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

#[path = "support/rows.rs"]
mod rows;

use bench::cost::{Usage, cost};
use bench::observation::Observation;
use bench::prices::Prices;
use bench::run_file::Cost;
use bench::sample::Phase;
use lambda_lab::records::Invocation;
use rows::{Rows, close, dropped, failed, invocation, sample};

fn x86() -> Prices {
    Prices::bundled("x86_64").unwrap()
}

fn of(observations: &[Observation]) -> Option<Cost> {
    cost(&observations.iter().collect::<Vec<_>>(), &x86())
}

fn adds_up(cost: &Cost) {
    let parts = cost.requests_usd + cost.duration_usd + cost.api_usd + cost.provisioned_usd;
    close(Some(cost.per_million_usd), parts);
    assert!(cost.init_usd <= cost.duration_usd, "{cost:?}");
}

/// <https://aws.amazon.com/lambda/pricing/>, example 1 of its classic set: 512 MB, 3 million requests of 1 s are 1,500,000 GB-s;
/// less 400,000 GB-s and 1 million requests of the free tier it is 18.34 + 0.40 USD.
#[test]
fn three_million_seconds_of_512_mb_cost_what_the_price_page_says() {
    let usage = Usage { requests: 3_000_000, on_demand_gb_s: 1_500_000.0, ..Usage::default() };
    let cost = usage.cost(&x86()).unwrap();
    adds_up(&cost);
    let (free_duration_usd, free_requests_usd) = (400_000.0 * x86().usd_per_gb_second, 0.20);
    // To the cent; the page rounds its price to five digits.
    assert!((3.0 * cost.duration_usd - free_duration_usd - 18.34).abs() < 0.01, "{cost:?}");
    assert!((3.0 * cost.requests_usd - free_requests_usd - 0.40).abs() < 1e-9, "{cost:?}");
}

/// <https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>: 1,024 MB, Duration 250.06 ms, Init
/// Duration 100.77 ms; Billed Duration was 251 ms without and is 351 ms with INIT. So INIT is 100 ms of the bill.
#[test]
fn init_is_billed_as_the_announcement_shows() {
    let mut rows = Rows::default();
    let cold = sample("a", 1, Phase::Load, 360.0);
    let record = Invocation {
        cold: true,
        init_ms: Some(100.77),
        billed_ms: 351,
        memory_mb: 1024,
        ..invocation(&cold, 250.06)
    };
    rows.add(cold, Some(record));
    let cost = of(&rows.joined()).unwrap();
    adds_up(&cost);
    close(Some(cost.duration_usd), 1e6 * 0.351 * 0.000_016_666_7);
    close(Some(cost.init_usd), 1e6 * 0.100 * 0.000_016_666_7);
    assert_eq!((cost.cold_share, cost.requests), (1.0, 1));
}

/// <https://aws.amazon.com/api-gateway/pricing/>: the first 300 million requests to an HTTP API cost 1.00 USD per million.
#[test]
fn the_api_in_front_costs_a_dollar_per_million() {
    let usage = Usage { requests: 7, ..Usage::default() };
    close(usage.cost(&x86()).map(|cost| cost.api_usd), 1.00);
    assert_eq!(Usage::default().cost(&x86()), None);
}

/// The same announcement: provisioned concurrency "is most suitable for workloads with sustained usage patterns above 60% usage".
/// There it costs as much as on demand: on both architectures.
#[test]
fn provisioned_concurrency_breaks_even_at_six_tenths_of_use() {
    for architecture in ["x86_64", "arm64"] {
        let prices = Prices::bundled(architecture).unwrap();
        let provisioned = |used: f64| {
            let (in_provisioned_gb_s, provisioned_gb_s) = (used, 1.0);
            Usage { requests: 1, in_provisioned_gb_s, provisioned_gb_s, ..Usage::default() }
        };
        let on_demand = |used: f64| Usage { requests: 1, on_demand_gb_s: used, ..Usage::default() };
        let usd = |usage: Usage| usage.cost(&prices).unwrap().per_million_usd;
        let ratio = |used: f64| usd(provisioned(used)) / usd(on_demand(used));
        assert!((ratio(0.6) - 1.0).abs() < 1e-4, "{architecture}: {}", ratio(0.6));
        assert!(ratio(0.55) > 1.0 && ratio(0.65) < 1.0, "{architecture}");
    }
}

/// 100 arrivals at 50 a second: 90 warm ones of 8 ms, 9 cold ones of 20 ms with 100 ms INIT, one that failed after 3 ms.
fn load_rows() -> Rows {
    let mut rows = Rows::default();
    for k in 0..100_u64 {
        let mut arrival = sample("a", 1, Phase::Load, 30.0);
        arrival.intended_us = 20_000 * k;
        let record = match k {
            0 => invocation(&arrival, 3.0),
            1..=9 => {
                let warm = invocation(&arrival, 20.0);
                Invocation { cold: true, init_ms: Some(100.0), billed_ms: 120, ..warm }
            }
            _ => invocation(&arrival, 8.0),
        };
        let arrival = if k == 0 { failed(arrival, "http_500") } else { arrival };
        rows.add(arrival, Some(record));
    }
    rows
}

#[test]
fn the_mix_is_every_invocation_of_the_load_phase_and_of_no_other() {
    let mut rows = load_rows();
    (0..50).for_each(|_| rows.warm("a", 1, 500.0));
    (0..5).for_each(|_| rows.cold("a", 1, 900.0));
    // Neither reached Lambda.
    rows.add(dropped(sample("a", 1, Phase::Load, 0.0)), None);
    rows.add(failed(sample("a", 1, Phase::Load, 5.0), "http_429"), None);
    let cost = of(&rows.joined()).unwrap();
    adds_up(&cost);
    let billed_ms = 3.0 + 9.0 * 120.0 + 90.0 * 8.0;
    close(Some(cost.duration_usd), 1e6 * (billed_ms / 100.0 / 1e3) * 0.5 * 0.000_016_666_7);
    close(Some(cost.init_usd), 1e6 * (9.0 * 100.0 / 100.0 / 1e3) * 0.5 * 0.000_016_666_7);
    assert_eq!((cost.cold_share, cost.requests, cost.provisioned_usd), (0.09, 100, 0.0));
}

#[test]
fn without_load_the_mix_is_the_warm_phase_and_has_no_cold_start() {
    let mut rows = Rows::default();
    (0..4).for_each(|_| rows.warm("a", 1, 10.0));
    rows.cold("a", 1, 900.0);
    let stray = sample("a", 1, Phase::Warm, 950.0);
    let record = rows::cold(&stray, 900.0, 40.0);
    rows.add(stray, Some(record));
    let observations = rows.joined();
    let cost = of(&observations).unwrap();
    adds_up(&cost);
    close(Some(cost.duration_usd), 1e6 * 0.010 * 0.5 * 0.000_016_666_7);
    assert_eq!((cost.cold_share, cost.requests, cost.init_usd), (0.0, 4, 0.0));
    assert!(of(&[]).is_none());
}

#[test]
fn provisioned_concurrency_is_paid_for_while_a_million_requests_arrive() {
    let mut rows = load_rows();
    for record in rows.invocations.values_mut() {
        record.provisioned_concurrency = 2;
        record.provisioned = !record.cold;
    }
    let cost = of(&rows.joined()).unwrap();
    adds_up(&cost);
    // At 50 requests a second a million take 20,000 s; two sandboxes of half a GB.
    close(Some(cost.provisioned_usd), 20_000.0 * 2.0 * 0.5 * 0.000_004_166_7);
    let in_provisioned_usd = 1e6 * ((3.0 + 90.0 * 8.0) / 100.0 / 1e3) * 0.5 * 0.000_009_722_2;
    let spilled_usd = 1e6 * (9.0 * 120.0 / 100.0 / 1e3) * 0.5 * 0.000_016_666_7;
    close(Some(cost.duration_usd), in_provisioned_usd + spilled_usd);

    // One request tells no rate.
    let mut rows = Rows::default();
    rows.warm("a", 1, 10.0);
    rows.invocations.values_mut().for_each(|record| record.provisioned_concurrency = 2);
    assert_eq!(of(&rows.joined()), None);
}
