//! What a scenario file may say, what it refuses, and what a profile's files offer together.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lambda_lab::experiment::LoadProfile;

use super::{Arrivals, Expect, Form, Offered, Phase, Scenario};

/// A whole file: line 4 and 5 are the phase, 8 to 10 the scenario.
const GOOD: &str = "config:
  target: http://127.0.0.1:3000
  phases:
    - duration: 1m
      arrivalRate: 50
  plugins: { expect: {}, apdex: { threshold: 250 } }
scenarios:
  - flow:
      - get:
          url: /
          expect: [statusCode: 200, contentType: json]
";

fn parse(text: &str) -> Result<Scenario, String> {
    Scenario::parse(text, Path::new("some/x.yml")).map_err(|error| error.to_string())
}

/// `GOOD` with `from` replaced must be refused with each of `parts`.
fn refused(from: &str, to: &str, parts: &[&str]) {
    assert!(GOOD.contains(from), "{from:?} is not in the file");
    refused_whole(&GOOD.replacen(from, to, 1), parts);
}

fn refused_whole(text: &str, parts: &[&str]) {
    let message = parse(text).expect_err(text);
    for part in ["scenario file some/x.yml, line "].iter().chain(parts) {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn profile(files: &[&Path]) -> LoadProfile {
    let scenarios = files.iter().map(|file| file.to_path_buf()).collect();
    LoadProfile {
        rounds: 2,
        cold_starts: 1,
        warm_up_requests: 1,
        warm_requests: 1,
        control: Vec::new(),
        arrivals: vec![],
        scenarios,
    }
}

#[test]
fn a_file_is_read_whole() {
    let scenario = parse(GOOD).unwrap();
    assert_eq!(scenario.phases, [Phase { duration_s: 60.0, arrivals: Arrivals::Rate(50.0) }]);
    assert_eq!((scenario.url.as_str(), scenario.target.as_deref()), ("/", Some("http://127.0.0.1:3000")));
    assert_eq!(scenario.expect, Expect { statuses: vec![200], content_type: Some("json".into()) });
    assert_eq!((scenario.apdex_threshold_ms, scenario.time_limit), (Some(250.0), None));
    let with = GOOD.replace("  plugins", "  apdex: { threshold: 100 }\n  http: { timeout: 2.5 }\n  plugins");
    let scenario = parse(&with).unwrap();
    assert_eq!(scenario.apdex_threshold_ms, Some(100.0), "config.apdex goes before the plugin's own");
    assert_eq!(scenario.time_limit, Some(Duration::from_millis(2500)));
}

#[test]
fn every_kind_of_phase_is_read() {
    let phases = "- { duration: 20, arrivalRate: 1, rampTo: 20.5, name: up }
    - { duration: \"10\", rampTo: 5 }
    - { duration: 1.5s, arrivalCount: 3 }
    - { pause: 2m, name: rest }
    - duration: 1m";
    let scenario = parse(&GOOD.replace("- duration: 1m", phases)).unwrap();
    let phase = |duration_s, arrivals| Phase { duration_s, arrivals };
    assert_eq!(
        scenario.phases,
        [
            phase(20.0, Arrivals::Ramp { from: 1.0, to: 20.5 }),
            phase(10.0, Arrivals::Ramp { from: 0.0, to: 5.0 }),
            phase(1.5, Arrivals::Count(3)),
            phase(120.0, Arrivals::Pause),
            phase(60.0, Arrivals::Rate(50.0)),
        ]
    );
}

#[test]
fn what_only_artillery_does_is_refused_by_name_with_the_way_to_do_it() {
    let way = "`make bench-artillery SCENARIO=some/x.yml`";
    let own = "the built-in engine does not support";
    for (from, to, line, key) in [
        ("config:\n", "config:\n  environments: {}\n", "line 2", "config.environments;"),
        ("config:\n", "config:\n  payload: { path: x.csv }\n", "line 2", "config.payload;"),
        ("config:\n", "config:\n  processor: x.js\n", "line 2", "config.processor;"),
        ("config:\n", "config:\n  variables: {}\n", "line 2", "config.variables;"),
        ("config:\n", "before: { flow: [] }\nconfig:\n", "line 1", "before;"),
        ("expect: {},", "ensure: {},", "line 6", "config.plugins.ensure;"),
        ("expect: {},", "my-own: {},", "line 6", "config.plugins.my-own;"),
        ("arrivalRate: 50", "arrivalRate: 50\n      maxVusers: 5", "line 6", "config.phases[0].maxVusers;"),
        ("- flow:", "- weight: 2\n    flow:", "line 8", "scenarios[0].weight;"),
        ("- get:", "- post:", "line 9", "scenarios[0].flow[0].post;"),
        ("- get:", "- think: 1\n        get:", "line 9", "scenarios[0].flow[0].think;"),
        ("- get:", "- loop: []\n        get:", "line 9", "scenarios[0].flow[0].loop;"),
        ("url: /\n", "url: /\n          headers: {}\n", "line 11", "scenarios[0].flow[0].get.headers;"),
        ("statusCode: 200", "hasHeader: x", "line 11", "scenarios[0].flow[0].get.expect[0].hasHeader;"),
        (
            "url: /\n",
            "url: /{{ id }}\n",
            "line 10",
            "template \"/{{ id }}\" in scenarios[0].flow[0].get.url;",
        ),
    ] {
        refused(from, to, &[own, way, line, key]);
    }
}

#[test]
fn a_key_that_nobody_knows_is_refused_with_those_there_are() {
    refused(
        "arrivalRate",
        "arivalRate",
        &["line 5", "config.phases[0].arivalRate is no key", "arrivalRate, rampTo"],
    );
    refused("statusCode", "status", &["line 11", "expect[0].status", "statusCode, contentType"]);
}

#[test]
fn an_impossible_value_is_refused_with_line_value_and_mend() {
    let phase = "config.phases[0]";
    for (from, to, parts) in [
        ("50", "-1", ["line 5", "arrivalRate = -1", "whole number, 1 to 5000"]),
        ("50", "0.5", ["line 5", "arrivalRate = 0.5", "write arrivalCount"]),
        ("50", "0", ["line 5", "arrivalRate = 0", "for none pause"]),
        ("50", "fast", ["line 5", "arrivalRate = \"fast\"", "whole number"]),
        ("50", "[50]", ["line 5", "arrivalRate = a list of 1", "whole number"]),
        ("50", "50\n      arrivalCount: 5", ["line 6", "arrivalCount = 5", "not both"]),
        ("50", "1\n      rampTo: 9000", ["line 6", "rampTo = 9000", "0 to 5000"]),
        ("50", "0\n      rampTo: 0", ["line 5", "arrivalRate = 0", "whole number, 1 to 5000"]),
        (
            "arrivalRate: 50",
            "name: x",
            ["line 4", "= a map of 2", "expected arrivalRate, arrivalCount or pause"],
        ),
        ("1m", "-60", ["line 4", "duration = -60", "whole seconds"]),
        ("1m", "0", ["line 4", "duration = 0", "whole seconds"]),
        ("1m", "1.5", ["line 4", "duration = 1.5", "1.5s"]),
        ("1m", "1m 30s", ["line 4", "duration = \"1m 30s\"", "such as 1m"]),
        ("1m", "10ms", ["line 4", "duration = \"10ms\"", "never end it"]),
        ("duration: 1m", "name: x", ["line 4", "duration = nothing", "such as 60 or 1m"]),
        ("duration: 1m", "pause: 5", ["line 4", "pause = 5", "no other key beside pause"]),
    ] {
        refused(from, to, &[parts[0], phase, parts[1], parts[2]]);
    }
    refused(
        "threshold: 250",
        "threshold: 0",
        &["line 6", "config.plugins.apdex.threshold = 0", "milliseconds"],
    );
    refused("{ expect: {},", "{ expect: ,", &["line 6", "config.plugins.expect = nothing", "expected a map"]);
    refused("expect: {}, ", "", &["line 11", "= a list of 2", "config.plugins as well"]);
    refused("url: /\n", "url: http://other/\n", &["line 10", "get.url = \"http://other/\"", "begins with /"]);
    refused("url: /\n", "name: x\n", &["line 10", "get.url = nothing", "begins with /"]);
    refused("statusCode: 200,", "statusCode: 99,", &["line 11", "statusCode = 99", "100 to 599"]);
    refused(
        "[statusCode: 200, contentType: json]",
        "[{ statusCode: 200, contentType: json }]",
        &["line 11", "expect[0] = a map of 2", "one key in each item"],
    );
}

#[test]
fn exactly_one_scenario_with_one_get() {
    let second = format!("{GOOD}  - flow:\n      - get: {{ url: / }}\n");
    refused_whole(&second, &["line 8", "scenarios = a list of 2", "exactly one scenario"]);
    let step = format!("{GOOD}      - get: {{ url: / }}\n");
    refused_whole(&step, &["line 9", "scenarios[0].flow = a list of 2", "exactly one step"]);
    let none = GOOD.split("scenarios:").next().unwrap();
    refused_whole(none, &["line 1", "scenarios = nothing", "exactly one scenario"]);
}

#[test]
fn what_is_no_yaml_or_nothing_is_refused_with_its_line() {
    refused_whole("", &["line 1", "the file = nothing", "config and scenarios"]);
    refused_whole("# only this\n", &["the file = nothing"]);
    refused_whole("- 1\n", &["line 1", "the file = a list of 1", "config, scenarios"]);
    refused(
        "arrivalRate: 50",
        "arrivalRate: 50\n      arrivalRate: 60",
        &["line 6", "duplicate mapping key: arrivalRate", "mend the YAML"],
    );
    refused("    - duration", "\t- duration", &["line 4", "tabs"]);
    refused_whole(&format!("{GOOD}---\n{GOOD}"), &["line 13", "multiple YAML documents"]);
    let message = Scenario::load(Path::new("not/there.yml")).unwrap_err().to_string();
    assert!(message.contains("not/there.yml") && message.contains("--scenario"), "{message}");
}

#[test]
fn the_articles_files_are_valid_and_make_its_arrivals() {
    let (sustained, ramp) = (scenarios().join("sustained.yml"), scenarios().join("ramp.yml"));
    let offered = Offered::of(&profile(&[&sustained, &ramp])).unwrap();
    assert_eq!((offered.form, offered.span), (Form::Stepped, Duration::from_secs(130)));
    assert_eq!((offered.apdex_threshold_ms, offered.time_limit), (100.0, Duration::from_secs(10)));
    assert_eq!(offered.expect, Expect { statuses: vec![200], content_type: Some("json".into()) });
    let files: Vec<_> =
        offered.files.iter().map(|file| (file.file.as_str(), file.requests, file.duration_s)).collect();
    assert_eq!(files, [("sustained.yml", 3000, 60.0), ("ramp.yml", 3210, 70.0)]);
    assert_eq!(offered.arrivals.len(), 6210);
    assert_eq!(
        offered.arrivals[3000],
        Duration::from_secs(61),
        "the ramp's only arrival of its first second"
    );
}

#[test]
fn files_that_load_in_different_ways_are_not_one_profile() {
    let folder = tempfile::tempdir().unwrap();
    let (first, other) = (folder.path().join("a.yml"), folder.path().join("b.yml"));
    std::fs::write(&first, GOOD).unwrap();
    for (from, to, what) in [
        ("url: /\n", "url: /x\n", "the url of get: / and /x"),
        (
            "statusCode: 200",
            "statusCode: 201",
            "expect: statusCode [200], contentType json and statusCode [201]",
        ),
        ("threshold: 250", "threshold: 100", "config.apdex.threshold: 250 and 100"),
        ("  plugins", "  http: { timeout: 3 }\n  plugins", "config.http.timeout: nothing and 3"),
    ] {
        std::fs::write(&other, GOOD.replace(from, to)).unwrap();
        let message = Offered::of(&profile(&[&first, &other])).unwrap_err().to_string();
        for part in ["a.yml", "b.yml", what, "make them alike"] {
            assert!(message.contains(part), "{part:?} is missing in: {message}");
        }
    }
}

#[test]
fn the_path_is_appended_to_the_variants_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yml");
    let uri = |url: &str, base: &str| {
        std::fs::write(&file, GOOD.replace("url: /\n", &format!("url: {url}\n"))).unwrap();
        Offered::of(&profile(&[&file])).unwrap().uri(&base.parse().unwrap()).to_string()
    };
    assert_eq!(uri("/", "http://127.0.0.1:80/"), "http://127.0.0.1:80/");
    assert_eq!(
        uri("/stadiums?team=x", "http://127.0.0.1:80/stage"),
        "http://127.0.0.1:80/stage/stadiums?team=x"
    );
    let plain = Offered::of(&profile(&[])).unwrap();
    assert_eq!(
        plain.uri(&"http://127.0.0.1:80/stage".parse().unwrap()).to_string(),
        "http://127.0.0.1:80/stage"
    );
}
