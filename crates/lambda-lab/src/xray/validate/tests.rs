//! Each rule broken once, and anything at all thrown at it.

use serde_json::{Value, json};

use super::*;

fn segment() -> Value {
    json!({
        "name": "stadiums", "id": "53995c3f42cd8ad8", "trace_id": "1-5759e988-bd862e3fe1be46a994272793",
        "start_time": 1790000000.123456, "end_time": 1790000000.223456,
    })
}

fn subsegment() -> Value {
    let mut subsegment = segment();
    subsegment["type"] = "subsegment".into();
    subsegment["parent_id"] = "0000000000000001".into();
    subsegment
}

fn problems_of(document: &Value) -> Vec<String> {
    problems(document, document.to_string().len(), Author::Function)
}

/// `document` with `value` at `pointer` (null removes it), whose parent is there or made.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (outer, key) = pointer.rsplit_once('/').unwrap();
    if document.pointer(outer).is_none() {
        document = with(document, outer, json!({}));
    }
    let outer = document.pointer_mut(outer).unwrap().as_object_mut().unwrap();
    match value {
        Value::Null => outer.remove(key),
        value => outer.insert(key.replace("~1", "/").replace("~0", "~"), value),
    };
    document
}

/// Where, the value that breaks the rule (null: none), and how the sentence begins.
type Broken = (&'static str, Value, &'static str);

fn long(length: usize) -> Value {
    "x".repeat(length).into()
}

