//! What `run.json` may look like, and the table made from it alone.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::path::{Path, PathBuf};

use bench::run_file::{Partial, RunFile, SCHEMA_VERSION};
use bench::table;
use serde_json::{Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn fixture() -> RunFile {
    RunFile::load(&fixtures().join("run.json")).unwrap()
}

fn validator() -> jsonschema::Validator {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/run.schema.json"))
        .unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema), "the schema itself is not valid");
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn the_table_is_the_golden_one() {
    let rendered = table::render(&fixture(), Path::new("bench/results/latest/run.json")) + "\n";
    let golden = fixtures().join("run.table.txt");
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(rendered == expected, "{} differs from:\n{rendered}", golden.display());
}

#[test]
fn no_line_of_the_table_is_too_wide() {
    let mut run = fixture();
    run.not_emulated = vec!["a long story ".repeat(20)];
    let longest_name = "n".repeat(64);
    run.variants[0].name.clone_from(&longest_name);
    run.comparisons[0].from = longest_name;
    let rendered = table::render(&run, Path::new("run.json"));
    for line in rendered.lines() {
        assert!(
            line.chars().count() <= usize::from(table::WIDTH),
            "{} columns: {line}",
            line.chars().count()
        );
    }
}

#[test]
fn more_variants_than_fit_stand_below_each_other() {
    let mut run = fixture();
    for rung in 0..3 {
        let mut variant = run.variants[0].clone();
        variant.name = format!("rung-{rung}");
        run.variants.push(variant);
    }
    let rendered = table::render(&run, Path::new("run.json"));
    assert_eq!(rendered.matches("warm p50, ms").count(), 2);
    assert!(rendered.contains("rung-2"));
}

#[test]
fn a_run_without_load_and_without_unknowns_says_nothing_of_them() {
    let mut run = fixture();
    for variant in &mut run.variants {
        variant.load = None;
        variant.apdex = None;
        for quantiles in [&mut variant.warm_ms, &mut variant.cold_ms, &mut variant.init_ms] {
            (quantiles.p50, quantiles.p90, quantiles.p99) = (Some(1.0), Some(2.0), Some(3.0));
        }
    }
    let rendered = table::render(&run, Path::new("run.json"));
    for absent in ["Send lag", "HOST-LIMITED", "load: offered", "not known;"] {
        assert!(!rendered.contains(absent), "{absent:?} in:\n{rendered}");
    }
}

/// A run of climbs has neither cold nor warm phase; its report has no rows for them.
#[test]
fn a_run_of_climbs_has_its_situations_and_no_rows_of_dashes() {
    let mut run = fixture();
    run.environment.profile.warm_requests = 0;
    run.comparisons.clear();
    let rendered = table::render(&run, Path::new("run.json"));
    for present in ["reserved-2: 2 sandboxes", ">= 160", "< 43.6", "73.4/s: http_503 9.4 %", "9.51"] {
        assert!(rendered.contains(present), "{present:?} is missing in:\n{rendered}");
    }
    for absent in ["warm p50, ms", "one at a time", "Cost:", "below 1 is less"] {
        assert!(!rendered.contains(absent), "{absent:?} in:\n{rendered}");
    }
}

