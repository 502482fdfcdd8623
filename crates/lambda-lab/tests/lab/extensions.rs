//! External extensions: told of each invocation and of the end.

use crate::support::{TestLab, example};

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_is_told_of_invocations_and_of_the_shutdown() {
    let extension = example("probe_extension");
    let keys = format!(
        "timeout_s = 5\nextensions = [{{ command = [{extension:?}] }}]\nenv = {{ PROBE_EVENTS = \"$DIR/events\" }}"
    );
    let lab = TestLab::start(&keys).await;
    lab.get("/pid").await;
    // Only when the extension is done with the first invocation is the sandbox free for the second.
    lab.records(1).await;
    lab.get("/pid").await;
    let records = lab.records(2).await;
    lab.retire().await;
    let events = std::fs::read_to_string(lab.dir.path().join("events")).unwrap();
    let expected =
        format!("INVOKE {}\nINVOKE {}\nSHUTDOWN spindown\n", records[0].request_id, records[1].request_id);
    assert_eq!(events, expected);
    lab.stop().await;
}
