//! Turns the experiment file's TOML into checked types, or says what is wrong where.
//!
//! Apart from the types because every rule about a value stands here once. Invariant: each refusal names the file, the line,
//! the value and what is expected instead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::{Checked, ExperimentError, Source};
use super::file::{AccountTable, ArrivalTable, ControlValue, File, FunctionTable, LoadTable, ParameterValue};
use super::function::{NAME_EXPECTED, function, is_name, quoted};
use super::{
    AccountLimits, ArrivalPhase, Experiment, Function, LoadProfile, ParameterTemplate, control_name, lever,
};

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
    let mut variants = functions(&file.variant)?;
    if variants.is_empty() {
        return Err(source.invalid(0..0, "variant", "[]", "expected at least one [[variant]]"));
    }
    lever::none_in_setup(&source, &file.setup)?;
    for (variant, lever) in variants.iter_mut().zip(lever::levers(&source, &file.variant)?) {
        variant.lever = lever;
    }
    let name = file.experiment.name;
    if !is_name(name.get_ref()) {
        return Err(source.invalid(name.span(), "name", quoted(&name), NAME_EXPECTED));
    }
    let load = file
        .load
        .iter()
        .map(|(profile, table)| {
            let control = control(&source, profile, table, &variants, &names)?;
            Ok((profile.clone(), load_profile(&source, profile, table, control)?))
        })
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

/// The variants that `table` wants measured twice; `names` are those of all functions.
fn control(
    source: &Source<'_>,
    profile: &str,
    table: &LoadTable,
    variants: &[Function],
    names: &BTreeSet<String>,
) -> Checked<Vec<String>> {
    let Some(wanted) = &table.control else { return Ok(Vec::new()) };
    let chosen = match wanted.get_ref() {
        ControlValue::One(name) => std::slice::from_ref(name),
        ControlValue::Several(names) => names,
    };
    for (index, name) in chosen.iter().enumerate() {
        let second = control_name(name);
        let expected = if !variants.iter().any(|variant| variant.name == *name) {
            let known: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
            format!("expected the name of a variant: {}", known.join(", "))
        } else if chosen[..index].contains(name) {
            "expected each variant once".to_owned()
        } else if names.contains(&second) {
            format!(
                "its second measurement is called {second:?}, which is a function's name; rename that one"
            )
        } else if !is_name(&second) {
            format!(
                "its second measurement is called {second:?}: {NAME_EXPECTED}; shorten the variant's name"
            )
        } else {
            continue;
        };
        let key = format!("load.{profile}.control");
        return Err(source.invalid(wanted.span(), &key, format!("{name:?}"), &expected));
    }
    Ok(chosen.to_vec())
}

/// Rounds come in pairs of which the second runs backwards, so that a steady drift of the machine favours none.
fn rounds(source: &Source<'_>, key: &str, value: &Spanned<i64>) -> Checked<u32> {
    let rounds = source.number(key, value, 2..=1000)?;
    if rounds.is_multiple_of(2) {
        return Ok(rounds);
    }
    let expected = format!(
        "expected an even number, because every other round runs backwards; {} or {}",
        rounds - 1,
        rounds + 1
    );
    Err(source.invalid(value.span(), key, rounds, &expected))
}

fn load_profile(
    source: &Source<'_>,
    name: &str,
    table: &LoadTable,
    control: Vec<String>,
) -> Checked<LoadProfile> {
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
        rounds: rounds(source, &format!("load.{name}.rounds"), &table.rounds)?,
        cold_starts: number("cold_starts", &table.cold_starts, 1..=1000)?,
        warm_up_requests: number("warm_up_requests", &table.warm_up_requests, 1..=100_000)?,
        warm_requests: number("warm_requests", &table.warm_requests, 1..=1_000_000)?,
        control,
        arrivals: table.arrivals.iter().map(arrival).collect::<Checked<_>>()?,
        scenarios: scenarios(source, name, table)?,
    })
}

/// The paths of a profile's scenarios, from the experiment file's own folder.
fn scenarios(source: &Source<'_>, profile: &str, table: &LoadTable) -> Checked<Vec<PathBuf>> {
    let Some(files) = &table.scenarios else { return Ok(Vec::new()) };
    let key = format!("load.{profile}.scenarios");
    let listed = || files.get_ref().iter().map(quoted).collect::<Vec<_>>().join(", ");
    if !table.arrivals.is_empty() {
        let expected = "expected either scenarios or arrivals: one of them makes the load";
        return Err(source.invalid(files.span(), &key, format!("[{}]", listed()), expected));
    }
    if files.get_ref().is_empty() || files.get_ref().iter().any(|file| file.get_ref().is_empty()) {
        let expected = "expected at least one path, such as \"../scenarios/sustained.yml\"; without load leave the key out";
        return Err(source.invalid(files.span(), &key, format!("[{}]", listed()), expected));
    }
    let folder = source.path.parent().unwrap_or(Path::new(""));
    Ok(files.get_ref().iter().map(|file| folder.join(file.get_ref())).collect())
}
