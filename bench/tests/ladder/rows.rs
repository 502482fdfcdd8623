//! Ladders that can be reckoned in the head: each variant's rounds are its value times a drift that all variants share.

use std::collections::BTreeMap;
use std::path::Path;

use bench::ladder::rungs;
use bench::run_file::{RunFile, Variant};
use lambda_lab::experiment::{Experiment, Function};

/// Four rounds whose drift cancels in paired ratios.
pub(crate) const DRIFT: [f64; 4] = [1.0, 1.25, 0.8, 1.0];

/// A variant of a ladder: its keys in the experiment file, its warm p50 and package.
pub(crate) struct Step<'a> {
    pub(crate) name: &'a str,
    pub(crate) keys: &'a str,
    pub(crate) warm_ms: f64,
    /// What each round's warm value is multiplied by beside the drift.
    pub(crate) scatter: [f64; 4],
    pub(crate) package_bytes: Option<u64>,
}

/// One whose rounds scatter in no way of their own.
pub(crate) fn step<'a>(name: &'a str, keys: &'a str, warm_ms: f64) -> Step<'a> {
    Step { name, keys, warm_ms, scatter: [1.0; 4], package_bytes: Some(8_000_000) }
}

/// The functions of an experiment with these variants.
pub(crate) fn functions(steps: &[Step<'_>]) -> Vec<Function> {
    let variants = steps.iter().map(|step| {
        let Step { name, keys, .. } = step;
        format!("[[variant]]\nname = \"{name}\"\npackage = \"x\"\nmemory_mb = 256\ntimeout_s = 3\n{keys}\n")
    });
    let text = format!("[experiment]\nname = \"l\"\ndescription = \"l\"\n{}", variants.collect::<String>());
    Experiment::parse(&text, Path::new("l.toml")).unwrap().variants
}

/// Their numbers: cold 100 ms and the warm value, CPU and cost in proportion.
pub(crate) fn variants(steps: &[Step<'_>]) -> Vec<Variant> {
    steps.iter().map(variant).collect()
}

fn variant(step: &Step<'_>) -> Variant {
    let rounds = |value: f64| DRIFT.map(|drift| Some(value * drift)).to_vec();
    let warm = DRIFT.iter().zip(step.scatter).map(|(drift, scatter)| Some(step.warm_ms * drift * scatter));
    Variant {
        name: step.name.to_owned(),
        package_bytes: step.package_bytes,
        max_memory_mb: Some(20.0),
        throttled_ms_per_invoke: Some(step.warm_ms / 4.0),
        per_round: BTreeMap::from([
            ("warm_ms_p50".to_owned(), warm.collect()),
            ("cold_ms_p50".to_owned(), rounds(100.0 + step.warm_ms)),
            ("init_ms_p50".to_owned(), rounds(50.0)),
            ("cpu_ms_per_invoke".to_owned(), rounds(step.warm_ms / 10.0)),
            ("cost_per_million_usd".to_owned(), rounds(0.2 + step.warm_ms / 100.0)),
        ]),
        ..fixture().variants[0].clone()
    }
}

/// The fixture of all reports.
pub(crate) fn fixture() -> RunFile {
    RunFile::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/run.json")).unwrap()
}

/// A run of `steps` on `network`; its first variant compared with each other one.
pub(crate) fn run(steps: &[Step<'_>], network: &str) -> RunFile {
    let mut run = fixture();
    run.variants = variants(steps);
    run.ladder = rungs(&functions(steps), &run.variants, |_| None);
    run.comparisons.truncate(1);
    let compared = run.comparisons[0].clone();
    let top = steps.iter().rfind(|step| step.keys.contains("lever") && !step.keys.contains("against"));
    run.comparisons[0].from = steps[0].name.to_owned();
    run.comparisons[0].to = top.map_or(compared.to, |step| step.name.to_owned());
    let of_warm = &mut run.comparisons[0].metrics[0];
    let ratio = top.map_or(1.0, |step| step.warm_ms) / steps[0].warm_ms;
    (of_warm.ratio, of_warm.interval) = (Some(ratio), Some([ratio * 0.98, ratio * 1.02]));
    run.environment.network.name = network.to_owned();
    run.environment.profile.rounds = 4;
    if network == "loopback" {
        run.modelled.clear();
    }
    run.experiment = "ladder".to_owned();
    run
}

/// Six rungs of which one earns nothing, one costs, and one stands beside the way.
pub(crate) fn six(far: f64) -> Vec<Step<'static>> {
    let noisy = [1.03, 0.98, 1.02, 0.97];
    vec![
        step("baseline", "", 100.0 + 60.0 * far),
        Step {
            scatter: [1.01, 0.99, 1.0, 1.0],
            ..step("client-kept", "lever = \"SDK client made once, in INIT\"", 50.0 + 4.0 * far)
        },
        Step {
            scatter: noisy,
            ..step("lean-query", "lever = \"one lean prepared query instead of the ORM\"", 50.0 + 4.0 * far)
        },
        Step {
            package_bytes: Some(2_400_000),
            ..step("extension", "lever = \"parameters from the extension\"", 60.0 + 4.0 * far)
        },
        step("cache-aside", "lever = \"the JSON body kept in Redis for 10 s\"", 5.0 + far),
        step("memory-size", "lever = \"1024 MB instead of 256\"", 1.25 + far / 4.0),
        step(
            "floor-redis",
            "lever = \"floor: one bare Redis GET\"\nagainst = \"memory-size\"",
            0.5 + far / 4.0,
        ),
    ]
}

/// The full set and what it is without each of two levers.
pub(crate) fn without() -> Vec<Step<'static>> {
    vec![
        step("optimized", "", 1.25),
        step("without-memory", "lever = \"1024 MB instead of 256\"\nagainst = \"optimized\"", 5.0),
        Step {
            scatter: [1.03, 0.98, 1.02, 0.97],
            ..step(
                "without-extension",
                "lever = \"parameters from the extension\"\nagainst = \"optimized\"",
                1.25,
            )
        },
    ]
}
