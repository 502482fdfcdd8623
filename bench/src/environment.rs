//! Where and how a run was measured.
//!
//! Apart from the measuring because it only describes. Invariant: a fact that this machine does not tell is `null`; nothing is
//! assumed.

use std::collections::BTreeMap;
use std::process::Command;

use lambda_lab::control::{NetworkReport, Ready};
use lambda_lab::experiment::LoadProfile;
use serde::{Deserialize, Serialize};

use crate::interference::Interference;
use crate::prices::Prices;
use crate::sampling::Tracing;
use crate::scenario::{Form, Offered, ScenarioFile};
use crate::states::States;

/// The machine, the build and the settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// What was measured: `lab`.
    pub target: String,
    /// The commit of the working tree the bench was started in.
    pub git_sha: Option<String>,
    /// Whether that tree had changes.
    pub git_dirty: Option<bool>,
    /// `rustc --version`.
    pub rustc: Option<String>,
    /// The processor's name.
    pub cpu_model: Option<String>,
    /// Processors this process may use.
    pub cores: usize,
    /// The host's architecture, which the lab's functions run on.
    pub architecture: String,
    /// Frequency governor of the first processor.
    pub governor: Option<String>,
    /// System name and release.
    pub kernel: Option<String>,
    /// Load averages over 1, 5 and 15 minutes at the start.
    pub load_average_before: Option<[f64; 3]>,
    /// And at the end.
    pub load_average_after: Option<[f64; 3]>,
    /// Versions of the servers behind the functions.
    pub servers: BTreeMap<String, String>,
    /// How far the dependencies are said to be: modelled, not measured.
    pub network: NetworkReport,
    /// Which requests were traced.
    pub tracing: Tracing,
    /// What enforced a sandbox's CPU share and memory; `none` where nothing did.
    pub limits: String,
    /// What each round suffered from the host.
    pub interference: Vec<Interference>,
    /// How much of everything.
    pub profile: Profile,
    /// From which state each part was measured; none before version 4, which did not declare them.
    pub states: Option<States>,
    /// The arms of each round in the order of their turns: the variants, and the second measurements of controls.
    pub order: Vec<Vec<String>>,
    /// The prices the cost was computed by.
    pub prices: Prices,
}

/// The load profile's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// How often every variant was measured.
    pub rounds: u32,
    /// Cold starts per variant and round.
    pub cold_starts: u32,
    /// Warm requests before the measured ones, per variant and round.
    pub warm_up_requests: u32,
    /// Measured warm requests per variant and round.
    pub warm_requests: u32,
    /// The load phase's arrivals, where the experiment file makes them.
    pub arrivals: Vec<Arrivals>,
    /// The scenario files that make them instead, in order.
    pub scenarios: Vec<ScenarioFile>,
    /// How a ramp grows.
    pub ramps: Form,
    /// How long a request of the load phase may take, in milliseconds; then it is a time-out.
    pub time_limit_ms: f64,
    /// Apdex: answers of the load phase up to this are satisfying, in milliseconds.
    pub apdex_threshold_ms: f64,
}

/// A stretch of open-loop load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Its length, in seconds.
    pub duration_s: f64,
    /// Arrivals a second at its start.
    pub arrival_rate: f64,
    /// Arrivals a second at its end, where it ramps.
    pub ramp_to: Option<f64>,
}

impl Profile {
    /// Whether the load phase of a run with `other` sends the same requests at the same instants.
    pub fn same_load(&self, other: &Self) -> bool {
        let made =
            |profile: &Self| profile.scenarios.iter().map(|file| file.sha256.clone()).collect::<Vec<_>>();
        self.arrivals == other.arrivals && made(self) == made(other) && self.ramps == other.ramps
    }

