//! Test support: writes a run folder with traces as the lab does, plausible and the same for the same seed.

#![allow(dead_code, reason = "each test that includes this uses its own part of it")]

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

/// When the run began, seconds since the epoch.
const BEGAN_S: f64 = 1_790_000_000.0;

/// One step: its name, how long it takes in microseconds, and the remote call in it, if any.
type Step = (&'static str, i64, Option<(&'static str, &'static str)>);

const BASELINE: [Step; 4] = [
    ("parameters", 5200, Some(("SSM", "aws"))),
    ("db.connect", 10_400, Some(("pgbouncer", "remote"))),
    ("db.query", 2300, Some(("pgbouncer", "remote"))),
    ("serialize", 60, None),
];
const BASELINE_INIT: [Step; 1] = [("settings", 900, None)];
const OPTIMIZED_WARM: [Step; 1] = [("cache.get", 190, Some(("redis", "remote")))];
const OPTIMIZED_COLD: [Step; 6] = [
    ("parameters", 2300, Some(("extension", "remote"))),
    ("cache.get", 260, Some(("redis", "remote"))),
    ("db.connect", 6100, Some(("pgbouncer", "remote"))),
    ("db.query", 700, Some(("pgbouncer", "remote"))),
    ("serialize", 45, None),
    ("cache.set", 280, Some(("redis", "remote"))),
];
const OPTIMIZED_INIT: [Step; 2] = [("cache.connect", 1800, None), ("tls", 500, None)];

/// The lines of both files.
pub(crate) struct RunFiles {
    pub(crate) invocations: String,
    pub(crate) documents: String,
    random: fastrand::Rng,
    next_id: u64,
    now_us: i64,
}

impl RunFiles {
    pub(crate) fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { invocations: String::new(), documents: String::new(), random, next_id: 0, now_us: 0 }
    }

    /// A run of two variants, with so many cold and warm invocations of each.
    pub(crate) fn plausible(seed: u64, cold: usize, warm: usize) -> Self {
        let mut files = Self::new(seed);
        for _ in 0..cold {
            files.invocation("baseline", Some(2100), &BASELINE_INIT, &BASELINE);
            files.invocation("optimized", Some(3000), &OPTIMIZED_INIT, &OPTIMIZED_COLD);
        }
        for _ in 0..warm {
            files.invocation("baseline", None, &[], &BASELINE);
            files.invocation("optimized", None, &[], &OPTIMIZED_WARM);
        }
        files
    }

    pub(crate) fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder.join("traces")).unwrap();
        std::fs::write(folder.join("invocations.jsonl"), &self.invocations).unwrap();
        std::fs::write(folder.join("traces/documents.jsonl"), &self.documents).unwrap();
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        format!("{:016x}", self.next_id)
    }

    fn about(&mut self, us: i64) -> i64 {
        let luck = self.random.f64();
        (us as f64 * (0.85 + 0.3 * luck + if luck > 0.95 { 2.0 * luck } else { 0.0 })) as i64
    }

    pub(crate) fn document(&mut self, document: &Value, source: &str) {
        let line = json!({"received_unix_us": 1, "source": source, "document": document});
        writeln!(self.documents, "{line}").unwrap();
    }

    pub(crate) fn record(&mut self, function: &str, trace_id: &str, times: (i64, i64), init_us: Option<i64>) {
        let line = json!({"function": function, "request_id": format!("request-{trace_id}"), "trace_id": trace_id,
            "sandbox": "s", "cold": init_us.is_some(), "started_unix_us": BEGAN_S as i64 * 1_000_000 + times.0,
            "init_ms": init_us.map(|us| us as f64 / 1e3), "duration_ms": times.1 as f64 / 1e3, "sampled": true});
        writeln!(self.invocations, "{line}").unwrap();
    }

    fn invocation(&mut self, function: &str, init: Option<i64>, init_steps: &[Step], steps: &[Step]) {
        let trace_id = format!("1-6ab13b80-{:024x}", self.random.u64(..));
        let (service, lambda) = (self.id(), self.id());
        let begin = self.now_us + 1000;
        let init_us = init.map(|us| self.about(us));
        let event = begin + init_us.map_or(0, |us| us + 400);
        if init.is_some() {
            self.steps(&trace_id, &lambda, "## init", begin + 150, init_steps);
        }
        let handler_end = self.steps(&trace_id, &lambda, "## handler", event + 40, steps);
        let end = handler_end + self.about(90);
        let overhead_ms = (end - handler_end) as f64 / 2e3;
        let init_segment = init_us.map(|us| json!({"name": "Init", "id": self.id(), "start_time": seconds(begin), "end_time": seconds(begin + us)}));
        let segment = json!({"name": function, "id": lambda, "parent_id": service, "trace_id": trace_id, "origin": "AWS::Lambda::Function",
            "start_time": seconds(event), "end_time": seconds(end), "subsegments": init_segment.into_iter().collect::<Vec<_>>(),
            "annotations": {"aws.responseLatency": 1.0, "aws.responseDuration": 0.1, "aws.runtimeOverhead": overhead_ms, "aws.extensionOverhead": 0.0}});
        self.document(&segment, "lambda");
        let segment = json!({"name": function, "id": service, "trace_id": trace_id, "origin": "AWS::Lambda", "start_time": seconds(begin - 300),
            "end_time": seconds(end + 100), "http": {"response": {"status": 200}}, "aws": {"request_id": format!("request-{trace_id}")}});
        self.document(&segment, "lambda");
        self.record(function, &trace_id, (event, end - event), init_us);
        self.now_us = end + 2000;
    }

    /// A marked subsegment and its steps, children before their parents; tells its end.
    fn steps(&mut self, trace_id: &str, parent: &str, name: &str, begin: i64, steps: &[Step]) -> i64 {
        let own = self.id();
        let mut now = begin + 12;
        for (step, us, remote) in steps {
            let (id, took) = (self.id(), self.about(*us));
            if let Some((called, namespace)) = remote {
                let mut call = subsegment(&self.id(), &id, trace_id, called, now + 8, now + took - 10);
                call["namespace"] = json!(namespace);
                self.document(&call, "daemon");
            }
            self.document(&subsegment(&id, &own, trace_id, step, now, now + took), "daemon");
            now += took + 3;
        }
        let end = now + 25;
        let mut marked = subsegment(&own, parent, trace_id, name, begin, end);
        if name == "## handler" {
            marked["annotations"] = json!({"ColdStart": true, "Service": "stadiums"});
        }
        self.document(&marked, "daemon");
        end
    }
}

pub(crate) fn subsegment(id: &str, parent: &str, trace_id: &str, name: &str, start: i64, end: i64) -> Value {
    json!({"type": "subsegment", "name": name, "id": id, "parent_id": parent, "trace_id": trace_id,
        "start_time": seconds(start), "end_time": seconds(end)})
}

/// Microseconds since the run began as X-Ray has them.
pub(crate) fn seconds(us: i64) -> f64 {
    BEGAN_S + us as f64 / 1e6
}
