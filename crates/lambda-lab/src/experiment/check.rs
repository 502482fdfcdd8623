//! Turns the experiment file's TOML into checked types, or says what is wrong where.
//!
//! Apart from the types because every rule about a value stands here once. Invariant: each refusal names the file, the line,
//! the value and what is expected instead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::file::{AccountTable, ArrivalTable, File, FunctionTable, LoadTable, ParameterValue, ProgramTable};
use super::{
    AccountLimits, ArrivalPhase, Experiment, Function, LoadProfile, LogFormat, LogSettings,
    ParameterTemplate, Program,
};

/// Why an experiment cannot be run as the file says.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file cannot be read.
    #[error("experiment file {path}: {source}; name an existing file with --experiment")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or type the experiment file does not have.
    #[error("experiment file {path}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The TOML reader's words, with line, column and excerpt.
        message: String,
    },
    /// A value is impossible.
    #[error("experiment file {path}, line {line}: {key} = {value}: {expected}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The key whose value is wrong.
        key: String,
        /// The value.
        value: String,
        /// What is expected instead.
        expected: String,
    },
    /// The profile asked for is not in the file.
    #[error("load profile {name:?} is not in the experiment file; it has: {known}")]
    NoSuchProfile {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// `${key}` names no service value.
    #[error("{template:?} names the unknown value {key:?}; known are: {known}")]
    UnknownPlaceholder {
        /// The text with the placeholder.
        template: String,
        /// The unknown key.
        key: String,
        /// The keys there are.
        known: String,
    },
}

/// The file's text and place, so that a byte range can be told as a line.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

type Checked<T> = Result<T, ExperimentError>;

impl Source<'_> {
    fn invalid(
        &self,
        span: Range<usize>,
        key: &str,
        value: impl std::fmt::Display,
        expected: &str,
    ) -> ExperimentError {
        ExperimentError::Invalid {
            path: self.path.to_owned(),
            line: self.text[..span.start].matches('\n').count() + 1,
            key: key.to_owned(),
            value: value.to_string(),
            expected: expected.to_owned(),
        }
    }

    fn number(&self, key: &str, value: &Spanned<i64>, range: RangeInclusive<u32>) -> Checked<u32> {
        u32::try_from(*value.get_ref()).ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let expected = format!("expected {} to {}", range.start(), range.end());
            self.invalid(value.span(), key, value.get_ref(), &expected)
        })
    }
}

pub(super) fn experiment(text: &str, path: &Path) -> Checked<Experiment> {
    let file: File = toml::from_str(text).map_err(|error| ExperimentError::Malformed {
        path: path.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    })?;
    let source = Source { text, path };
    let mut names = BTreeSet::new();
    let mut functions = |tables: &[FunctionTable]| -> Checked<Vec<Function>> {
        tables.iter().map(|table| function(&source, table, &mut names)).collect()
    };
    let setup = functions(&file.setup)?;
    let variants = functions(&file.variant)?;
    if variants.is_empty() {
        return Err(source.invalid(0..0, "variant", "[]", "expected at least one [[variant]]"));
    }
    let name = file.experiment.name;
    if !is_name(name.get_ref()) {
        return Err(source.invalid(name.span(), "name", quoted(&name), NAME_EXPECTED));
    }
    let load = file
        .load
        .iter()
        .map(|(profile, table)| Ok((profile.clone(), load_profile(&source, profile, table)?)))
        .collect::<Checked<_>>()?;
    Ok(Experiment {
        name: name.into_inner(),
        description: file.experiment.description,
        account: account(&source, &file.account, &variants)?,
        parameters: parameters(&source, file.parameters)?,
        secrets: secrets(&source, file.secrets)?,
        setup,
        variants,
        load,
    })
}

fn account(source: &Source<'_>, table: &AccountTable, variants: &[Function]) -> Checked<AccountLimits> {
    let number = |key: &str, value: &Option<Spanned<i64>>, range: RangeInclusive<u32>| {
        value.as_ref().map(|value| source.number(&format!("account.{key}"), value, range)).transpose()
    };
    let concurrent_executions = number("concurrent_executions", &table.concurrent_executions, 1..=100_000)?;
    let reserved: u32 = variants.iter().filter_map(|variant| variant.reserved_concurrency).sum();
    if let (Some(limit), Some(value)) = (concurrent_executions, &table.concurrent_executions)
        && reserved > limit
    {
        let expected = format!("expected at least {reserved}, which the functions have reserved");
        return Err(source.invalid(value.span(), "account.concurrent_executions", limit, &expected));
    }
    Ok(AccountLimits {
        concurrent_executions,
        new_sandboxes_per_10_s: number("new_sandboxes_per_10_s", &table.new_sandboxes_per_10_s, 1..=100_000)?,
    })
}

