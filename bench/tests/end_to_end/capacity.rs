//! `bench capacity` against the stand-in for the lab. Judged are counts, orders and words, never how much a rate was.

use std::io::{BufRead, BufReader};

use bench::run_file::{Capacity, Knee, RunFile};
use bench::sample::{Phase, Sample};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lines;
use crate::support::{Bench, variant};

const MARKS: &str = "error_share = 0.01\napdex = 0.85\n";
const PROFILE: &str =
    "[profile.quick]\nrounds = 2\nstep_s = 0.4\nwarm_up_s = 0.1\nfactor = 2\nbisections = 1\n";

/// A situation with a low ceiling, so that nothing of this machine is needed.
fn situation(name: &str, limit: &str) -> String {
    format!(
        "[[situation]]\nname = \"{name}\"\ndescription = \"{name}, a test\"\n{limit}\nstart_rate = 20\nceiling = 60\n"
    )
}

fn settings() -> String {
    let situations = situation("one", "reserved_concurrency = 1")
        + &situation("throttled", "concurrent_executions = 7\nssm_per_second = 40");
    format!("{MARKS}{situations}{PROFILE}situations = [\"throttled\", \"one\"]\n")
}

/// Its one sandbox is busy for longer than four arrivals take; the other has nothing to do.
fn pair() -> Bench {
    Bench::new(&(variant("slow", 256, "DELAY_MS = \"200\"") + &variant("fast", 1024, "")), "")
}

fn capacity(run: &RunFile) -> &Capacity {
    run.capacity.as_ref().unwrap()
}

#[test]
fn every_variant_climbs_in_every_situation_and_every_request_is_in_a_step() {
    let bench = pair();
    let said = bench.capacity(&settings());
    assert!(said.succeeded, "{}", said.stderr);
    let folder = bench.only_folder();
    assert!(folder.to_str().unwrap().ends_with("-pair-capacity"), "{}", folder.display());
    let run = RunFile::load(&folder.join("run.json")).unwrap();
    assert!(run.partial.is_none() && run.comparisons.is_empty());
    assert_eq!(run.environment.order, [["slow", "fast"], ["fast", "slow"]]);
    let situations = &capacity(&run).situations;
    let named: Vec<_> = situations.iter().map(|situation| situation.name.as_str()).collect();
    assert_eq!(named, ["one", "throttled"], "in the settings' order");

    let mut accounted = 0;
    for situation in situations {
        let samples: Vec<Sample> = lines(&folder.join(&situation.name).join("samples.jsonl"));
        assert!(samples.iter().all(|sample| sample.phase == Phase::Load && !sample.sampled));
        for knee in &situation.knees {
            assert_eq!((knee.per_round.len(), knee.ended_by.len()), (2, 2));
            check_steps(knee, &samples);
        }
        accounted += samples.len() as u64;
    }
    assert_eq!(run.accounting.sent, accounted);
    let variants = run.variants.iter();
    let (requests, errors): (Vec<_>, Vec<_>) =
        variants.map(|variant| (variant.requests, variant.errors)).unzip();
    assert_eq!(requests.iter().sum::<u64>(), accounted);
    assert_eq!(errors.iter().sum::<u64>(), run.accounting.failed);
    assert!(run.variants.iter().all(|variant| variant.warm_ms.p50.is_none() && variant.load.is_none()));
    for part in ["one: one, a test", "fast / slow", "knee", "Requests accounted for"] {
        assert!(said.stdout.contains(part), "{part:?} is missing in:\n{}", said.stdout);
    }
}

/// Each step's requests are those of the file that begin within it, and no rate is above the ceiling.
fn check_steps(knee: &Knee, samples: &[Sample]) {
    for (at, step) in knee.steps.iter().enumerate() {
        assert!((20.0..=60.0).contains(&step.rate), "{step:?}");
        let next = knee.steps.get(at + 1).filter(|next| next.round == step.round);
        let until = next.map_or(u64::MAX, |next| next.began_us);
        let own = samples.iter().filter(|sample| {
            sample.variant == knee.variant
                && sample.round == step.round
                && (step.began_us..until).contains(&sample.intended_us)
        });
        assert_eq!(own.count() as u64, step.warm_up_requests + step.requests, "{step:?}");
    }
}

