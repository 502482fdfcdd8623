//! What the experiment file refuses, and how it says so.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Experiment, Program, expand};

const HEAD: &str = "[experiment]\nname = \"x\"\ndescription = \"x\"\n";
const VARIANT: &str = "[[variant]]\nname = \"a\"\npackage = \"a\"\nmemory_mb = 128\ntimeout_s = 3\n";

fn parse(text: &str) -> Result<Experiment, String> {
    Experiment::parse(text, Path::new("some/x.toml")).map_err(|error| error.to_string())
}

fn refused(text: &str, parts: &[&str]) {
    let message = parse(text).expect_err(text);
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn the_experiment_of_the_article_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/experiments/stadiums.toml");
    let experiment = Experiment::load(&path).unwrap();
    let names: Vec<_> = experiment.variants.iter().map(|variant| variant.name.as_str()).collect();
    assert_eq!(names, ["baseline", "baseline-reused", "optimized-256mb", "optimized"]);
    let scenarios = &experiment.profile("article").unwrap().scenarios;
    assert!(scenarios.len() == 2 && scenarios.iter().all(|file| file.is_file()), "{scenarios:?}");
    assert!(experiment.uses_services());
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    refused(&format!("{HEAD}{VARIANT}memroy = 1\n"), &["some/x.toml", "line 9", "memroy", "expected one of"]);
    refused(&format!("{HEAD}colour = 1\n{VARIANT}"), &["line 4", "colour"]);
}

#[test]
fn impossible_values_are_refused_with_line_value_and_mend() {
    let with = |from: &str, to: &str| format!("{HEAD}{VARIANT}").replace(from, to);
    refused(&with("128", "64"), &["line 7", "memory_mb = 64", "128 to 10240"]);
    refused(&with("128", "-1"), &["memory_mb = -1"]);
    refused(&with("timeout_s = 3", "timeout_s = 901"), &["line 8", "1 to 900"]);
    refused(&with("name = \"a\"", "name = \"a b\""), &["line 5", "\"a b\"", "a-z"]);
    refused(&format!("{HEAD}{VARIANT}{VARIANT}"), &["line 10", "\"a\"", "no other function has"]);
    refused(&format!("{HEAD}{VARIANT}command = [\"x\"]\n"), &["either package or command"]);
    refused(&with("package = \"a\"\n", ""), &["line 5", "package = \"<crate>\" or command"]);
    refused(&with("package = \"a\"", "command = []"), &["command = []"]);
    refused(
        &format!("{HEAD}{VARIANT}env = {{ AWS_LAMBDA_X = \"1\" }}\n"),
        &["AWS_LAMBDA_X", "does not set itself"],
    );
    refused(&format!("{HEAD}[parameters]\nname = \"v\"\n{VARIANT}"), &["line 5", "begins with /"]);
    refused(&format!("{HEAD}[secrets]\n\"a b\" = \"v\"\n{VARIANT}"), &["line 5", "\"a b\"", "/_+=.@-"]);
    refused(HEAD, &["variant"]);
}

#[test]
fn secrets_are_values_by_name() {
    let text = format!("{HEAD}[secrets]\n\"db/main\" = '{{\"port\": ${{database.port}}}}'\n{VARIANT}");
    let experiment = parse(&text).unwrap();
    assert_eq!(experiment.secrets["db/main"], "{\"port\": ${database.port}}");
    assert!(experiment.uses_services());
}

#[test]
fn load_profiles_are_checked_and_named() {
    let load = "[load.quick]\nrounds = 4\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n";
    let text = format!("{HEAD}{VARIANT}{load}");
    let message = parse(&text).unwrap().profile("slow").unwrap_err().to_string();
    assert!(message.contains("\"slow\"") && message.contains("quick"), "{message}");
    refused(&text.replace("rounds = 4", "rounds = 1"), &["load.quick.rounds = 1", "2 to 1000"]);
    refused(
        &text.replace("rounds = 4", "rounds = 5"),
        &["line 10", "load.quick.rounds = 5", "even number", "4 or 6"],
    );
    refused(
        &format!("{text}arrivals = [{{ duration_s = 0, arrival_rate = 1 }}]\n"),
        &["line 14", "duration_s 0"],
    );
    refused(&format!("{text}arrivals = [{{ duration_s = 1, arrival_rate = 0 }}]\n"), &["not all 0"]);
}

#[test]
fn a_control_is_a_variant_whose_second_name_is_free() {
    let load = "[load.quick]\nrounds = 2\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n";
    let longest = "n".repeat(57);
    let variants = ["b", "b-control", &longest]
        .map(|name| VARIANT.replace("name = \"a\"", &format!("name = \"{name}\"")));
    let with = |control: &str| format!("{HEAD}{VARIANT}{}{load}control = {control}\n", variants.concat());
    let control = |text: &str| parse(text).unwrap().profile("quick").unwrap().control.clone();
    assert_eq!(control(&with("\"a\"")), ["a"]);
    assert_eq!(control(&with("[\"a\", \"b-control\"]")), ["a", "b-control"]);
    assert!(control(&format!("{HEAD}{VARIANT}{load}")).is_empty());
    refused(
        &with("\"c\""),
        &["line 29", "load.quick.control = \"c\"", "the name of a variant: a, b, b-control, nnn"],
    );
    refused(&with("[\"a\", \"a\"]"), &["control = \"a\"", "each variant once"]);
    refused(&with("\"b\""), &["control = \"b\"", "\"b-control\"", "rename that one"]);
    refused(&with(&format!("{longest:?}")), &["nnn-control\"", "1 to 64", "shorten"]);
    refused(&with("3"), &["line 29", "a variant's name, or a list of names"]);
}