const NAME_EXPECTED: &str = "expected 1 to 64 of a-z, A-Z, 0-9, - and _";

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn quoted(value: &Spanned<String>) -> String {
    format!("{:?}", value.get_ref())
}

fn parameters(
    source: &Source<'_>,
    table: BTreeMap<Spanned<String>, ParameterValue>,
) -> Checked<Vec<ParameterTemplate>> {
    let check = |(name, value): (Spanned<String>, ParameterValue)| {
        if !name.get_ref().starts_with('/') {
            let expected = "expected a full parameter name that begins with /";
            return Err(source.invalid(name.span(), "parameters", quoted(&name), expected));
        }
        let (value, secure) = match value {
            ParameterValue::Plain(value) => (value, false),
            ParameterValue::Table(table) => (table.value, table.secure),
        };
        Ok(ParameterTemplate { name: name.into_inner(), value, secure })
    };
    table.into_iter().map(check).collect()
}

/// Names as Secrets Manager allows them,
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html#SecretsManager-CreateSecret-request-Name>.
fn secrets(
    source: &Source<'_>,
    table: BTreeMap<Spanned<String>, String>,
) -> Checked<BTreeMap<String, String>> {
    let check = |(name, value): (Spanned<String>, String)| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
        if !(1..=512).contains(&name.get_ref().len()) || !name.get_ref().bytes().all(allowed) {
            let expected = "expected 1 to 512 of a-z, A-Z, 0-9 and /_+=.@-";
            return Err(source.invalid(name.span(), "secrets", quoted(&name), expected));
        }
        Ok((name.into_inner(), value))
    };
    table.into_iter().map(check).collect()
}

fn function(source: &Source<'_>, table: &FunctionTable, names: &mut BTreeSet<String>) -> Checked<Function> {
    let name = &table.name;
    if !is_name(name.get_ref()) {
        return Err(source.invalid(name.span(), "name", quoted(name), NAME_EXPECTED));
    }
    if !names.insert(name.get_ref().clone()) {
        return Err(source.invalid(
            name.span(),
            "name",
            quoted(name),
            "expected a name no other function has",
        ));
    }
    let own_program = ProgramKeys {
        package: &table.package,
        binary: &table.binary,
        command: &table.command,
        dir: &table.dir,
    };
    let extension = |table: &ProgramTable| {
        let keys = ProgramKeys {
            package: &table.package,
            binary: &table.binary,
            command: &table.command,
            dir: &table.dir,
        };
        program(source, name.span(), &keys)
    };
    let optional = |key: &str, value: &Option<Spanned<i64>>, range: RangeInclusive<u32>| {
        value.as_ref().map(|value| source.number(key, value, range)).transpose()
    };
    let reserved_concurrency = optional("reserved_concurrency", &table.reserved_concurrency, 0..=1000)?;
    let provisioned = &table.provisioned_concurrency;
    let most = reserved_concurrency.unwrap_or(1000);
    let provisioned_concurrency = optional("provisioned_concurrency", provisioned, 0..=most)?.unwrap_or(0);
    Ok(Function {
        name: name.get_ref().clone(),
        program: program(source, name.span(), &own_program)?,
        memory_mb: source.number("memory_mb", &table.memory_mb, 128..=10_240)?,
        timeout_s: source.number("timeout_s", &table.timeout_s, 1..=900)?,
        extensions: table.extensions.iter().map(extension).collect::<Checked<_>>()?,
        reserved_concurrency,
        provisioned_concurrency,
        logging: logging(source, table)?,
        tracing: table.tracing,
        env: environment(source, &table.env)?,
    })
}

/// Levels go with JSON only, as on AWS.
fn logging(source: &Source<'_>, table: &FunctionTable) -> Checked<LogSettings> {
    let application = table.application_log_level.as_ref();
    let system = table.system_log_level.as_ref();
    let place = application.map(Spanned::span).or(system.map(Spanned::span));
    if let (LogFormat::Text, Some(span)) = (table.log_format, place) {
        let expected = "expected only beside log_format = \"JSON\"";
        return Err(source.invalid(span, "application_log_level or system_log_level", "(set)", expected));
    }
    Ok(LogSettings {
        format: table.log_format,
        application_level: application.map(|level| *level.get_ref()).unwrap_or_default(),
        system_level: system.map(|level| *level.get_ref()).unwrap_or_default(),
    })
}

