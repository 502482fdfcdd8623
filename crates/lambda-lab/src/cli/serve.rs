//! `lambda-lab serve`: functions on this machine, until Ctrl-C.
//!
//! Parses, wires and waits; everything else is in the library. Invariant: however it ends, short of being killed, it ends what it
//! started first.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lambda_lab::control::FunctionUrl;
use lambda_lab::distance::Network;
use lambda_lab::experiment::{AccountLimits, Experiment, ParameterTemplate};
use lambda_lab::lab::{Lab, Options, default_functions_dir};
use lambda_lab::limits::Wanted;
use lambda_lab::xray::{Sampling, SegmentStyle};
use tokio::sync::mpsc::unbounded_channel;

use super::ending::until_ended;
use super::follow;
use super::functions::Functions;

#[derive(Args)]
pub(super) struct Serve {
    /// The experiment file; bench/experiments/stadiums.toml where no --function is given.
    #[arg(long, conflicts_with = "function")]
    experiment: Option<PathBuf>,
    /// Where built functions lie, each as <binary>/bootstrap.
    #[arg(long)]
    functions_dir: Option<PathBuf>,
    /// Port of the functions' addresses; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Append all functions' logs (START, END and REPORT lines among them) to this file.
    #[arg(long, value_name = "FILE", conflicts_with = "logs_dir")]
    logs: Option<PathBuf>,
    /// Keep one log file per function in this folder.
    #[arg(long, value_name = "DIR")]
    logs_dir: Option<PathBuf>,
    /// How far the dependencies are said to be: loopback, same-az or cross-az. Adds round trips; reports call them modelled.
    #[arg(long, default_value = "loopback")]
    network: Network,
    /// What enforces CPU shares, memory and freezing: auto, cgroup-v2, cgroup-v1 or none.
    #[arg(long, value_name = "BACKEND", default_value = "auto")]
    limits: Wanted,
    /// Leave idle sandboxes running, which Lambda never does: to see what freezing costs.
    #[arg(long)]
    no_freeze: bool,
    /// Seconds before each retry of a failed asynchronous invocation, at most two, or `none`.
    #[arg(long, value_name = "S,S", default_value = "60,120", value_parser = retry_delays)]
    async_retries: RetryDelays,
    /// Requests a second that Parameter Store takes before it throttles, or `off`.
    #[arg(long, value_name = "N", default_value = "40", value_parser = ssm_rate)]
    ssm_rate: SsmRate,
    /// A parameter of the lab's Parameter Store, such as /my/name=value.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter, conflicts_with = "experiment")]
    parameters: Vec<(String, String)>,
    /// A secret of the lab's Secrets Manager.
    #[arg(long = "secret", value_name = "NAME=VALUE", value_parser = secret, conflicts_with = "experiment")]
    secrets: Vec<(String, String)>,
    /// Append a JSON line per invocation to this file.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Append trace documents to DIR/documents.jsonl, and sum them up in DIR/summary.json at the end.
    #[arg(long, value_name = "DIR")]
    traces: Option<PathBuf>,
    /// Which requests to functions with --tracing Active are sampled where their caller has not decided: service (one a second and
    /// 5 % of the others), all or none.
    #[arg(long, value_name = "RULE", default_value = "service")]
    sampling: Sampling,
    /// The format of Lambda's own segments: new (Init and annotations) or old (Initialization, Invocation, Overhead).
    #[arg(long, value_name = "STYLE", default_value = "new")]
    segments: SegmentStyle,
    /// Print a line per invocation.
    #[arg(long, conflicts_with = "ready_line")]
    follow: bool,
    /// Print one ready line, as JSON, for a program that reads it.
    #[arg(long)]
    ready_line: bool,
    /// End when standard input does: the lab then never outlives the program that started it.
    #[arg(long)]
    with_parent: bool,
    #[command(flatten)]
    functions: Functions,
}

/// How long after a failed attempt the next one begins.
#[derive(Clone, Debug)]
struct RetryDelays(Vec<Duration>);

fn retry_delays(text: &str) -> Result<RetryDelays, String> {
    if text == "none" {
        return Ok(RetryDelays(Vec::new()));
    }
    let seconds = text.split(',').map(|word| word.trim().parse::<f64>().ok());
    let delays = seconds.map(|seconds| seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()));
    match delays.collect::<Option<Vec<_>>>() {
        Some(delays) if delays.len() <= 2 => Ok(RetryDelays(delays)),
        _ => Err("expected one or two numbers of seconds, such as 60,120, or none".to_owned()),
    }
}

