//! The experiment's own functions through the real lab: the same answers, and each dependency asked as often as said.
//!
//! They run the binaries that are measured, built by `make build` (which `make test` calls first).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what failed by panicking")]

#[path = "pair/ladder.rs"]
mod ladder;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bench::bodies;
use bench::client::{Client, TraceContext, get};
use bench::control::Control;
use bench::lab::{Lab, Serve};
use http::{StatusCode, Uri};
use lambda_lab::records::{Invocation, Status};
use serde_json::Value;

/// The experiment's lab, with its files in a folder of its own.
struct Pair {
    lab: Lab,
    control: Control,
    dir: tempfile::TempDir,
}

/// Where this test was built to: `<target>/debug/deps/<test>`.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    assert!(target.join("functions").is_dir(), "{} has no functions: run `make build`", target.display());
    target.to_owned()
}

fn experiment() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments/stadiums.toml")).unwrap()
}

impl Pair {
    async fn start(experiment: &str) -> Self {
        Self::start_on("loopback", experiment).await
    }

    async fn start_on(network: &str, experiment: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("experiment.toml");
        std::fs::write(&file, experiment).unwrap();
        let mut lab = Lab::spawn(&Serve {
            program: &target().join("release/lambda-lab"),
            experiment: &file,
            functions_dir: &target().join("functions"),
            records: &dir.path().join("invocations.jsonl"),
            logs: &dir.path().join("logs"),
            traces: &dir.path().join("traces"),
            network,
            ssm_per_second: None,
        })
        .unwrap();
        let control = lab.ready().await.unwrap();
        Self { lab, control, dir }
    }

