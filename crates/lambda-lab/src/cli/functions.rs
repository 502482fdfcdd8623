//! `--function NAME=PATH` and the options that belong to it: a function without an experiment file.
//!
//! Apart because clap has no groups that repeat: an option belongs to the `--function` before it, which only the places of the
//! words tell. Ranges are Lambda's, as in the experiment file. Invariant: what leaves here could have come from a valid
//! experiment file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};
use lambda_lab::experiment::{Function, LogFormat, LogSettings, Program, TracingMode};

const FUNCTION: &str = "function";
const MEMORY: &str = "memory";
const TIMEOUT: &str = "timeout";
const ENV: &str = "env";
const EXTENSION: &str = "extension";
const RESERVED: &str = "reserved-concurrency";
const PROVISIONED: &str = "provisioned-concurrency";
const LOG_FORMAT: &str = "log-format";
const TRACING: &str = "tracing";

/// Lambda's defaults, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const DEFAULT_MEMORY_MB: u32 = 128;
const DEFAULT_TIMEOUT_S: u32 = 3;
const MAX_EXTENSIONS: usize = 10;

/// Names Lambda sets itself, <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
const RESERVED_ENVIRONMENT: [&str; 3] = ["AWS_LAMBDA_", "_HANDLER", "LAMBDA_TASK_ROOT"];

/// The functions named on the command line, in its order; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Functions(pub(super) Vec<Function>);

#[derive(Clone, Debug)]
struct Pair {
    name: String,
    value: String,
}

impl Args for Functions {
    fn augment_args(command: Command) -> Command {
        let option = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
        };
        let heading =
            "Functions without an experiment file (each option belongs to the --function before it)";
        command
            .next_help_heading(heading)
            .arg(
                option(FUNCTION, "NAME=PATH", "Serve PATH as the function NAME: a bootstrap, or its folder")
                    .value_parser(function_path),
            )
            .arg(
                option(MEMORY, "MB", "Memory, 128 to 10240 MB [default: 128]")
                    .value_parser(value_parser!(u32).range(128..=10_240)),
            )
            .arg(
                option(TIMEOUT, "S", "Time-out, 1 to 900 seconds [default: 3]")
                    .value_parser(value_parser!(u32).range(1..=900)),
            )
            .arg(
                option(
                    ENV,
                    "NAME=VALUE",
                    "An environment variable; ${database.port} and the like are filled in",
                )
                .value_parser(environment),
            )
            .arg(
                option(EXTENSION, "PATH", "An external extension; its file name is what it registers as")
                    .value_parser(executable),
            )
            .arg(
                option(RESERVED, "N", "At most N sandboxes, 0 to 1000; what is over is throttled")
                    .value_parser(value_parser!(u32).range(0..=1000)),
            )
            .arg(
                option(PROVISIONED, "N", "Initialize N sandboxes before any request, 0 to 1000")
                    .value_parser(value_parser!(u32).range(0..=1000)),
            )
            .arg(
                option(LOG_FORMAT, "FORMAT", "How its log is written [default: Text]")
                    .value_parser(["Text", "JSON"]),
            )
            .arg(
                option(TRACING, "MODE", "X-Ray tracing, Active or PassThrough [default: PassThrough]")
                    .value_parser(value_parser!(TracingMode)),
            )
            .next_help_heading(None::<&str>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Functions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let grouped = Grouped::new(matches)?;
        let mut names = BTreeSet::new();
        let functions = matches.get_many::<(String, PathBuf)>(FUNCTION).unwrap_or_default();
        let functions = functions.enumerate().map(|(number, (name, file))| {
            if !names.insert(name) {
                return Err(wrong(format!(
                    "--function {name}=.. is there twice; give each function its own name"
                )));
            }
            grouped.function(number, name, file)
        });
        functions.collect::<Result<_, _>>().map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The words with the places where each `--function` begins.
struct Grouped<'a> {
    matches: &'a ArgMatches,
    begins: Vec<usize>,
}

impl<'a> Grouped<'a> {
    fn new(matches: &'a ArgMatches) -> Result<Self, clap::Error> {
        let begins: Vec<_> = matches.indices_of(FUNCTION).unwrap_or_default().collect();
        let grouped = Self { matches, begins };
        for option in [MEMORY, TIMEOUT, ENV, EXTENSION, RESERVED, PROVISIONED, LOG_FORMAT, TRACING] {
            let given = matches.value_source(option) == Some(ValueSource::CommandLine);
            let mut places = matches.indices_of(option).unwrap_or_default();
            if given && places.any(|place| grouped.owner(place).is_none()) {
                let message =
                    format!("--{option} must come after the --function NAME=PATH that it belongs to");
                return Err(wrong(message));
            }
        }
        Ok(grouped)
    }