/// None: no throttling.
#[derive(Clone, Copy, Debug)]
struct SsmRate(Option<NonZeroU32>);

fn ssm_rate(text: &str) -> Result<SsmRate, String> {
    match (text, text.parse()) {
        ("off", _) => Ok(SsmRate(None)),
        (_, Ok(rate)) => Ok(SsmRate(Some(rate))),
        (_, Err(_)) => Err("expected a number of requests a second from 1 on, or off".to_owned()),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if name.starts_with('/') => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE with a name that begins with /, such as /my/name=value".to_owned()),
    }
}

fn secret(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as my/secret=value".to_owned()),
    }
}

/// Serves until it is told to end.
///
/// # Errors
/// The first thing that is wrong; what had started is ended by then.
pub(super) async fn run(serve: Serve) -> anyhow::Result<()> {
    let ended = until_ended(serve.with_parent)?;
    if let Some(folder) = serve.logs.as_ref().filter(|logs| logs.is_dir()) {
        anyhow::bail!("--logs {}: is a folder; name a file, or use --logs-dir", folder.display());
    }
    let experiment = experiment(&serve)?;
    let (invocations, followed) = unbounded_channel();
    let options = Options {
        functions_dir: serve.functions_dir.unwrap_or_else(default_functions_dir),
        records: serve.records,
        logs_dir: serve.logs_dir,
        log_file: serve.logs,
        invocations: serve.follow.then_some(invocations),
        port: serve.port,
        traces: serve.traces,
        sampling: serve.sampling,
        segments: serve.segments,
        network: serve.network,
        limits: serve.limits,
        freeze: !serve.no_freeze,
        async_retry_delays: serve.async_retries.0,
        ssm_rate: serve.ssm_rate.0,
    };
    tokio::pin!(ended);
    let lab = tokio::select! {
        lab = Lab::start(&experiment, &options) => lab?,
        // Dropping the half-started lab ends what it had started.
        () = &mut ended => return Ok(()),
    };
    announce(&lab, serve.ready_line)?;
    let following = tokio::spawn(follow::print(followed));
    tokio::select! {
        () = &mut ended => {}
        () = lab.stop_asked() => {}
    }
    lab.stop().await?;
    drop(options);
    // The lab's own sender is gone by now, so this ends with the last line; a reader that stopped reading does not hold it.
    let _ = tokio::time::timeout(Duration::from_secs(1), following).await;
    Ok(())
}

fn experiment(serve: &Serve) -> anyhow::Result<Experiment> {
    if serve.functions.0.is_empty() {
        let default = || PathBuf::from("bench/experiments/stadiums.toml");
        return Ok(Experiment::load(&serve.experiment.clone().unwrap_or_else(default))?);
    }
    let plain = |(name, value): &(String, String)| ParameterTemplate {
        name: name.clone(),
        value: value.clone(),
        secure: false,
    };
    Ok(Experiment {
        name: "command-line".to_owned(),
        description: "The functions named on the command line.".to_owned(),
        account: AccountLimits::default(),
        parameters: serve.parameters.iter().map(plain).collect(),
        secrets: serve.secrets.iter().cloned().collect(),
        setup: Vec::new(),
        variants: serve.functions.0.clone(),
        load: BTreeMap::new(),
    })
}

/// Standard output gets `NAME URL`, a line each, and nothing else; a reader that went away is no reason to end.
fn announce(lab: &Lab, ready_line: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if ready_line {
        writeln!(out, "{}", serde_json::to_string(lab.ready())?)?;
        return Ok(());
    }
    for function in &lab.ready().functions {
        let _ = writeln!(out, "{} {}", function.name, function.url);
    }
    let _ = out.flush();
    for function in &lab.ready().functions {
        let FunctionUrl { name, url, .. } = function;
        eprintln!("log of {name}: {}", lab.log_path(name).display());
        if let Some((front, _)) = url.rsplit_once('/') {
            eprintln!("function URL of {name}: {front}/function-url/{name}/");
        }
    }
    if let Some(front) = lab.ready().functions.first().and_then(|function| function.url.rsplit_once('/')) {
        eprintln!("Invoke API: {0} (aws lambda invoke --endpoint-url {0} ..)", front.0);
    }
    eprintln!("Ctrl-C ends the lab and every server it started.");
    Ok(())
}
