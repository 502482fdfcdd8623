//! The experiment file of one situation: the user's own, with the situation's limits written into it.
//!
//! Apart from the driving because it is pure, and because the lab thereby needs to know nothing of capacity. Invariant: but for
//! the limits, the variants left out and the load profiles, which the lab does not use, it says what the user's file says.

use std::path::Path;

use lambda_lab::experiment::Experiment;
use toml::{Table, Value};

use super::settings::Situation;

/// Why an experiment cannot be driven to its limits.
#[derive(Debug, thiserror::Error)]
pub enum DerivedError {
    /// A variant the experiment does not have.
    #[error("variant {name:?} of the capacity profile is not in the experiment file; it has: {known}")]
    NoSuchVariant {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The experiment sets a limit itself.
    #[error(
        "the experiment file sets {key}; leave it out, since each situation of the capacity settings sets its own limits"
    )]
    Limited {
        /// What it sets.
        key: String,
    },
    /// The file is not TOML any more, although it just was.
    #[error("the experiment file changed while it was read: {0}")]
    Changed(#[from] toml::de::Error),
    /// It cannot be written as TOML.
    #[error("the experiment file of a situation: {0}")]
    Unwritable(#[from] toml::ser::Error),
}

/// The names of the variants to drive, in the experiment's order: `wanted`, or all.
///
/// # Errors
/// A name the experiment does not have, or a limit that it sets itself.
pub(super) fn variants(
    experiment: &Experiment,
    wanted: Option<&[String]>,
) -> Result<Vec<String>, DerivedError> {
    let names: Vec<String> = experiment.variants.iter().map(|variant| variant.name.clone()).collect();
    if let Some(name) = wanted.unwrap_or_default().iter().find(|name| !names.contains(name)) {
        return Err(DerivedError::NoSuchVariant { name: name.clone(), known: names.join(", ") });
    }
    let limited = experiment.variants.iter().find_map(|variant| {
        let reserved = variant.reserved_concurrency.map(|_| "reserved_concurrency");
        let key = reserved.or((variant.provisioned_concurrency > 0).then_some("provisioned_concurrency"))?;
        Some(format!("{key} of variant {:?}", variant.name))
    });
    let account = experiment.account;
    let account =
        account.concurrent_executions.or(account.new_sandboxes_per_10_s).map(|_| "[account]".to_owned());
    if let Some(key) = limited.or(account) {
        return Err(DerivedError::Limited { key });
    }
    Ok(match wanted {
        Some(wanted) => names.into_iter().filter(|name| wanted.contains(name)).collect(),
        None => names,
    })
}

/// The text of the experiment file for `situation` with the variants `names`, from the user's `text`, which lies in the folder
/// `base` (absolute).
///
/// # Errors
/// If `text` is not TOML.
pub(super) fn text(
    text: &str,
    base: &Path,
    situation: &Situation,
    names: &[String],
) -> Result<String, DerivedError> {
    let mut file: Table = toml::from_str(text)?;
    file.remove("load");
    for kind in ["setup", "variant"] {
        let Some(Value::Array(functions)) = file.get_mut(kind) else { continue };
        if kind == "variant" {
            functions.retain(|function| {
                function
                    .get("name")
                    .and_then(Value::as_str)
                    .is_some_and(|name| names.iter().any(|own| own == name))
            });
        }
        for function in functions.iter_mut().filter_map(Value::as_table_mut) {
            settle(function, base);
            if let Some(reserved) = situation.reserved_concurrency.filter(|_| kind == "variant") {
                function.insert("reserved_concurrency".to_owned(), i64::from(reserved.get()).into());
            }
        }
    }
    if let Some(executions) = situation.concurrent_executions {
        let mut account = Table::new();
        account.insert("concurrent_executions".to_owned(), i64::from(executions.get()).into());
        file.insert("account".to_owned(), account.into());
    }
    Ok(toml::to_string(&file)?)
}

/// Makes the folders of a function's commands absolute: the new file lies elsewhere.
fn settle(function: &mut Table, base: &Path) {
    if function.contains_key("command") {
        let dir = function.get("dir").and_then(Value::as_str).unwrap_or(".");
        let dir = base.join(dir).display().to_string();
        function.insert("dir".to_owned(), dir.into());
    }
    let Some(Value::Array(extensions)) = function.get_mut("extensions") else { return };
    extensions.iter_mut().filter_map(Value::as_table_mut).for_each(|extension| settle(extension, base));
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const TEXT: &str = r#"
        [experiment]
        name = "x"
        description = "an x"
        [parameters]
        "/a" = { value = "${cache.password}", secure = true }
        [[setup]]
        name = "fill"
        command = ["./fill"]
        dir = "tools"
        memory_mb = 256
        timeout_s = 3
        [[variant]]
        name = "a"
        command = ["python3", "a.py"]
        memory_mb = 256
        timeout_s = 3
        extensions = [{ command = ["./e"], dir = "/opt" }, { package = "e" }]
        env = { A = "${ca.bundle}" }
        [[variant]]
        name = "b"
        package = "b"
        memory_mb = 512
        timeout_s = 3
        [load.quick]
        rounds = 2
        cold_starts = 1
        warm_up_requests = 1
        warm_requests = 1
    "#;

    fn situation(reserved: Option<u32>, executions: Option<u32>) -> Situation {
        Situation {
            name: "s".into(),
            description: "s".into(),
            reserved_concurrency: reserved.and_then(NonZeroU32::new),
            concurrent_executions: executions.and_then(NonZeroU32::new),
            ssm_per_second: None,
            warm_up_s: None,
            start_rate: NonZeroU32::MIN,
            ceiling: NonZeroU32::MIN,
        }
    }

    #[test]
    fn but_for_the_limits_the_functions_are_those_of_the_users_file() {
        let own = Experiment::parse(TEXT, Path::new("/home/x/x.toml")).unwrap();
        let names = variants(&own, None).unwrap();
        let derived = text(TEXT, Path::new("/home/x"), &situation(Some(2), Some(10)), &names).unwrap();
        let mut derived = Experiment::parse(&derived, Path::new("/results/s/experiment.toml")).unwrap();
        assert_eq!(derived.account.concurrent_executions, Some(10));
        for variant in &mut derived.variants {
            assert_eq!(variant.reserved_concurrency.take(), Some(2));
        }
        assert_eq!(derived.setup[0].reserved_concurrency, None);
        let paths = |experiment: &Experiment| {
            let functions = experiment.setup.iter().chain(&experiment.variants);
            functions
                .flat_map(|function| std::iter::once(&function.program).chain(&function.extensions))
                .map(|program| (program.runtime_command(Path::new("/built")), program.base_name()))
                .collect::<Vec<_>>()
        };
        assert_eq!(paths(&derived), paths(&own));
        assert_eq!(derived.parameters, own.parameters);
        assert_eq!(derived.variants[0].env, own.variants[0].env);
        assert!(derived.load.is_empty());
    }

    #[test]
    fn only_the_wanted_variants_are_left_and_unknown_ones_are_named() {
        let own = Experiment::parse(TEXT, Path::new("x.toml")).unwrap();
        let names = variants(&own, Some(&["b".to_owned()])).unwrap();
        let derived = text(TEXT, Path::new("/"), &situation(None, None), &names).unwrap();
        let derived = Experiment::parse(&derived, Path::new("x.toml")).unwrap();
        assert_eq!(derived.variants.iter().map(|variant| variant.name.as_str()).collect::<Vec<_>>(), ["b"]);
        let message = variants(&own, Some(&["c".to_owned()])).unwrap_err().to_string();
        assert!(message.contains("\"c\"") && message.contains("a, b"), "{message}");
    }

    #[test]
    fn an_experiment_with_limits_of_its_own_is_refused() {
        for (limit, named) in [
            ("[account]\nconcurrent_executions = 5\n", "[account]"),
            (
                "[[variant]]\nname = \"c\"\npackage = \"c\"\nmemory_mb = 256\ntimeout_s = 3\nreserved_concurrency = 1\n",
                "variant \"c\"",
            ),
        ] {
            let own = Experiment::parse(&format!("{TEXT}\n{limit}"), Path::new("x.toml")).unwrap();
            let message = variants(&own, None).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }
}