    async fn get(&self, variant: &str) -> (StatusCode, Value, TraceContext) {
        let trace = TraceContext::random(false);
        let request = get(&self.control.uri(variant).unwrap(), &trace);
        let (status, body) = Client::new(Duration::from_secs(30)).exchange(request).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap(), trace)
    }

    /// GetParameter(s) calls and logins of five requests that a warm sandbox served. On a busy machine a sandbox may still be at work
    /// when the next request comes, and that one meets a new sandbox: then five others are asked.
    async fn asked_by_five(&self, variant: &str) -> (u64, u64) {
        self.get(variant).await;
        for _ in 0..5 {
            let (before, cold_before) = (self.control.counters().await.unwrap(), self.cold_starts());
            for _ in 0..5 {
                assert_eq!(self.get(variant).await.0, 200);
            }
            let after = self.control.counters().await.unwrap();
            let calls = |ssm: &std::collections::BTreeMap<String, u64>| ssm.values().sum::<u64>();
            if self.cold_starts() == cold_before {
                let logins = after.pgbouncer["logins"] - before.pgbouncer["logins"];
                return (calls(&after.ssm) - calls(&before.ssm), logins);
            }
        }
        panic!("{variant}: new sandboxes were started again and again");
    }

    fn cold_starts(&self) -> usize {
        let records = std::fs::read_to_string(self.dir.path().join("invocations.jsonl")).unwrap();
        let records = records.lines().map(|line| serde_json::from_str::<Invocation>(line).unwrap());
        records.filter(|record| record.cold).count()
    }

    /// What the database's superuser, who comes through the server's own socket, is told.
    fn sql(&self, statement: &str) -> String {
        let names = |folder: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(folder).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        let begins = format!("lambda-lab-{}-", self.lab.process_id().unwrap());
        let run_dir =
            names(&std::env::temp_dir()).into_iter().find(|name| name.starts_with(&begins)).unwrap();
        let folder = std::env::temp_dir().join(run_dir).join("postgres");
        let port = names(&folder).iter().find_map(|name| name.strip_prefix(".s.PGSQL.")?.parse::<u16>().ok());
        let mut psql = std::process::Command::new("psql");
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", "lambda_lab", "-d", "app"]);
        psql.arg("-h").arg(&folder).args(["-p", &port.unwrap().to_string(), "-c", statement]);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn log(&self, variant: &str) -> String {
        std::fs::read_to_string(self.dir.path().join("logs").join(format!("{variant}.log"))).unwrap()
    }

    fn records(&self) -> Vec<Invocation> {
        let records = std::fs::read_to_string(self.dir.path().join("invocations.jsonl")).unwrap();
        records.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Stops it and hands its records to `check`.
    async fn stop_and(self, check: impl FnOnce(&[Invocation])) {
        let Self { lab, dir, .. } = self;
        assert!(lab.stop().await.expect("the lab had to be killed").success());
        let records = std::fs::read_to_string(dir.path().join("invocations.jsonl")).unwrap();
        check(&records.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>());
    }

    async fn stop(self) {
        assert!(self.lab.stop().await.expect("the lab had to be killed").success());
    }
}

#[tokio::test]
async fn all_variants_answer_the_same_and_ask_as_often_as_said() {
    let pair = Pair::start(&experiment()).await;
    let names = ["baseline", "baseline-reused", "optimized-256mb", "optimized"];
    let variants: Vec<(String, Uri)> =
        names.map(|name| (name.to_owned(), pair.control.uri(name).unwrap())).to_vec();
    bodies::check(&variants).await.unwrap();
    let (_, stadiums, _) = pair.get("optimized").await;
    assert_eq!(stadiums.as_array().unwrap().len(), 32);
    assert_eq!(pair.asked_by_five("baseline").await, (5, 5));
    for once in ["baseline-reused", "optimized-256mb", "optimized"] {
        assert_eq!(pair.asked_by_five(once).await, (0, 0), "{once}");
    }
    let records = std::fs::read_to_string(pair.dir.path().join("invocations.jsonl")).unwrap();
    let records = records.lines().map(|line| serde_json::from_str::<Invocation>(line).unwrap());
    assert!(records.into_iter().all(|record| record.status == Status::Success));
    pair.stop().await;
}

/// Connections through the delay lines: TLS, tokens, names and counters are as they were, and each request takes at least its
/// round trips.
#[tokio::test]
async fn at_a_distance_all_variants_still_answer_and_pay_for_their_round_trips() {
    let pair = Pair::start_on("cross-az", &experiment()).await;
    assert_eq!(pair.control.ready.network.name, "cross-az");
    assert!(!pair.control.ready.not_emulated.iter().any(|missing| missing.contains("network distance")));
    assert_eq!(pair.asked_by_five("baseline").await, (5, 5));
    assert_eq!(pair.asked_by_five("optimized").await, (0, 0));
    pair.stop_and(|records| {
        let warm = |function: &str, least_ms: f64| {
            let warm = records.iter().filter(|record| record.function == function && !record.cold);
            let durations: Vec<f64> = warm.map(|record| record.duration_ms).collect();
            assert!(
                durations.len() == 5 && durations.iter().all(|ms| *ms >= least_ms),
                "{function}: {durations:?}"
            );
        };
        // SSM: connect, TLS, the call. Database: connect, SSLRequest, TLS, login, query. Each 1 ms; the cache is asked once.
        warm("baseline", 8.0);
        warm("optimized", 1.0);
    })
    .await;
}

#[tokio::test]
async fn a_missing_parameter_is_a_problem_without_its_cause() {
    let user = "\"/stadiums/database/user\" = \"${database.user}\"\n";
    let text = experiment();
    assert!(text.contains(user), "the experiment's parameters have changed");
    let pair = Pair::start(&text.replace(user, "")).await;
    for variant in ["baseline", "optimized"] {
        let (status, problem, trace) = pair.get(variant).await;
        assert_eq!(status, 503, "{variant}: {problem}");
        assert_eq!(problem["traceId"], trace.root, "{variant}");
        assert!(!problem.to_string().contains("database"), "{variant}: {problem}");
        assert!(pair.log(variant).contains("/stadiums/database/user"), "{}", pair.log(variant));
    }
    pair.stop().await;
}

#[tokio::test]
async fn without_its_cache_the_optimized_function_answers_from_the_database() {
    let port = "\"/stadiums/cache/port\" = \"${cache.port}\"";
    let text = experiment();
    assert!(text.contains(port), "the experiment's parameters have changed");
    // Nothing listens on port 1.
    let pair = Pair::start(&text.replace(port, "\"/stadiums/cache/port\" = \"1\"")).await;
    let (_, expected, _) = pair.get("baseline").await;
    for _ in 0..3 {
        let (status, stadiums, _) = pair.get("optimized").await;
        assert_eq!((status.as_u16(), &stadiums), (200, &expected));
    }
    assert!(pair.log("optimized").contains("going on without the cache"), "{}", pair.log("optimized"));
    pair.stop().await;
}

/// What each round of a run begins with.
#[tokio::test]
async fn the_setup_again_leaves_the_table_as_after_the_first_time() {
    let pair = Pair::start(&experiment()).await;
    let (_, stadiums, _) = pair.get("baseline").await;
    // Every byte of the rows but their times, and where each lies: ctid is its page and place.
    let rows = "SELECT ctid, id, name, capacity, location, surface, roof, team, year_opened FROM stadiums ORDER BY ctid";
    let written = "SELECT xmin, ctid FROM stadiums ORDER BY ctid";
    let pages = "SELECT pg_relation_size('stadiums')";
    let (first_rows, first_written, first_pages) = (pair.sql(rows), pair.sql(written), pair.sql(pages));
    assert_eq!(first_rows.lines().count(), 32);

    let checkpoint = "SELECT checkpoint_lsn FROM pg_control_checkpoint()";
    let before = pair.sql(checkpoint);
    pair.control.setup().await.unwrap();
    assert_eq!(pair.sql(written), first_written, "the rows were right and were written all the same");
    assert_eq!(pair.sql("SELECT reltuples FROM pg_class WHERE relname = 'stadiums'"), "32\n");
    assert_ne!(pair.sql(checkpoint), before, "no checkpoint was made");

    pair.sql("DELETE FROM stadiums WHERE id = 7");
    pair.sql("UPDATE stadiums SET capacity = capacity + 1 WHERE id <= 20");
    pair.sql(
        "INSERT INTO stadiums (name, capacity, location, surface, roof, team, year_opened)
              SELECT name, capacity, location, surface, roof, team || number, year_opened
              FROM stadiums, generate_series(1, 10) AS number",
    );
    assert_ne!(pair.get("baseline").await.1, stadiums);
    assert_ne!(pair.sql(pages), first_pages);
    pair.control.setup().await.unwrap();
    assert_eq!(pair.sql(rows), first_rows);
    assert_eq!(pair.sql(pages), first_pages);
    assert_eq!(pair.get("baseline").await.1, stadiums);

    pair.sql("ALTER TABLE stadiums RENAME COLUMN roof TO lid");
    let refused = pair.control.setup().await.unwrap_err().to_string();
    assert!(refused.contains("POST /setup") && refused.contains("populate"), "{refused}");
    pair.sql("ALTER TABLE stadiums RENAME COLUMN lid TO roof");
    pair.control.setup().await.unwrap();
    pair.stop().await;
}