    /// The numbers of `profile` and of what it offered.
    pub fn new(profile: &LoadProfile, offered: &Offered) -> Self {
        let arrivals = profile.arrivals.iter().map(|phase| Arrivals {
            duration_s: phase.duration_s,
            arrival_rate: phase.arrival_rate,
            ramp_to: phase.ramp_to,
        });
        Self {
            rounds: profile.rounds,
            cold_starts: profile.cold_starts,
            warm_up_requests: profile.warm_up_requests,
            warm_requests: profile.warm_requests,
            arrivals: arrivals.collect(),
            scenarios: offered.files.clone(),
            ramps: offered.form,
            time_limit_ms: offered.time_limit.as_secs_f64() * 1000.0,
            apdex_threshold_ms: offered.apdex_threshold_ms,
        }
    }
}

impl Environment {
    /// Describes this machine now, before the run: what is known only later (see [`Environment::complete`]) is left empty.
    pub fn before(profile: impl Into<Profile>, order: Vec<Vec<String>>, prices: Prices) -> Self {
        let git_sha = first_line("git", &["rev-parse", "HEAD"]);
        let git_dirty = git_sha.as_ref().and_then(|_| output("git", &["status", "--porcelain"]));
        Self {
            target: "lab".to_owned(),
            git_dirty: git_dirty.map(|changes| !changes.trim().is_empty()),
            git_sha,
            rustc: first_line("rustc", &["--version"]),
            cpu_model: cpu_model(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            architecture: std::env::consts::ARCH.to_owned(),
            governor: file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
                .map(|text| text.trim().to_owned()),
            kernel: first_line("uname", &["-sr"]),
            load_average_before: load_average(),
            load_average_after: None,
            servers: BTreeMap::new(),
            network: NetworkReport::default(),
            tracing: Tracing::Off,
            limits: String::new(),
            interference: Vec::new(),
            profile: profile.into(),
            states: None,
            order,
            prices,
        }
    }

    /// Adds what is known after the run: what the lab told when it was `ready`, and what the rounds suffered.
    pub fn complete(&mut self, ready: &Ready, interference: Vec<Interference>) {
        self.servers.clone_from(&ready.versions);
        self.network.clone_from(&ready.network);
        self.limits.clone_from(&ready.limits);
        self.interference = interference;
        self.load_average_after = load_average();
    }
}

fn load_average() -> Option<[f64; 3]> {
    parse_load_average(&file("/proc/loadavg").or_else(|| first_line("sysctl", &["-n", "vm.loadavg"]))?)
}

/// `0.10 0.20 0.30 1/200 4242` on Linux, `{ 0.10 0.20 0.30 }` on macOS.
fn parse_load_average(text: &str) -> Option<[f64; 3]> {
    let numbers = text.split_whitespace().filter(|word| *word != "{").map_while(|word| word.parse().ok());
    numbers.take(3).collect::<Vec<f64>>().try_into().ok()
}

fn cpu_model() -> Option<String> {
    let told = file("/proc/cpuinfo").and_then(|text| parse_cpu_model(&text));
    told.or_else(|| first_line("sysctl", &["-n", "machdep.cpu.brand_string"]))
}

fn parse_cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, model)| model.trim().to_owned())
}

fn file(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    output(program, arguments)?.lines().next().map(|line| line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_averages_are_read_as_linux_and_macos_print_them() {
        assert_eq!(parse_load_average("0.10 1.20 12.30 1/200 4242\n"), Some([0.10, 1.20, 12.30]));
        assert_eq!(parse_load_average("{ 0.10 1.20 12.30 }"), Some([0.10, 1.20, 12.30]));
        assert_eq!(parse_load_average("0.10 1.20"), None);
    }

    #[test]
    fn the_processors_name_is_read() {
        let cpuinfo = "processor\t: 0\nmodel\t\t: 1\nmodel name\t: A Fast One @ 2.0GHz\n";
        assert_eq!(parse_cpu_model(cpuinfo).as_deref(), Some("A Fast One @ 2.0GHz"));
        assert_eq!(parse_cpu_model("processor : 0"), None);
    }
}
