//! Test support: a stand-in for `lambda-lab` that runs no function but keeps the lab's contracts (command line, ready line,
//! control port, records), so that the bench can be tested as a whole without servers.
//!
//! A variant's behaviour is told in its `env`: `DELAY_MS`, `INIT_MS`, `BODY`, `FAIL_EVERY` (each n-th answers 500), `SSM_CALLS` and
//! `LOGINS` (an invocation), `THROTTLED_MS`, `STAY_WARM` (ignores retiring), `LOSE_RECORDS`,
//! `DIE_AT` (the n-th invocation ends the lab), `HANG_AT` (the n-th is not answered); and of the lab, in its first variant: `LAB` =
//! `fail`, `garbage`, `unlimited` (it lifts a limit on file sizes that it was started with), `RECORDS_LIMIT` (bytes).
//! Invariant: like the lab, it ends when its standard input does.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "test support")]

mod http;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_lab::control::{Counters, FunctionUrl, NetworkReport, Ready};
use lambda_lab::distance::{DelayLines, Network};
use lambda_lab::experiment::{Experiment, Function};
use lambda_lab::records::{Invocation, Status};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

const TOKEN: &str = "a-token-for-tests";

/// One function's idle sandboxes and what it counted.
#[derive(Default)]
struct Fleet {
    idle: Vec<String>,
    started: usize,
    invocations: u64,
    running: u32,
}

struct FakeLab {
    functions: BTreeMap<String, Function>,
    fleets: Mutex<BTreeMap<String, Fleet>>,
    counters: Mutex<Counters>,
    records: Mutex<File>,
    log: Mutex<File>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        PathBuf::from(&arguments[at.unwrap_or_else(|| panic!("{name} is missing")) + 1])
    };
    assert_eq!(arguments[0], "serve");
    assert!(["--ready-line", "--with-parent"].iter().all(|flag| arguments.iter().any(|word| word == flag)));
    let experiment = Experiment::load(&value("--experiment")).unwrap();
    let lab_behaviour = experiment.variants[0].env.get("LAB").map(String::as_str);
    limit_files(experiment.variants[0].env.get("RECORDS_LIMIT"), lab_behaviour == Some("unlimited"));
    match lab_behaviour {
        Some("fail") => {
            eprintln!("PostgreSQL is not installed; run: apt-get install postgresql");
            std::process::exit(3);
        }
        Some("garbage") => println!("hello, this is no ready line"),
        _ => {
            let network = Network::named(value("--network").to_str().unwrap()).unwrap();
            let network = DelayLines::new(network).report();
            let logs = value("--logs-dir");
            std::fs::create_dir_all(&logs).unwrap();
            let head = format!(
                "pid {}
ssm-rate {}
",
                std::process::id(),
                value("--ssm-rate").display()
            );
            std::fs::write(logs.join("lab.log"), head).unwrap();
            serve(&experiment, network, &value("--functions-dir"), &value("--records"), &logs);
        }
    }
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    // Only an end that was awaited gets as far as this line.
    let mut log =
        File::options().append(true).create(true).open(value("--logs-dir").join("lab.log")).unwrap();
    writeln!(log, "ended by its parent").unwrap();
}

/// A full disk, as far as this process meets it: a write beyond the limit fails, since whoever starts it ignores SIGXFSZ.
fn limit_files(bytes: Option<&String>, unlimited: bool) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    let wanted = bytes.map_or(if unlimited { hard } else { soft }, |bytes| bytes.parse().unwrap());
    setrlimit(Resource::RLIMIT_FSIZE, wanted, hard).unwrap();
}

fn serve(experiment: &Experiment, network: NetworkReport, functions_dir: &Path, records: &Path, logs: &Path) {
    let by_name = |function: &Function| (function.name.clone(), function.clone());
    let log = File::options().append(true).open(logs.join("lab.log")).unwrap();
    let lab = Arc::new(FakeLab {
        functions: experiment.variants.iter().map(by_name).collect(),
        fleets: Mutex::default(),
        counters: Mutex::default(),
        records: Mutex::new(File::create(records).unwrap()),
        log: Mutex::new(log),
    });
    let gateway = {
        let lab = Arc::clone(&lab);
        http::serve(move |request| Some(lab.invoke(&request)))
    };
    let functions = experiment.variants.iter().map(|function| FunctionUrl {
        name: function.name.clone(),
        url: format!("{gateway}/{}", function.name),
        command: function.program.runtime_command(functions_dir).0.display().to_string(),
    });
    let ready = Ready {
        functions: functions.collect(),
        control: http::serve(move |request| Some(lab.control(&request))),
        token: TOKEN.to_owned(),
        versions: BTreeMap::from([("postgresql".to_owned(), "15.14".to_owned())]),
        not_emulated: vec!["CPU share by memory size".to_owned()],
        network,
        limits: "none".to_owned(),
    };
    println!("{}", serde_json::to_string(&ready).unwrap());
}