#[test]
fn scenarios_are_paths_beside_the_file_and_never_go_with_arrivals() {
    let load = "[load.quick]\nrounds = 4\ncold_starts = 1\nwarm_up_requests = 1\nwarm_requests = 1\n";
    let text = format!("{HEAD}{VARIANT}{load}");
    assert!(!parse(&text).unwrap().profile("quick").unwrap().has_load());
    let with = format!("{text}scenarios = [\"../scenarios/a.yml\"]\n");
    let experiment = parse(&with).unwrap();
    let profile = experiment.profile("quick").unwrap();
    assert_eq!(profile.scenarios, [Path::new("some/../scenarios/a.yml")]);
    assert!(profile.has_load());
    refused(
        &format!("{with}arrivals = [{{ duration_s = 1, arrival_rate = 1 }}]\n"),
        &["line 14", "load.quick.scenarios = [\"../scenarios/a.yml\"]", "either scenarios or arrivals"],
    );
    refused(&format!("{text}scenarios = []\n"), &["line 14", "scenarios = []", "at least one path"]);
    refused(&format!("{text}scenarios = \"a.yml\"\n"), &["line 14", "expected a sequence"]);
}

#[test]
fn commands_run_in_a_folder_relative_to_the_file() {
    let text = format!("{HEAD}{VARIANT}")
        .replace("package = \"a\"", "command = [\"./run\", \"-x\"]\ndir = \"there\"");
    let experiment = parse(&text).unwrap();
    let program = &experiment.variants[0].program;
    let (file, arguments) = program.runtime_command(Path::new("built"));
    assert_eq!((file.as_path(), arguments), (Path::new("some/there/./run"), vec!["-x".to_owned()]));
}

#[test]
fn packages_lie_where_lambda_has_them() {
    let program = Program::Package { package: "p".to_owned(), binary: "b".to_owned() };
    assert_eq!(program.runtime_command(Path::new("built")).0, Path::new("built/b/bootstrap"));
    assert_eq!(program.extension_command(Path::new("built")).0, Path::new("built/extensions/b"));
}

#[test]
fn placeholders_are_filled_in_or_refused() {
    let values = BTreeMap::from([("database.port".to_owned(), "5432".to_owned())]);
    assert_eq!(expand("p=${database.port};${database.port}", &values).unwrap(), "p=5432;5432");
    for wrong in ["${database.prot}", "${database.port"] {
        let message = expand(wrong, &values).unwrap_err().to_string();
        assert!(message.contains(wrong) && message.contains("known are: database.port"), "{message}");
    }
}

/// Variants `a`, `b`, ..; each with the keys given.
fn rungs(keys: &[&str]) -> String {
    let variants = ('a'..)
        .zip(keys)
        .map(|(name, keys)| VARIANT.replace("name = \"a\"", &format!("name = \"{name}\"")) + keys + "\n");
    HEAD.to_owned() + &variants.collect::<String>()
}

#[test]
fn a_rung_is_compared_with_the_variant_before_it_or_the_one_it_names() {
    let text = rungs(&[
        "",
        "",
        "lever = \" x kept \"",
        "lever = \"y\"",
        "lever = \"z\"\nagainst = \"a\"",
        "lever = \"w\"",
        "",
    ]);
    let experiment = parse(&text).unwrap();
    let seen: Vec<_> = experiment.variants.iter().map(|variant| variant.lever.as_ref()).collect();
    let told = |lever: &super::Lever| (lever.words.clone(), lever.against.clone(), lever.beside);
    let expected = |words: &str, against: &str, beside| Some((words.to_owned(), against.to_owned(), beside));
    assert_eq!(
        seen.into_iter().map(|lever| lever.map(told)).collect::<Vec<_>>(),
        [
            None,
            None,
            expected("x kept", "b", false),
            expected("y", "c", false),
            expected("z", "a", true),
            expected("w", "e", true),
            None
        ]
    );
}

#[test]
fn levers_that_say_nothing_or_have_nothing_to_be_compared_with_are_refused() {
    let lever = |words: &str| rungs(&["", &format!("lever = {words}")]);
    for wrong in ["\"\"", "\"  \"", "\"two\\nlines\"", "\"a\\u0007\"", &format!("\"{}\"", "é".repeat(81))] {
        refused(&lever(wrong), &["line 15", "lever = ", "one line of 1 to 80 characters"]);
    }
    assert!(parse(&lever(&format!("\"{}\"", "é".repeat(80)))).is_ok());
    refused(&rungs(&["lever = \"x\""]), &["line 9", "lever = \"x\"", "the ladder's foot", "against"]);
    refused(
        &rungs(&["", "lever = \"x\"", "", "lever = \"y\""]),
        &["line 27", "\"y\"", "\"c\" before it is no rung"],
    );
    refused(&rungs(&["", "against = \"a\""]), &["line 15", "against = \"a\"", "beside lever"]);
    refused(
        &rungs(&["", "lever = \"x\"\nagainst = \"c\""]),
        &["line 16", "against = \"c\"", "another variant: a"],
    );
    refused(&rungs(&["", "lever = \"x\"\nagainst = \"b\""]), &["line 16", "another variant: a"]);
    refused(&rungs(&["lever = \"x\"\nagainst = \"a\""]), &["line 10", "the file has none"]);
    let setup = format!("{HEAD}{VARIANT}").replace("[[variant]]", "[[setup]]") + "lever = \"x\"\n";
    let setup = setup + &VARIANT.replace("name = \"a\"", "name = \"b\"");
    refused(&setup, &["line 9", "lever = \"x\"", "only in a [[variant]]"]);
}
