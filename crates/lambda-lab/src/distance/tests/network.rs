//! The named networks and their file.

use std::time::Duration;

use crate::distance::{DelayLines, Dependency, Network};

const FILE: &str = "read_on = \"2026-11-24\"\nsource = []\n";

fn malformed(networks: &str) -> String {
    Network::parse(&format!("{FILE}{networks}")).unwrap_err().to_string()
}

#[test]
fn loopback_adds_nothing_and_starts_no_line() {
    let loopback = Network::named("loopback").unwrap();
    assert_eq!(loopback, Network::default());
    let mut lines = DelayLines::new(loopback);
    assert_eq!(lines.port_before(Dependency::Database, 5432).unwrap(), 5432);
    let report = lines.report();
    assert_eq!((report.name.as_str(), report.source_date), ("loopback", None));
    assert!(report.round_trips_ms.is_empty());
}

#[test]
fn named_networks_have_a_round_trip_to_every_dependency_and_a_date() {
    for name in ["same-az", "cross-az"] {
        let network: Network = name.parse().unwrap();
        assert!(Dependency::ALL.iter().all(|dependency| network.round_trip(*dependency).is_some()));
        assert_eq!(network.source_date().map(str::len), Some("2026-11-24".len()));
        let report = DelayLines::new(network).report();
        assert_eq!(report.round_trips_ms.keys().collect::<Vec<_>>(), ["cache", "database", "ssm"]);
    }
    let database = |name| Network::named(name).unwrap().round_trip(Dependency::Database).unwrap();
    assert!(database("same-az") < database("cross-az"));
    assert!(Network::sources().unwrap().iter().all(|source| source.url.starts_with("https://")));
}

#[test]
fn an_unknown_name_is_refused_with_the_names_there_are() {
    let message = Network::named("same-rack").unwrap_err().to_string();
    assert_eq!(message, "there is no network \"same-rack\"; known are: loopback, same-az, cross-az");
}

#[test]
fn a_figure_that_cannot_be_is_refused_with_its_place() {
    for figure in ["0", "-1.0", "inf", "nan", "10001"] {
        let network = format!(
            "[[network]]\nname = \"n\"\nabout = \"a\"\nround_trips_ms = {{ ssm = 1, database = {figure}, cache = 1 }}"
        );
        let message = malformed(&network);
        assert!(message.contains("network \"n\": database ="), "{message}");
    }
    assert!(
        malformed("[[network]]\nname = \"n\"\nabout = \"a\"\nround_trips_ms = { ssm = 1 }")
            .contains("database")
    );
    let twice =
        "[[network]]\nname = \"n\"\nabout = \"a\"\nround_trips_ms = { ssm = 1, database = 1, cache = 1 }\n";
    assert!(malformed(&twice.repeat(2)).contains("two networks are called \"n\""));
}

#[test]
fn a_figure_is_the_time_of_a_whole_round_trip() {
    let network =
        "[[network]]\nname = \"n\"\nabout = \"a\"\nround_trips_ms = { ssm = 2, database = 0.25, cache = 1 }";
    let network = &Network::parse(&format!("{FILE}{network}")).unwrap()[1];
    assert_eq!(network.round_trip(Dependency::Database), Some(Duration::from_micros(250)));
}