#[test]
fn what_the_types_write_fits_the_schema() {
    let value = serde_json::to_value(fixture()).unwrap();
    let errors: Vec<String> =
        validator().iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn a_run_that_ended_early_fits_the_schema_and_says_so_first() {
    let validator = validator();
    let mut run = fixture();
    run.partial = Some(Partial { reason: "the lab ended".to_owned(), rounds: 2 });
    let whole = serde_json::to_value(&run).unwrap();
    assert!(validator.is_valid(&whole));
    for (key, value) in [("reason", json!("")), ("rounds", json!(-1)), ("surprise", json!(1))] {
        let mut mutated = whole.clone();
        mutated["partial"][key] = value;
        assert!(!validator.is_valid(&mutated), "{key}");
    }
    let rendered = table::render(&run, Path::new("run.json"));
    assert!(rendered.starts_with("PARTIAL: 2 of 4 rounds: the lab ended\n"), "{rendered}");
    assert!(rendered.contains("in 2 paired rounds") && rendered.contains("Student's t over 2 paired rounds"));
    assert!(!table::render(&fixture(), Path::new("run.json")).contains("PARTIAL"));
}

#[test]
fn mutated_run_files_are_refused_by_the_schema() {
    let validator = validator();
    let refused = |pointer: &str, value: Value| {
        let mut run = serde_json::to_value(fixture()).unwrap();
        *run.pointer_mut(pointer).unwrap() = value.clone();
        assert!(!validator.is_valid(&run), "{pointer} = {value} passed");
    };
    refused("/schema_version", json!(2));
    refused("/environment/tracing", json!("sometimes"));
    refused("/variants/0/tracing_cost/sampled", json!(0));
    refused("/variants/0/tracing_cost/cpu_ms/interval", json!([0.1]));
    refused("/started", json!("yesterday"));
    refused("/accounting/sent", json!(-1));
    refused("/variants", json!([]));
    refused("/variants/0/warm_ms/p50", json!("fast"));
    refused("/variants/0/apdex", json!(1.5));
    refused("/variants/0/load/host_limited", json!("yes"));
    refused("/comparisons/0/metrics/0/verdict", json!("much better"));
    refused("/comparisons/0/metrics/0/name", json!("warm"));
    // What is not measurable says why.
    refused("/comparisons/0/metrics/0/verdict", json!("not measurable"));
    refused("/control/0/metrics/0/verdict", json!("not measurable"));
    refused("/variants/0/per_round/warm_ms_p50", json!(["fast"]));
    refused("/variants/0/outliers/of", json!(0));
    refused("/comparisons/0/metrics/0/interval", json!([0.1]));
    refused("/environment/load_average_before", json!([1.0]));
    refused("/capacity/factor", json!(1.0));
    refused("/capacity/situations/0/knees/0/ended_by", json!(["boredom"]));
    refused("/capacity/situations/0/knees/0/steps/0/failed_by", json!("end"));
    refused("/ladder/0/beside", json!("no"));
    refused("/ladder/1/lever", json!(""));
    refused("/ladder/1/metrics", json!([]));
    refused("/ladder/1/metrics/0/verdict", json!("earned"));
    refused("/ladder/1/metrics/0/interval", json!([0.1]));
}

/// Every object of the file is closed and every key of it is required, at any depth.
#[test]
fn no_key_may_be_added_or_left_out() {
    let validator = validator();
    let original = serde_json::to_value(fixture()).unwrap();
    let open = [
        "/environment/servers",
        "/environment/network/round_trips_ms",
        "/variants/0/errors_by_name",
        "/variants/0/load/errors",
        "/variants/0/per_round",
        "/capacity/situations/0/knees/0/beyond/errors",
        "/capacity/situations/0/knees/0/steps/0/errors",
    ];
    let mut objects = Vec::new();
    collect_objects(&original, String::new(), &mut objects);
    assert!(objects.len() >= 15, "{objects:?}");
    for path in objects.iter().filter(|path| !open.iter().any(|open| path.starts_with(open))) {
        let keys: Vec<String> =
            original.pointer(path).unwrap().as_object().unwrap().keys().cloned().collect();
        let mut run = original.clone();
        run.pointer_mut(path).unwrap().as_object_mut().unwrap().insert("surprise".into(), json!(1));
        assert!(!validator.is_valid(&run), "a surprise in {path:?} passed the schema");
        assert!(serde_json::from_value::<RunFile>(run).is_err(), "a surprise in {path:?} passed the types");
        for key in keys {
            let mut run = original.clone();
            run.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(&key);
            assert!(!validator.is_valid(&run), "{path}/{key} can be left out");
        }
    }
}

/// Paths of all objects; of arrays, the first item alone.
fn collect_objects(value: &Value, path: String, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(key, member)| collect_objects(member, format!("{path}/{key}"), into));
            into.push(path);
        }
        Value::Array(items) => {
            items.iter().take(1).for_each(|item| collect_objects(item, format!("{path}/0"), into));
        }
        _ => {}
    }
}