#[rustfmt::skip]
fn broken_segments() -> Vec<Broken> {
    let many: Value = (0..51).map(|number| (format!("k{number}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    vec![
        ("/name", Value::Null, "/name is missing"),
        ("/name", json!(""), "/name is \"\": expected letters"),
        ("/name", json!("GET product:{id}"), "/name is \"GET product:{id}\": expected letters, digits"),
        ("/name", long(201), "/name has 201 characters: expected at most 200"),
        ("/id", Value::Null, "/id is missing: expected 16 hexadecimal digits"),
        ("/id", json!("zz995c3f42cd8ad8"), "/id is \"zz995c3f42cd8ad8\": expected 16 hexadecimal digits"),
        ("/id", json!("53995c3f42cd8ad"), "/id is"),
        ("/trace_id", Value::Null, "/trace_id is missing: expected 1-<8"),
        ("/trace_id", json!("5759e988bd862e3fe1be46a994272793"), "/trace_id is"),
        ("/parent_id", json!(7), "/parent_id is 7: expected 16 hexadecimal digits"),
        ("/start_time", Value::Null, "/start_time is missing: expected seconds"),
        ("/start_time", json!("1790000000"), "/start_time is \"1790000000\": expected seconds"),
        ("/start_time", json!(1_790_000_000_123_u64), "/start_time is 1790000000123: expected seconds"),
        ("/start_time", json!(-1), "/start_time is -1"),
        ("/end_time", Value::Null, "/end_time is missing: expected it, or in_progress: true"),
        ("/end_time", json!(1790000000.0), "/end_time is 1790000000.0: expected no time before start_time"),
        ("/end_time", json!([]), "/end_time is an array of 0: expected seconds"),
        ("/in_progress", json!(true), "/end_time is 1790000000.223456: expected none beside in_progress"),
        ("/in_progress", json!("yes"), "/in_progress is \"yes\": expected true or false"),
        ("/type", json!("segment"), "/type is \"segment\": expected \"subsegment\""),
        ("/fault", json!(1), "/fault is 1: expected true or false"),
        ("/error", json!("no"), "/error is"),
        ("/throttle", json!([]), "/throttle is"),
        (
            "/namespace",
            json!("aws"),
            "/namespace is \"aws\": expected aws, remote or local, and only in a subsegment",
        ),
        ("/user", long(251), "/user is"),
        ("/origin", json!(1), "/origin is 1"),
        ("/annotations", json!([]), "/annotations is an array of 0: expected an object"),
        ("/annotations/a.b", json!(1), "/annotations/a.b is no key of an annotation"),
        ("/annotations/aws.responseLatency", json!(1), "/annotations/aws.responseLatency is no key"),
        ("/annotations/a~1b", json!(1), "/annotations/a~1b is no key of an annotation"),
        (
            "/annotations/key",
            json!({}),
            "/annotations/key is an object with 0 keys: expected a string, a number",
        ),
        ("/annotations/key", long(1001), "/annotations/key has 1001 characters: expected at most 1000"),
        ("/annotations", many, "/annotations has 51 keys: expected at most 50"),
        ("/metadata", json!("text"), "/metadata is \"text\": expected an object"),
        ("/aws", json!(1), "/aws is 1"),
        ("/service/version", json!(2), "/service/version is 2: expected a string"),
        ("/http/request/method", json!(1), "/http/request/method is 1"),
        (
            "/http/request/traced",
            json!(true),
            "/http/request/traced is true: expected true or false, and only in",
        ),
        ("/http/response/status", json!(20), "/http/response/status is 20: expected an HTTP status"),
        ("/http/response/status", json!("200"), "/http/response/status is \"200\""),
        ("/http/response/content_length", json!(-1), "/http/response/content_length is -1"),
        ("/sql", json!({}), "/sql is an object with 0 keys: expected an object, and only in a subsegment"),
        ("/precursor_ids", json!(["1"]), "/precursor_ids is an array of 1: expected an array of ids"),
        ("/cause", json!("why"), "/cause is \"why\": expected the id of an exception"),
        ("/cause/exceptions", json!([{}]), "/cause/exceptions/0/id is missing"),
        ("/cause/exceptions", json!([7]), "/cause/exceptions/0 is 7: expected an object"),
        ("/cause/exceptions", json!({}), "/cause/exceptions is an object with 0 keys: expected an array"),
        ("/cause/paths", json!([7]), "/cause/paths/0 is 7: expected a string"),
        ("/cause/working_directory", json!(7), "/cause/working_directory is 7"),
        ("/subsegments", json!({}), "/subsegments is an object with 0 keys: expected an array"),
        ("/subsegments", json!([7]), "/subsegments/0 is 7: expected an object"),
    ]
}

fn broken_subsegments() -> Vec<Broken> {
    vec![
        ("/parent_id", Value::Null, "/parent_id is missing: expected 16 hexadecimal digits"),
        ("/trace_id", Value::Null, "/trace_id is missing"),
        ("/name", long(251), "/name has 251 characters: expected at most 250"),
        ("/namespace", json!("own"), "/namespace is \"own\": expected aws, remote or local"),
        ("/sql/sanitized_query", json!(1), "/sql/sanitized_query is 1: expected a string"),
    ]
}

#[test]
fn each_rule_is_told_with_place_value_and_mend() {
    for (pointer, value, told) in broken_segments() {
        assert_told(&with(segment(), pointer, value), told);
    }
    for (pointer, value, told) in broken_subsegments() {
        assert_told(&with(subsegment(), pointer, value), told);
    }
}

#[track_caller]
fn assert_told(document: &Value, told: &str) {
    let problems = problems_of(document);
    assert!(
        problems.iter().any(|problem| problem.starts_with(told)),
        "{told:?} is not told of {document}: {problems:?}"
    );
}

#[test]
fn nested_subsegments_are_held_to_the_same_and_must_agree_with_their_place() {
    let nested = |change: &dyn Fn(&mut Value)| {
        let mut inner = json!({ "name": "b", "id": "00000000000000bb", "start_time": 2.0, "end_time": 3.0 });
        change(&mut inner);
        let outer = json!({ "name": "a", "id": "00000000000000aa", "start_time": 1.0, "end_time": 4.0, "subsegments": [inner] });
        problems_of(&with(segment(), "/subsegments", json!([outer])))
    };
    assert_eq!(nested(&|_| ()), [""; 0]);
    assert_eq!(
        nested(&|inner| {
            inner["type"] = "subsegment".into();
            inner["parent_id"] = "00000000000000aa".into();
            inner["trace_id"] = "1-5759e988-bd862e3fe1be46a994272793".into();
        }),
        [""; 0]
    );
    for (key, value, told) in [
        ("end_time", json!(1.5), "/subsegments/0/subsegments/0/end_time is 1.5: expected no time before"),
        (
            "id",
            json!("00000000000000aa"),
            "/subsegments/0/subsegments/0/id is \"00000000000000aa\": expected an id that no other",
        ),
        ("parent_id", json!("53995c3f42cd8ad8"), "/subsegments/0/subsegments/0/parent_id is"),
        (
            "trace_id",
            json!("1-5759e988-bd862e3fe1be46a994272794"),
            "/subsegments/0/subsegments/0/trace_id is",
        ),
        ("type", json!("segment"), "/subsegments/0/subsegments/0/type is"),
    ] {
        let problems = nested(&|inner| inner[key] = value.clone());
        assert!(problems.len() == 1 && problems[0].starts_with(told), "{key}: {problems:?}");
    }
}

#[test]
fn sound_documents_are_left_alone() {
    let everything = json!({
        "type": "subsegment", "parent_id": "0000000000000001", "namespace": "remote", "fault": false, "error": true,
        "annotations": { "ColdStart": true, "Service": "stadiums", "n_1": 1.5 }, "metadata": { "ns": { "k": [1, null] } },
        "http": { "request": { "method": "GET", "url": "http://x", "traced": true }, "response": { "status": 500, "content_length": 3 } },
        "sql": { "sanitized_query": "SELECT *" }, "aws": { "operation": "GetParameters" }, "precursor_ids": ["00000000000000aa"],
        "cause": { "working_directory": "/var/task", "paths": ["a"], "exceptions": [{
            "id": "00000000000000ab", "message": "m", "type": "T", "remote": true, "truncated": 1, "skipped": 0,
            "cause": "00000000000000ac", "stack": [{ "path": "p", "line": 3, "label": "l" }],
        }] },
    });
    let mut document = subsegment();
    document.as_object_mut().unwrap().extend(everything.as_object().unwrap().clone());
    document["name"] = "## Straße_x.:/%&#=+\\-@ 東京".into();
    assert_eq!(problems_of(&document), [""; 0]);
    assert_eq!(
        problems_of(&with(with(segment(), "/end_time", Value::Null), "/in_progress", json!(true))),
        [""; 0]
    );
    assert_eq!(problems_of(&with(segment(), "/cause", json!("53995c3f42cd8ad8"))), [""; 0]);
    let service = with(segment(), "/annotations", json!({ "aws.responseLatency": 1.5 }));
    assert_eq!(problems(&service, 100, Author::Service), [""; 0]);
}

#[test]
fn a_document_of_70_kb_and_what_is_no_object_are_told() {
    let document = with(segment(), "/metadata", json!({ "default": { "large": "x".repeat(70_000) } }));
    let problems = problems_of(&document);
    assert!(problems.len() == 1 && problems[0].starts_with("the document has 70"), "{problems:?}");
    assert!(problems[0].contains("expected at most 65536"), "{problems:?}");
    for none in [json!(null), json!([]), json!("x"), json!(1)] {
        let problems = problems_of(&none);
        assert!(problems.len() == 1 && problems[0].contains("expected an object"), "{problems:?}");
    }
}

#[test]
fn many_problems_make_few_sentences() {
    let annotations: serde_json::Map<_, _> =
        (0..5000).map(|number| (format!("{number}!"), json!([]))).collect();
    let problems = problems_of(&with(segment(), "/annotations", annotations.into()));
    assert_eq!(problems.len(), 21);
    assert_eq!(problems[20], "and 9981 problems more");
    let problems = problems_of(&with(segment(), "/name", json!("*".repeat(100_000))));
    assert!(problems[0].len() < 300, "{}", problems[0].len());
}

/// Any JSON: of the keys that have rules, with values that are nearly right.
fn arbitrary(random: &mut fastrand::Rng, depth: u32) -> Value {
    const KEYS: [&str; 34] = [
        "name",
        "id",
        "trace_id",
        "parent_id",
        "type",
        "start_time",
        "end_time",
        "in_progress",
        "namespace",
        "cause",
        "exceptions",
        "stack",
        "annotations",
        "metadata",
        "subsegments",
        "http",
        "request",
        "response",
        "status",
        "sql",
        "aws",
        "user",
        "origin",
        "service",
        "version",
        "precursor_ids",
        "paths",
        "line",
        "a/b~",
        "",
        "fault",
        "error",
        "throttle",
        "é",
    ];
    const TEXTS: [&str; 8] = [
        "",
        "subsegment",
        "53995c3f42cd8ad8",
        "1-5759e988-bd862e3fe1be46a994272793",
        "aws",
        "1-",
        "\u{0}*\u{10ffff}",
        "é-é-é",
    ];
    match random.u32(0..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.choice(TEXTS).unwrap().into(),
        3 => random.i64(..).into(),
        4 => f64::from_bits(random.u64(..)).into(),
        5 => (0..random.usize(0..4)).map(|_| arbitrary(random, depth - 1)).collect(),
        _ => {
            let keys = (0..random.usize(0..12)).map(|_| *random.choice(&KEYS).unwrap()).collect::<Vec<_>>();
            keys.into_iter()
                .map(|key| (key.to_owned(), arbitrary(random, depth - 1)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
    }
}

#[test]
fn no_json_makes_it_panic_and_only_documents_pass() {
    let mut random = fastrand::Rng::with_seed(4);
    let mut passed = 0;
    for _ in 0..20_000 {
        let value = arbitrary(&mut random, 6);
        let sentences = problems(&value, random.usize(..70_000), Author::Function);
        passed += usize::from(sentences.is_empty());
        assert!(sentences.len() <= 21 && sentences.iter().all(|sentence| sentence.contains(' ')));
    }
    assert_eq!(passed, 0, "nothing arbitrary has a name, an id, a trace and times");
}
