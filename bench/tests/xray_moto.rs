//! A round trip through an X-Ray API that is not ours, moto's server: documents in, `bench fetch-traces`, the same bytes out.
//!
//! `scripts/xray-judge` installs the server and says where in `XRAY_JUDGE`; without it each case is skipped by name. moto
//! answers `PutTraceSegments`, `BatchGetTraces` and `GetTraceSummaries` without an expression; the rest of X-Ray is replayed
//! in `tests/xray_api`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use aws_sdk_xray::Client;
use aws_sdk_xray::config::{BehaviorVersion, Credentials, Region};
use libtest_mimic::{Arguments, Trial};

/// What a case is called, and what it does with a server of its own.
type Case = (&'static str, fn(&Moto));
const REGION: &str = "eu-central-1";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let judge = std::env::var("XRAY_JUDGE").ok().filter(|program| Path::new(program).is_file());
    let cases: [Case; 3] = [
        ("documents_of_both_styles_come_back_byte_by_byte", both_styles),
        ("two_thousand_traces_come_back", many),
        ("a_trace_that_moto_does_not_have_is_named", missing),
    ];
    let skipped = judge.is_none();
    let trials = cases.map(|(name, case)| {
        let judge = judge.clone();
        Trial::test(name, move || {
            case(&Moto::start(&judge.ok_or("XRAY_JUDGE names no program")?));
            Ok(())
        })
        .with_ignored_flag(skipped)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.into());
    if skipped && !arguments.list {
        println!(
            "skipped: moto's X-Ray server is not there; scripts/xray-judge installs it and says its XRAY_JUDGE"
        );
    }
    conclusion.exit_code()
}

/// What moto was given for a trace must come back: each document once, the one in progress replaced by the ended one.
fn both_styles(moto: &Moto) {
    let new = include_str!("fixtures/xray/new-style.jsonl");
    let old = include_str!("fixtures/xray/old-style.jsonl");
    moto.put(new.lines().chain(old.lines()));
    let ids = ["1-67000000-0000000000000000000000a1", "1-67000001-0000000000000000000000b2"];
    let run = run_of(ids.iter().map(|id| (*id).to_owned()));
    let said = moto.fetch(run.path());
    let expected = new.lines().chain(old.lines()).filter(|document| !document.contains("in_progress"));
    assert_eq!(documents(run.path()), expected.map(str::to_owned).collect::<BTreeSet<_>>());
    assert!(said.contains("2 of 2 traces whole, 5 documents"), "{said}");

    let read = bench::traces::read::read(run.path()).unwrap();
    assert_eq!((read.traced().count(), read.tally.documents), (2, 5));
    assert_eq!((read.tally.unusable, read.tally.duplicates, read.tally.of_no_invocation), (0, 0, 0));
    assert!(read.tally.orphans.is_empty(), "{:?}", read.tally);
}

/// As many traces as an ordinary run has.
fn many(moto: &Moto) {
    let template = include_str!("fixtures/xray/new-style.jsonl").replace("67000000", "67000002");
    let id = |number: u32| format!("1-67000002-{number:024x}");
    let all: Vec<String> = (0..2_000)
        .map(|number| template.replace("1-67000002-0000000000000000000000a1", &id(number)))
        .flat_map(|trace| trace.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    moto.put(all.iter().map(String::as_str));
    let run = run_of((0..2_000).map(id));
    let begun = Instant::now();
    let said = moto.fetch(run.path());
    println!("2,000 traces, each looked at twice, in {:.1} s", begun.elapsed().as_secs_f64());
    assert!(said.contains("2000 of 2000 traces whole, 6000 documents"), "{said}");
    assert_eq!(documents(run.path()), all.into_iter().collect());
}

/// moto answers it as unprocessed.
fn missing(moto: &Moto) {
    moto.put(include_str!("fixtures/xray/new-style.jsonl").lines());
    let absent = "1-67000000-0000000000000000000000ff";
    let run = run_of(["1-67000000-0000000000000000000000a1".to_owned(), absent.to_owned()].into_iter());
    let said = moto.fetch(run.path());
    assert!(said.contains("1 of 2 traces whole, 3 documents"), "{said}");
    assert!(said.contains("no document of it came") && said.contains(absent), "{said}");
}

/// moto's server; ends with its case.
struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    /// On a free port, which it chooses and prints.
    fn start(program: &str) -> Self {
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", "0"]).env("NO_COLOR", "1");
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let endpoint = loop {
            let line = lines.next().expect("moto ended before it served").unwrap();
            if let Some((_, address)) = line.split_once("Running on http://") {
                let end =
                    address.find(|digit: char| !"0123456789.:".contains(digit)).unwrap_or(address.len());
                break format!("http://{}", &address[..end]);
            }
        };
        // It writes a line for each request; a full pipe would stop it.
        std::thread::spawn(move || lines.map_while(Result::ok).count());
        Self { process, endpoint }
    }

    fn put<'a>(&self, documents: impl Iterator<Item = &'a str>) {
        let keys = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        let config = aws_sdk_xray::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(keys)
            .endpoint_url(&self.endpoint)
            .build();
        let client = Client::from_conf(config);
        let documents: Vec<String> = documents.map(str::to_owned).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for some in documents.chunks(500) {
            let call = client.put_trace_segments().set_trace_segment_documents(Some(some.to_vec()));
            let answer = runtime.block_on(call.send()).unwrap();
            assert_eq!(answer.unprocessed_trace_segments(), []);
        }
    }

    /// Runs `bench fetch-traces` on the run in `folder`; what it printed. moto knows no `GetTraceSegmentDestination`.
    fn fetch(&self, folder: &Path) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.arg("fetch-traces").arg(folder).args(["--from=xray", "--poll-s=0.2", "--patience-s=2"]);
        command.env_clear().env("HOME", folder).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
        let output = command.env("AWS_ENDPOINT_URL_XRAY", &self.endpoint).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn run_of(ids: impl Iterator<Item = String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rest =
        "\"request_id\":\"r\",\"cold\":true,\"started_unix_us\":1,\"duration_ms\":1.0,\"sampled\":true";
    let line = |id: String| format!("{{\"function\":\"f\",\"trace_id\":\"{id}\",{rest}}}\n");
    let lines: String = ids.map(line).collect();
    std::fs::write(folder.path().join("invocations.jsonl"), lines).unwrap();
    folder
}

/// The documents' texts, cut out of the file without reading them.
fn documents(folder: &Path) -> BTreeSet<String> {
    let mut text = String::new();
    std::fs::File::open(folder.join("traces/documents.jsonl")).unwrap().read_to_string(&mut text).unwrap();
    let cut = |line: &str| line.split_once("\"document\":").unwrap().1.strip_suffix('}').unwrap().to_owned();
    let documents: Vec<String> = text.lines().map(cut).collect();
    let different: BTreeSet<String> = documents.iter().cloned().collect();
    assert_eq!(different.len(), documents.len(), "a document is in the file twice");
    different
}
