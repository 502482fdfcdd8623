//! The words the lab and whoever drives it exchange: the ready line, and the answers of the control port.
//!
//! Apart from the server so that the bench can link these types without the lab's insides. The control port speaks HTTP with
//! `authorization: Bearer <token>`: `POST /retire/{function}` ends that function's sandboxes once idle
//! (and starts its provisioned ones anew), `POST /cache/flush`
//! empties the cache, `POST /setup` runs the setup functions again and tidies the database, `GET /counters` tells what the dependencies counted, `POST /stop` ends the lab. Invariant: every
//! answer is JSON, errors included (`{"message": ".."}`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The one line `lambda-lab serve --ready-line` prints on standard output when every function can be called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Base address of the control port, such as `http://127.0.0.1:41234`.
    pub control: String,
    /// The control port's bearer token, new in each run.
    pub token: String,
    /// Where each function answers HTTP requests.
    pub functions: Vec<FunctionUrl>,
    /// Versions of the servers behind the functions, by name (`postgresql`, `pgbouncer`, `redis`).
    pub versions: BTreeMap<String, String>,
    /// What this machine's backend does not emulate, in the words of the report.
    pub not_emulated: Vec<String>,
    /// How far the dependencies are said to be.
    pub network: NetworkReport,
    /// What enforces a sandbox's CPU share and memory, such as `cgroup v2`; `none` where nothing does.
    pub limits: String,
}

/// The distance that is declared, not measured: round trips added between the functions and their dependencies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkReport {
    /// The network's name, such as `same-az`; `loopback` where nothing is added.
    pub name: String,
    /// The day its figures were read, `YYYY-MM-DD`; none where nothing is added.
    pub source_date: Option<String>,
    /// Milliseconds added to each round trip, by dependency (`ssm`, `database`, `cache`); empty where nothing is added.
    pub round_trips_ms: BTreeMap<String, f64>,
}

/// One function's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionUrl {
    /// The variant's name.
    pub name: String,
    /// Its HTTP API address, such as `http://127.0.0.1:41235/baseline`.
    pub url: String,
    /// The program the lab runs for it.
    pub command: String,
}

/// The answer of `POST /retire/{function}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// How many sandboxes ended.
    pub sandboxes: usize,
}

/// The answer of `GET /counters`: totals since the lab started, as each dependency itself counted them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Calls by operation at the SSM endpoint, such as `GetParameters`, and where there were any, how many were `throttled`.
    pub ssm: BTreeMap<String, u64>,
    /// Calls by operation at the Secrets Manager endpoint.
    #[serde(default)]
    pub secrets: BTreeMap<String, u64>,
    /// PgBouncer's own numbers: `logins`.
    pub pgbouncer: BTreeMap<String, u64>,
    /// Redis' own numbers: `keyspace_hits`, `keyspace_misses`.
    pub redis: BTreeMap<String, u64>,
}

/// An error answer of the control port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What was wrong and what to do.
    pub message: String,
}
