//! What traces cost an invocation: tracing off, on but not sampled, and sampled.
//!
//! Each mode is a process of its own, as telemetry is started once in a process: this program again with `--child`. CPU time is the
//! thread's own clock, around everything that telemetry does for an invocation with the optimized function's warm steps, the sending
//! included; the modes take turns, and the medians of all rounds are printed. A socket of this program stands in for the daemon.
//! Invariant: every datagram is counted at both ends, or the figure is not printed.

mod child;
mod daemon;
mod instructions;

use std::process::{Command, ExitCode, Stdio};

use daemon::Daemon;

const ROUNDS: usize = 9;
const INVOCATIONS: u64 = 10_000;

/// The marks that this project set itself, in microseconds of CPU above tracing off.
const MARK_NOT_SAMPLED_US: f64 = 3.0;
const MARK_SAMPLED_US: f64 = 50.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Off,
    NotSampled,
    Sampled,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Off, Self::NotSampled, Self::Sampled];

    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NotSampled => "not sampled",
            Self::Sampled => "sampled",
        }
    }

    /// This program as the child of this mode, to be run by itself or by a tool.
    fn child(self, daemon: &Daemon, invocations: u64, tool: &[&str]) -> Result<Command, std::io::Error> {
        let program = std::env::current_exe()?;
        let mut command = match tool {
            [] => Command::new(program),
            [tool, arguments @ ..] => {
                let mut command = Command::new(tool);
                command.args(arguments).arg(program);
                command
            }
        };
        command.args(["--child", self.name(), &invocations.to_string()]).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if self != Self::Off {
            command.env("AWS_XRAY_DAEMON_ADDRESS", daemon.address());
        }
        // The logs that the child writes are part of every mode; its figure comes by stderr.
        command.stdout(Stdio::null()).stdin(Stdio::null()).stderr(Stdio::piped());
        Ok(command)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--child", mode, invocations] => child::run(mode, invocations),
        _ => measure(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench traces: {error}");
            ExitCode::FAILURE
        }
    }
}

type Error = Box<dyn std::error::Error>;

fn measure() -> Result<(), Error> {
    let daemon = Daemon::start()?;
    let mut cpu_us = [(); 3].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (mode, figures) in Mode::ALL.into_iter().zip(&mut cpu_us) {
            figures.push(round(mode, &daemon)?);
        }
    }
    let [off, not_sampled, sampled] = cpu_us.map(median);
    let (documents, bytes) = daemon.per_invocation(ROUNDS as u64 * INVOCATIONS);
    println!("CPU of telemetry an invocation, thread clock, median of {ROUNDS} rounds of {INVOCATIONS}:");
    println!("  tracing off  {off:7.2} us (log line, metric)");
    print_mode("not sampled", not_sampled, off, MARK_NOT_SAMPLED_US);
    print_mode("sampled", sampled, off, MARK_SAMPLED_US);
    println!("  a sampled invocation sends {documents:.2} datagrams of {bytes:.0} bytes together");
    instructions::print(&daemon)
}

fn print_mode(name: &str, cpu_us: f64, off_us: f64, mark_us: f64) {
    let above = cpu_us - off_us;
    let word = if above <= mark_us { "kept" } else { "MISSED" };
    println!("  {name:<12} {cpu_us:7.2} us, {above:6.2} above off (mark {mark_us}: {word})");
}

/// Runs a child to its end; its CPU time for one invocation in microseconds.
fn round(mode: Mode, daemon: &Daemon) -> Result<f64, Error> {
    let before = daemon.received();
    let output = mode.child(daemon, INVOCATIONS, &[])?.output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("the child of mode `{}` failed: {told}", mode.name()).into());
    }
    let expected = if mode == Mode::Sampled { child::datagrams(INVOCATIONS) } else { 0 };
    daemon.wait_for(before + expected)?;
    Ok(told.trim().parse().map_err(|_| format!("the child told no figure: {told}"))?)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