    /// The number of the last `--function` before `place`.
    fn owner(&self, place: usize) -> Option<usize> {
        self.begins.partition_point(|begin| *begin < place).checked_sub(1)
    }

    fn all<T: Clone + Send + Sync + 'static>(&self, option: &str, number: usize) -> Vec<T> {
        let values = self.matches.get_many::<T>(option).unwrap_or_default();
        let places = self.matches.indices_of(option).unwrap_or_default();
        let own = values.zip(places).filter(|(_, place)| self.owner(*place) == Some(number));
        own.map(|(value, _)| value.clone()).collect()
    }

    fn one<T: Clone + Display + Send + Sync + 'static>(
        &self,
        option: &str,
        number: usize,
        function: &str,
    ) -> Result<Option<T>, clap::Error> {
        match &self.all::<T>(option, number)[..] {
            [] => Ok(None),
            [value] => Ok(Some(value.clone())),
            [first, second, ..] => Err(wrong(format!(
                "--{option} is there twice for --function {function}: {first} and {second}; leave one of them"
            ))),
        }
    }

    fn function(&self, number: usize, name: &str, file: &Path) -> Result<Function, clap::Error> {
        let extensions: Vec<PathBuf> = self.all(EXTENSION, number);
        if extensions.len() > MAX_EXTENSIONS {
            let found = extensions.len();
            return Err(wrong(format!(
                "function {name} has {found} extensions; Lambda takes at most {MAX_EXTENSIONS}"
            )));
        }
        let mut env = BTreeMap::new();
        for Pair { name: variable, value } in self.all::<Pair>(ENV, number) {
            if env.insert(variable.clone(), value).is_some() {
                return Err(wrong(format!(
                    "--env {variable}=.. is there twice for --function {name}; leave one of them"
                )));
            }
        }
        let reserved_concurrency = self.one(RESERVED, number, name)?;
        let provisioned_concurrency = self.one(PROVISIONED, number, name)?.unwrap_or(0);
        if reserved_concurrency.is_some_and(|reserved: u32| provisioned_concurrency > reserved) {
            return Err(wrong(format!(
                "function {name}: --provisioned-concurrency {provisioned_concurrency} is more than its --reserved-concurrency"
            )));
        }
        let log_format = match self.one::<String>(LOG_FORMAT, number, name)?.as_deref() {
            Some("JSON") => LogFormat::Json,
            _ => LogFormat::Text,
        };
        Ok(Function {
            name: name.to_owned(),
            program: program(file),
            memory_mb: self.one(MEMORY, number, name)?.unwrap_or(DEFAULT_MEMORY_MB),
            timeout_s: self.one(TIMEOUT, number, name)?.unwrap_or(DEFAULT_TIMEOUT_S),
            extensions: extensions.iter().map(|file| program(file)).collect(),
            reserved_concurrency,
            provisioned_concurrency,
            logging: LogSettings { format: log_format, ..LogSettings::default() },
            tracing: self.one(TRACING, number, name)?.unwrap_or_default(),
            env,
            lever: None,
        })
    }
}

fn wrong(message: String) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, message)
}

/// `file` run in its own folder, as Lambda runs `/var/task/bootstrap` in `/var/task`.
fn program(file: &Path) -> Program {
    let dir = file.parent().unwrap_or(Path::new("/")).to_owned();
    Program::Command { words: vec![file.display().to_string()], dir }
}

fn pair(text: &str, expected: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok(Pair { name: name.to_owned(), value: value.to_owned() })
        }
        _ => Err(format!("expected {expected}")),
    }
}

fn function_path(text: &str) -> Result<(String, PathBuf), String> {
    let Pair { name, value } = pair(text, "NAME=PATH, such as hello=./bootstrap")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.len() > 64 || !name.bytes().all(allowed) {
        return Err(format!("the name {name:?} must be 1 to 64 of a-z, A-Z, 0-9, - and _"));
    }
    let path = Path::new(&value);
    let file = if path.is_dir() { path.join("bootstrap") } else { path.to_owned() };
    Ok((name, executable(&file.display().to_string())?))
}

fn environment(text: &str) -> Result<Pair, String> {
    let pair = pair(text, "NAME=VALUE, such as LOG_LEVEL=debug")?;
    if RESERVED_ENVIRONMENT.iter().any(|reserved| pair.name.starts_with(reserved)) {
        return Err(format!("Lambda sets {} itself; choose another name", pair.name));
    }
    Ok(pair)
}

/// The absolute path of an executable file.
fn executable(text: &str) -> Result<PathBuf, String> {
    let metadata = std::fs::metadata(text).map_err(|error| format!("{text}: {error}"))?;
    if !metadata.is_file() {
        return Err(format!("{text} is no file; name the program"));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(format!("{text} is not executable; run: chmod +x {text}"));
    }
    std::path::absolute(text).map_err(|error| format!("{text}: {error}"))
}
