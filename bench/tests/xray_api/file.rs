//! What a fetch does with a file that is there already.

use serde_json::{Value, json};

use crate::answers::*;
use crate::run::Run;
use crate::server::Server;

const DOCUMENTS: &str = "traces/documents.jsonl";

fn write(run: &Run, text: &str) {
    std::fs::create_dir_all(run.path("traces")).unwrap();
    std::fs::write(run.path(DOCUMENTS), text).unwrap();
}

#[test]
fn a_second_fetch_adds_to_the_first_and_repeats_nothing() {
    let ids = [trace_id(1), trace_id(2)];
    let run = Run::of(&[&ids[0], &ids[1]]);
    let broken = json!({"Id": "eeeeeeeeeeeeeeee", "Document": "no json"});
    let served = |ids: Vec<String>| {
        let broken = broken.clone();
        Server::new(move |_, _, _| {
            let mut traces: Vec<Value> = ids.iter().map(|id| trace(id, &documents(id))).collect();
            traces[0]["Segments"].as_array_mut().unwrap().push(broken.clone());
            page(&traces, &[], None)
        })
    };
    let first = run.fetch(&served(vec![ids[1].clone()]).endpoint, &["--from=xray"]);
    assert!(first.stdout.contains("1 of 2 traces whole, 3 documents"), "{}", first.stdout);
    let before = run.lines();

    let second = run.fetch(&served(ids.to_vec()).endpoint, &["--from=xray"]);
    assert!(second.stdout.contains("2 of 2 traces whole, 5 documents"), "{}", second.stdout);
    let after = run.lines();
    assert_eq!(after.len(), 5, "{after:#?}");
    let received = after.iter().map(|line| line.split(',').next().unwrap());
    assert!(received.is_sorted(), "the second trace came first: {after:#?}");
    let sound =
        |lines: Vec<String>| lines.into_iter().filter(|line| !line.contains("no json")).collect::<Vec<_>>();
    assert!(sound(before).iter().all(|line| after.contains(line)));

    // X-Ray forgets after 30 days; the file does not.
    let only_first = run.fetch(&served(vec![ids[0].clone()]).endpoint, &["--from=xray"]);
    assert_eq!(only_first.code, Some(0), "{}", only_first.stderr);
    assert_eq!(run.lines().len(), 5, "{:#?}", run.lines());
    assert_eq!(sound(after), sound(run.lines()));
}

#[test]
fn documents_of_the_lab_are_never_overwritten() {
    let run = Run::of(&[&trace_id(1)]);
    let text = "{\"received_unix_us\":1,\"source\":\"daemon\",\"document\":{\"id\":\"a\"}}\n";
    write(&run, text);
    let server = Server::new(|_, body, _| whole(body));
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("line 1: its source is \"daemon\""), "{}", said.stderr);
    assert_eq!(std::fs::read_to_string(run.path(DOCUMENTS)).unwrap(), text);
    assert!(server.asked(BATCH_GET_TRACES).is_empty());
}

#[test]
fn a_fetch_that_finds_nothing_changes_nothing() {
    let run = Run::of(&[&trace_id(1)]);
    let text = format!(
        "{{\"received_unix_us\":1,\"source\":\"xray\",\"document\":{{\"id\":\"a\",\"trace_id\":\"{}\"}}}}\n",
        trace_id(9)
    );
    write(&run, &text);
    let server = Server::new(|_, _, _| page(&[], &[trace_id(1)], None));
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(1));
    for part in ["any of the 1 traces", "tracing is Active", "30 days", "gave up because nothing new came"] {
        assert!(said.stderr.contains(part), "{part:?} is missing in {}", said.stderr);
    }
    assert_eq!(std::fs::read_to_string(run.path(DOCUMENTS)).unwrap(), text);
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let run = Run::of(&[&trace_id(1)]);
    std::fs::write(run.path("traces"), "a file where the folder should be").unwrap();
    let server = Server::new(|_, body, _| whole(body));
    let said = run.fetch(&server.endpoint, &["--from=xray"]);
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("traces/documents.jsonl"), "{}", said.stderr);
}