impl FakeLab {
    fn invoke(&self, request: &http::Request) -> (u16, String) {
        let name = request.path.trim_matches('/');
        let function = &self.functions[name];
        let setting = |key: &str| function.env.get(key).and_then(|value| value.parse::<f64>().ok());
        let Some((sandbox, number, cold)) = self.take_sandbox(name, function.reserved_concurrency) else {
            return (503, "{\"message\":\"Service Unavailable\"}".to_owned());
        };
        if setting("DIE_AT").is_some_and(|last| number >= last as u64) {
            eprintln!("lambda-lab: the disk is full");
            std::process::exit(9);
        }
        if setting("HANG_AT").is_some_and(|last| number >= last as u64) {
            std::thread::sleep(Duration::from_secs(600));
        }
        let init_ms = cold.then(|| spend(setting("INIT_MS").unwrap_or(1.0)));
        let started_unix_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let duration_ms = spend(setting("DELAY_MS").unwrap_or(0.2));
        let failed = setting("FAIL_EVERY").is_some_and(|every| number.is_multiple_of(every as u64));
        let trace_id = request.headers["x-amzn-trace-id"]
            .split(';')
            .find_map(|part| part.strip_prefix("Root="))
            .unwrap()
            .to_owned();
        self.count(setting("SSM_CALLS").unwrap_or(0.0), setting("LOGINS").unwrap_or(0.0));
        self.give_back(name, &sandbox);
        if setting("LOSE_RECORDS").is_none() {
            self.record(&Invocation {
                function: name.to_owned(),
                request_id: format!("{name}-{number}"),
                trace_id,
                sampled: false,
                sandbox,
                cold,
                started_unix_us: started_unix_us as u64,
                init_ms,
                duration_ms,
                response_ms: duration_ms,
                billed_ms: (duration_ms + init_ms.unwrap_or(0.0)).ceil() as u64,
                memory_mb: function.memory_mb,
                provisioned_concurrency: function.provisioned_concurrency,
                provisioned: false,
                max_memory_mb: Some(20.0),
                cpu_ms: Some(duration_ms / 2.0),
                init_cpu_ms: init_ms.map(|init_ms| init_ms / 2.0),
                throttled_ms: setting("THROTTLED_MS"),
                status: if failed { Status::Error } else { Status::Success },
                error_type: failed.then(|| "Runtime.Unknown".to_owned()),
            });
        }
        let body = function.env.get("BODY").cloned().unwrap_or_else(|| "[]".to_owned());
        if failed { (500, "{\"message\":\"Internal Server Error\"}".to_owned()) } else { (200, body) }
    }

    /// The sandbox used last, as Lambda does, or a new one; none over the reserved concurrency.
    fn take_sandbox(&self, name: &str, reserved: Option<u32>) -> Option<(String, u64, bool)> {
        let mut fleets = self.fleets.lock().unwrap();
        let fleet = fleets.entry(name.to_owned()).or_default();
        if reserved.is_some_and(|reserved| fleet.running >= reserved) {
            return None;
        }
        fleet.running += 1;
        fleet.invocations += 1;
        if let Some(sandbox) = fleet.idle.pop() {
            return Some((sandbox, fleet.invocations, false));
        }
        fleet.started += 1;
        Some((format!("{name}-{}", fleet.started), fleet.invocations, true))
    }

    fn give_back(&self, name: &str, sandbox: &str) {
        let mut fleets = self.fleets.lock().unwrap();
        let fleet = fleets.get_mut(name).unwrap();
        fleet.running -= 1;
        fleet.idle.push(sandbox.to_owned());
    }

    fn count(&self, ssm_calls: f64, logins: f64) {
        let mut counters = self.counters.lock().unwrap();
        *counters.ssm.entry("GetParameters".to_owned()).or_default() += ssm_calls as u64;
        *counters.ssm.entry("DescribeParameters".to_owned()).or_default() += 7;
        *counters.pgbouncer.entry("logins".to_owned()).or_default() += logins as u64;
    }

    fn record(&self, invocation: &Invocation) {
        let line = serde_json::to_string(invocation).unwrap();
        if let Err(error) = self.records.lock().unwrap().write_all((line + "\n").as_bytes()) {
            eprintln!("lambda-lab: cannot write the invocation record: {error}");
        }
    }

    fn control(&self, request: &http::Request) -> (u16, String) {
        if request.headers.get("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return (401, "{\"message\":\"no token\"}".to_owned());
        }
        // It may not be written where files are limited.
        let _ = writeln!(self.log.lock().unwrap(), "{} {}", request.method, request.path);
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/cache/flush" | "/setup") => (200, "{}".to_owned()),
            ("GET", "/counters") => (200, serde_json::to_string(&*self.counters.lock().unwrap()).unwrap()),
            ("POST", path) => self.retire(path.trim_start_matches("/retire/")),
            _ => (404, "{\"message\":\"no such call\"}".to_owned()),
        }
    }

    fn retire(&self, name: &str) -> (u16, String) {
        let stays = self.functions[name].env.contains_key("STAY_WARM");
        let mut fleets = self.fleets.lock().unwrap();
        let fleet = fleets.entry(name.to_owned()).or_default();
        let ended = if stays { 0 } else { std::mem::take(&mut fleet.idle).len() };
        (200, format!("{{\"sandboxes\":{ended}}}"))
    }
}

/// Sleeps, and tells how long it really took.
fn spend(milliseconds: f64) -> f64 {
    let begun = Instant::now();
    std::thread::sleep(Duration::from_secs_f64(milliseconds / 1000.0));
    begun.elapsed().as_secs_f64() * 1000.0
}
