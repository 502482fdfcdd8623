//! Answers in the shape of X-Ray's API reference.

use serde_json::{Value, json};

use crate::server::Answer;

/// Where each operation is.
pub(crate) const BATCH_GET_TRACES: &str = "/Traces";
pub(crate) const GET_TRACE_SUMMARIES: &str = "/TraceSummaries";
pub(crate) const DESTINATION: &str = "/GetTraceSegmentDestination";
pub(crate) const START_RETRIEVAL: &str = "/StartTraceRetrieval";
pub(crate) const LIST_RETRIEVED: &str = "/ListRetrievedTraces";

/// A trace id; the number says which.
pub(crate) fn trace_id(number: u32) -> String {
    format!("1-67000000-{number:024x}")
}

/// The texts of a whole trace's documents, spelt as no serializer of ours would.
pub(crate) fn documents(trace_id: &str) -> [String; 2] {
    let service = format!(
        "{{\"id\":\"aaaaaaaaaaaaaaaa\", \"trace_id\":\"{trace_id}\",\"name\":\"f\",\"start_time\":1.728053248E9,\
         \"end_time\":1728053248.5000,\"origin\":\"AWS::Lambda\"}}"
    );
    let function = format!(
        "{{\"trace_id\":\"{trace_id}\",\"id\":\"bbbbbbbbbbbbbbbb\",\"name\":\"f\",\"start_time\":1.7280532481E9,\
         \"end_time\":1.7280532484E9,\"parent_id\":\"aaaaaaaaaaaaaaaa\",\"origin\":\"AWS::Lambda::Function\",\
         \"subsegments\":[{{\"id\":\"cccccccccccccccc\",\"name\":\"## handler\",\"start_time\":1.72805324815E9,\
         \"end_time\":1.7280532483E9,\"metadata\":{{\"\\u00e9\":1}}}}]}}"
    );
    [service, function]
}

/// A trace of these documents; each segment's id is read from its own text.
pub(crate) fn trace(trace_id: &str, documents: &[impl AsRef<str>]) -> Value {
    let id = |text: &str| Some(text.split_once("\"id\":\"")?.1[..16].to_owned());
    let segments = documents.iter().map(AsRef::as_ref).map(|text| json!({"Id": id(text), "Document": text}));
    json!({"Id": trace_id, "Duration": 0.5, "LimitExceeded": false, "Segments": segments.collect::<Vec<_>>()})
}

/// A page of `BatchGetTraces`.
pub(crate) fn page(traces: &[Value], unprocessed: &[String], next: Option<&str>) -> Answer {
    (200, json!({"Traces": traces, "UnprocessedTraceIds": unprocessed, "NextToken": next}))
}

/// A page with all the traces that a request asks for, whole.
pub(crate) fn whole(body: &Value) -> Answer {
    let ids = asked_ids(body);
    page(&ids.iter().map(|id| trace(id, &documents(id))).collect::<Vec<_>>(), &[], None)
}

/// The ids a request asks for.
pub(crate) fn asked_ids(body: &Value) -> Vec<String> {
    body["TraceIds"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// An error as X-Ray's protocol spells it.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    (status, json!({"__type": code, "Message": message}))
}

/// The account's traces are in X-Ray itself.
pub(crate) fn in_xray() -> Answer {
    (200, json!({"Destination": "XRay", "Status": "ACTIVE"}))
}
