//! The rules for a function of the experiment file: its program, its sizes, its environment.
//!
//! Apart from the file's other tables because a function has most of the keys. Invariant: what passes here can be started, if its
//! program is there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use toml::Spanned;

use super::error::{Checked, Source};
use super::file::{FunctionTable, ProgramTable};
use super::{Function, LogFormat, LogSettings, Program};

pub(super) const NAME_EXPECTED: &str = "expected 1 to 64 of a-z, A-Z, 0-9, - and _";

pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

pub(super) fn quoted(value: &Spanned<String>) -> String {
    format!("{:?}", value.get_ref())
}

/// Checks a function; `names` are those of the functions before it, and its own afterwards.
pub(super) fn function(
    source: &Source<'_>,
    table: &FunctionTable,
    names: &mut BTreeSet<String>,
) -> Checked<Function> {
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
        lever: None,
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