/// Names Lambda sets itself: a function may not, <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
const RESERVED_ENVIRONMENT: [&str; 3] = ["AWS_LAMBDA_", "_HANDLER", "LAMBDA_TASK_ROOT"];

fn environment(
    source: &Source<'_>,
    table: &BTreeMap<Spanned<String>, String>,
) -> Checked<BTreeMap<String, String>> {
    let check = |(name, value): (&Spanned<String>, &String)| {
        let key = name.get_ref();
        if RESERVED_ENVIRONMENT.iter().any(|reserved| key.starts_with(reserved)) || key.contains('=') {
            let expected = "expected a name that Lambda does not set itself";
            return Err(source.invalid(name.span(), "env", quoted(name), expected));
        }
        Ok((key.clone(), value.clone()))
    };
    table.iter().map(check).collect()
}

struct ProgramKeys<'a> {
    package: &'a Option<Spanned<String>>,
    binary: &'a Option<Spanned<String>>,
    command: &'a Option<Spanned<Vec<String>>>,
    dir: &'a Option<Spanned<String>>,
}

fn program(source: &Source<'_>, owner: Range<usize>, keys: &ProgramKeys<'_>) -> Checked<Program> {
    match (keys.package, keys.command) {
        (Some(package), None) => {
            if let Some(dir) = keys.dir {
                return Err(source.invalid(dir.span(), "dir", quoted(dir), "expected only beside command"));
            }
            let binary = keys.binary.as_ref().unwrap_or(package);
            for value in [package, binary] {
                if !is_name(value.get_ref()) {
                    return Err(source.invalid(value.span(), "package", quoted(value), NAME_EXPECTED));
                }
            }
            Ok(Program::Package { package: package.get_ref().clone(), binary: binary.get_ref().clone() })
        }
        (None, Some(command)) => {
            if let Some(binary) = keys.binary {
                let expected = "expected only beside package";
                return Err(source.invalid(binary.span(), "binary", quoted(binary), expected));
            }
            if command.get_ref().is_empty() {
                let expected =
                    "expected the program and its arguments, such as [\"python3\", \"bootstrap.py\"]";
                return Err(source.invalid(command.span(), "command", "[]", expected));
            }
            let dir = keys.dir.as_ref().map_or(".", |dir| dir.get_ref().as_str());
            let base = source.path.parent().unwrap_or(Path::new("."));
            Ok(Program::Command { words: command.get_ref().clone(), dir: base.join(dir) })
        }
        (Some(package), Some(_)) => {
            let expected = "expected either package or command, not both";
            Err(source.invalid(package.span(), "package", quoted(package), expected))
        }
        (None, None) => {
            let expected = "expected package = \"<crate>\" or command = [\"<program>\", ..]";
            Err(source.invalid(owner, "program", "(none)", expected))
        }
    }
}

fn load_profile(source: &Source<'_>, name: &str, table: &LoadTable) -> Checked<LoadProfile> {
    let number = |key: &str, value, range| source.number(&format!("load.{name}.{key}"), value, range);
    let arrival = |phase: &Spanned<ArrivalTable>| {
        let ArrivalTable { duration_s, arrival_rate, ramp_to } = *phase.get_ref();
        let rates = [arrival_rate, ramp_to.unwrap_or(arrival_rate)];
        let sound = (0.1..=3600.0).contains(&duration_s)
            && rates.iter().all(|rate| (0.0..=5000.0).contains(rate))
            && rates.iter().any(|rate| *rate > 0.0);
        if sound {
            return Ok(ArrivalPhase { duration_s, arrival_rate, ramp_to });
        }
        let key = format!("load.{name}.arrivals");
        let value = format!("duration_s {duration_s}, arrival_rate {arrival_rate}, ramp_to {ramp_to:?}");
        let expected = "expected duration_s from 0.1 to 3600 and rates from 0 to 5000 a second, not all 0";
        Err(source.invalid(phase.span(), &key, value, expected))
    };
    Ok(LoadProfile {
        rounds: number("rounds", &table.rounds, 2..=1000)?,
        cold_starts: number("cold_starts", &table.cold_starts, 1..=1000)?,
        warm_up_requests: number("warm_up_requests", &table.warm_up_requests, 1..=100_000)?,
        warm_requests: number("warm_requests", &table.warm_requests, 1..=1_000_000)?,
        arrivals: table.arrivals.iter().map(arrival).collect::<Checked<_>>()?,
    })
}