#[test]
fn over_the_reserved_concurrency_requests_are_errors_by_name_and_the_knee_is_below() {
    let bench = pair();
    assert!(bench.capacity(&settings()).succeeded);
    let run = RunFile::load(&bench.only_folder().join("run.json")).unwrap();
    let [one, throttled] = capacity(&run).situations.as_slice() else { panic!("two situations") };
    let slow = &one.knees[0];
    assert_eq!((slow.rate, slow.per_round.as_slice()), (None, [None, None].as_slice()));
    assert!(slow.beyond.as_ref().unwrap().errors["http_503"] > 0, "{slow:?}");
    assert_eq!((one.reserved_concurrency, one.ssm_per_second), (Some(1), None));
    assert_eq!((throttled.reserved_concurrency, throttled.ssm_per_second), (None, Some(40)));
    // On a busy machine the climbs end by the host, which is said instead.
    let reason = one.ratios[0].reason.as_ref().unwrap();
    let known = ["slow did not carry the first rate", "is this host's"];
    assert!(known.iter().any(|known| reason.contains(known)), "{reason}");
    let refused = run.variants[0].errors_by_name.get("http_503");
    assert_eq!(refused, Some(&run.variants[0].errors), "nothing else fails here");
}

#[test]
fn each_situation_has_a_lab_of_its_own_with_its_limits() {
    let bench = pair();
    assert!(bench.capacity(&settings()).succeeded);
    let folder = bench.only_folder();
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(read("one/logs/lab.log").contains("ssm-rate off\n"));
    assert!(read("throttled/logs/lab.log").contains("ssm-rate 40\n"));
    assert_eq!(read("one/experiment.toml").matches("reserved_concurrency = 1").count(), 2);
    assert!(read("throttled/experiment.toml").contains("concurrent_executions = 7"));
    let begins = "POST /retire/slow\nPOST /retire/fast\nPOST /cache/flush\n";
    assert_eq!(read("one/logs/lab.log").matches(begins).count(), 4, "each climb begins from nothing");
}

#[test]
fn what_cannot_be_driven_is_refused_before_anything_is_made() {
    let refused = |bench: &Bench, settings: &str, parts: &[&str]| {
        let said = bench.capacity(settings);
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        assert!(parts.iter().all(|part| said.stderr.contains(part)), "{}", said.stderr);
        assert!(!bench.results().exists());
    };
    let sound = settings();
    refused(&pair(), &sound.replace("rounds = 2", "rounds = 3"), &["profile.quick.rounds = 3", "even"]);
    refused(&pair(), &sound.replace("apdex", "apdecks"), &["apdecks", "line 2"]);
    refused(&pair(), &sound.replace("[\"throttled\"", "[\"frozen\""), &["\"frozen\"", "one, throttled"]);
    refused(&pair(), &sound.replace("profile.quick", "profile.full"), &["\"quick\"", "full"]);
    refused(&pair(), &format!("{sound}variants = [\"quick\"]"), &["\"quick\"", "slow, fast"]);
    let limited = variant("a", 256, "").replace("timeout_s", "reserved_concurrency = 3\ntimeout_s");
    refused(&Bench::new(&limited, ""), &sound, &["reserved_concurrency of variant \"a\"", "leave it out"]);
}

#[test]
fn an_interrupted_run_keeps_its_finished_situations() {
    let bench = pair();
    let mut child = bench.start_capacity(&settings());
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line == "throttled: starting the lab"), "the second situation never began");
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let last = told.collect::<Vec<_>>().join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(130), "{last}");
    assert!(last.contains("interrupted") && last.contains("run.json"), "{last}");
    let path = bench.only_folder().join("run.json");
    let run = RunFile::load(&path).unwrap();
    assert_eq!(capacity(&run).situations.len(), 1);
    assert!(run.partial.unwrap().reason.starts_with("1 of 2 situations were finished"));
    assert!(bench.table(&path).succeeded);
}

#[test]
fn interrupted_before_anything_is_finished_there_is_no_run_file() {
    let bench = pair();
    let mut child = bench.start_capacity(&settings());
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(told.any(|line| line == "one: starting the lab"));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(!bench.only_folder().join("run.json").exists());
}
