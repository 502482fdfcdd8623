//! `lambda-lab serve --function ..` as a user runs it: no experiment file, any program.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod serve_common;

use std::process::{Command, Stdio};
use std::time::Duration;

use serve_common::{LAMBDA_LAB, Served, example, get};

/// Longer than a lab that was given wrong words takes to say so.
const PATIENCE: Duration = Duration::from_secs(20);

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[tokio::test]
async fn each_function_has_the_options_that_follow_it() {
    let dir = tempfile::tempdir().unwrap();
    // A folder with a bootstrap in it is a function too.
    std::os::unix::fs::symlink(example("probe"), dir.path().join("bootstrap")).unwrap();
    let (probe, folder) = (example("probe").display().to_string(), dir.path().display().to_string());
    let (first, second) = (format!("first={probe}"), format!("second={folder}"));
    let log = dir.path().join("all.log");
    let mut arguments = words(&["--function", &first, "--memory", "512", "--env", "A=1", "--env", "B=x=y"]);
    arguments.extend(words(&["--timeout", "7", "--function", &second, "--env", "A=2", "--follow"]));
    arguments.extend(["--logs".to_owned(), log.display().to_string()]);
    let mut lab = Served::start(&arguments, 2);
    let urls = lab.urls.clone();
    let env = |name: &str| format!("{}/env", urls[name]);
    // An invocation ends after its answer: the line that says so is awaited, or the next request may find the sandbox still busy.
    let mut lines = Vec::new();
    let first = get(&env("first")).await;
    lines.push(lab.next_line());
    let second = get(&env("second")).await;
    lines.push(lab.next_line());
    assert_eq!((&first["A"], &first["B"]), (&"1".into(), &"x=y".into()));
    assert_eq!((&second["A"], second.get("B")), (&"2".into(), None));
    let memory = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    assert_eq!((&first[memory], &second[memory]), (&"512".into(), &"128".into()));
    for variable in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        assert!(first[variable].as_str().unwrap().ends_with(".pem"), "{variable}: any client trusts the lab");
    }
    let left_ms = get(&format!("{}/deadline", lab.urls["first"])).await;
    lines.push(lab.next_line());
    assert!((3001..=7000).contains(&left_ms.as_u64().unwrap()), "the time-out is 7 s: {left_ms}");

    // A line an invocation, in the order in which they ended, and nothing else on standard output.
    let begins: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(begins, ["first", "second", "first"]);
    assert!(lines[0].contains(", init ") && !lines[2].contains(", init "), "{lines:?}");
    assert!(lines[0].contains(" of 512 MB") && lines[1].contains(" of 128 MB"), "{lines:?}");
    assert!(lab.stop());
    let log = std::fs::read_to_string(log).unwrap();
    for word in ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "] {
        assert_eq!(log.matches(word).count(), 3, "{log}");
    }
}

#[test]
fn wrong_words_are_named_with_the_mend() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    let (plain, folder) = (format!("f={}", plain.display()), format!("f={}", dir.path().display()));
    let probe = format!("f={}", example("probe").display());
    let other = format!("g={}", example("probe").display());
    let reserved = "AWS_LAMBDA_X=1";
    let cases: &[(&[&str], &[&str])] = &[
        (&["--memory", "512", "--function", &probe], &["--memory must come after the --function"]),
        (&["--timeout", "3"], &["--timeout must come after the --function"]),
        (&["--function", &probe, "--memory", "64"], &["64 is not in 128..=10240"]),
        (&["--function", &probe, "--timeout", "901"], &["901 is not in 1..=900"]),
        (&["--function", &probe, "--timeout", "1", "--timeout", "2"], &["twice", "1 and 2"]),
        (
            &["--function", &probe, "--env", "A=1", "--function", &other, "--env", "A=1", "--env", "A=2"],
            &["--env A", "--function g"],
        ),
        (&["--function", &probe, "--function", &probe], &["--function f=.. is there twice"]),
        (&["--function", "f"], &["NAME=PATH"]),
        (&["--function", "a b=x"], &["\"a b\"", "a-z"]),
        (&["--function", "f=/no/such/file"], &["/no/such/file", "No such file"]),
        (&["--function", &folder], &["/bootstrap", "No such file"]),
        (&["--function", &plain], &["not executable", "chmod +x"]),
        (&["--function", &probe, "--env", reserved], &["AWS_LAMBDA_X", "choose another name"]),
        (&["--function", &probe, "--env", "novalue"], &["NAME=VALUE"]),
        (&["--function", &probe, "--experiment", "x.toml"], &["--experiment", "cannot be used with"]),
        (&["--function", &probe, "--logs", "a", "--logs-dir", "b"], &["--logs", "cannot be used with"]),
        (&["--function", &probe, "--logs", &folder[2..]], &[&folder[2..], "--logs-dir"]),
        (&["--function", &probe, "--logs", "/no/such/dir/x"], &["/no/such/dir/x", "No such file"]),
    ];
    for (arguments, parts) in cases {
        let mut command = Command::new(LAMBDA_LAB);
        command.arg("serve").args(*arguments).arg("--with-parent");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // One that starts after all ends with its standard input: held long enough for one that does not.
        let (stdin, (done, is_done)) = (child.stdin.take(), std::sync::mpsc::channel::<()>());
        let holder = std::thread::spawn(move || (is_done.recv_timeout(PATIENCE), stdin));
        let output = child.wait_with_output().unwrap();
        drop(done);
        drop(holder.join());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}: {said}");
        for part in *parts {
            assert!(said.contains(part), "{arguments:?}: {part:?} is missing in: {said}");
        }
    }
}

#[test]
fn a_lab_without_readers_of_its_output_goes_on() {
    let probe = format!("f={}", example("probe").display());
    let mut command = Command::new(LAMBDA_LAB);
    command.args(["serve", "--function", &probe, "--follow"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    std::thread::sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it ended because nobody read its addresses");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
}