/// Those of this version as they stand in the file, older ones as they are read.
#[test]
fn every_published_run_is_valid_by_the_schema() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/results");
    let folders = std::fs::read_dir(&results).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> =
        folders.map(|folder| folder.join("run.json")).filter(|file| file.is_file()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let run = RunFile::load(&file).unwrap();
        let written: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let current = written["schema_version"] == SCHEMA_VERSION;
        let judged = if current { written } else { serde_json::to_value(run).unwrap() };
        let errors: Vec<String> = validator().iter_errors(&judged).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
    }
}

/// Every key of a run file that an older version wrote is read as it was written; what it lacks is what was true of it.
#[test]
fn run_files_of_older_versions_are_read_and_nothing_they_say_is_changed() {
    for version in 1..SCHEMA_VERSION {
        let path = fixtures().join(format!("run.v{version}.json"));
        let written: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(written["schema_version"], version);
        let run = RunFile::load(&path).unwrap();
        let read = serde_json::to_value(&run).unwrap();
        assert!(validator().is_valid(&read), "version {version}");
        assert_contains(&read, &written, "");
        table::render(&run, &path);
    }
    let first = RunFile::load(&fixtures().join("run.v1.json")).unwrap();
    let environment = &first.environment;
    assert_eq!((environment.network.name.as_str(), environment.limits.as_str()), ("loopback", "none"));
    assert!(environment.interference.is_empty() && first.control.is_empty() && first.partial.is_none());
    assert!(first.variants.iter().all(|variant| variant.throttled_ms_per_invoke.is_none()));
    let rendered = table::render(&first, Path::new("run.json"));
    for part in [
        "Network: loopback, nothing added.",
        "Limits: none. Not emulated: CPU share by memory size",
        "Traced: nothing.",
    ] {
        assert!(rendered.contains(part), "{part:?} is missing in:\n{rendered}");
    }
    assert!(!rendered.contains("traced less not traced"), "{rendered}");
}

/// Whether `read` has all that `written` has; its version apart.
fn assert_contains(read: &Value, written: &Value, path: &str) {
    match (read, written) {
        (Value::Object(read), Value::Object(written)) => {
            for (key, value) in written.iter().filter(|(key, _)| *key != "schema_version") {
                assert!(read.contains_key(key), "{path}/{key} was lost");
                assert_contains(&read[key], value, &format!("{path}/{key}"));
            }
        }
        (Value::Array(read), Value::Array(written)) => {
            assert_eq!(read.len(), written.len(), "{path}");
            for (index, (read, written)) in read.iter().zip(written).enumerate() {
                assert_contains(read, written, &format!("{path}/{index}"));
            }
        }
        // 5 and 5.0 are one number.
        (Value::Number(read), Value::Number(written)) => {
            assert_eq!(read.as_f64(), written.as_f64(), "{path}");
        }
        _ => assert_eq!(read, written, "{path}"),
    }
}

#[test]
fn a_run_file_of_another_version_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    std::fs::write(&path, "{\"schema_version\": 7}").unwrap();
    let message = RunFile::load(&path).unwrap_err().to_string();
    assert!(message.contains("schema_version is 7"), "{message}");
    std::fs::write(&path, "{\"schema_version\": 5,\n \"oops\": 2}").unwrap();
    let message = RunFile::load(&path).unwrap_err().to_string();
    assert!(message.contains("oops") && message.contains("line 2"), "{message}");
}
