//! What the SSM endpoint says over real HTTPS: judged by AWS's own client for Python, and byte by byte where no client goes.

mod ssm_common;

use std::process::Command;

use hyper::StatusCode;
use serde_json::json;
use ssm_common::{SIGNED, call, connect, start, start_throttled};

type Headers<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn aws_own_client_for_python_takes_it_for_the_service() {
    if !Command::new("python3").args(["-c", "import boto3"]).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: no boto3");
        return;
    }
    let (endpoint, _folder, authority) = start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ssm_boto3.py");
    let mut python = tokio::process::Command::new("python3");
    python.arg(script).arg(endpoint.url()).arg(authority.ca_path());
    // Nothing of the machine's own AWS settings or trust roots.
    python.env_remove("AWS_CA_BUNDLE").env_remove("REQUESTS_CA_BUNDLE").env_remove("AWS_ENDPOINT_URL");
    python.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let output = python.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, "judged\n", "{}", String::from_utf8_lossy(&output.stderr));

    // What the client sent is what was counted; the stranger's call and the unknown operation are not.
    let counters = endpoint.counters();
    let counted: Vec<(&str, u64)> = counters.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(counted, [("GetParameter", 7), ("GetParameters", 3), ("GetParametersByPath", 8)]);
    endpoint.stop().await;
}

#[tokio::test]
async fn refusals_have_the_services_own_shapes() {
    let (endpoint, _folder, authority) = start().await;
    let mut connection = connect(&endpoint, &authority, "localhost").await.unwrap();
    let target = |operation: &'static str| ("x-amz-target", operation);
    let signed = ("authorization", SIGNED);
    let other_key = SIGNED.replace("AKIDLAB", "AKIDOTHER");
    let other_service = SIGNED.replace("/ssm/", "/s3/");
    let no_signature = SIGNED.replace("Signature=0123", "");
    let get = "AmazonSSM.GetParameter";
    let good = r#"{"Name":"/stadiums/greeting"}"#;
    let cases: [(Headers, &str, &str); 9] = [
        (&[target(get)], good, "MissingAuthenticationTokenException"),
        (&[target(get), ("authorization", "Bearer abc")], good, "IncompleteSignatureException"),
        (&[target(get), ("authorization", &no_signature)], good, "IncompleteSignatureException"),
        (&[target(get), ("authorization", &other_key)], good, "UnrecognizedClientException"),
        (&[target(get), ("authorization", &other_service)], good, "InvalidSignatureException"),
        (&[target("AmazonSSM.Other"), signed], good, "UnknownOperationException"),
        (&[signed], good, "UnknownOperationException"),
        (&[target(get), signed], "{", "SerializationException"),
        (&[target(get), signed], "{}", "ValidationException"),
    ];
    for (headers, body, expected) in cases {
        let (status, error_type, content_type, json) = call(&mut connection, headers, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{expected}");
        assert_eq!((error_type.as_str(), content_type.as_str()), (expected, "application/x-amz-json-1.1"));
        assert_eq!(json["__type"], expected, "{json}");
        assert!(!json["message"].as_str().unwrap().is_empty(), "{json}");
        assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
    }
    let missing = [target(get), signed];
    let (.., json) = call(&mut connection, &missing, r#"{"Name":"/stadiums/none"}"#).await;
    assert_eq!(
        json,
        json!({"__type": "ParameterNotFound", "message": "Parameter /stadiums/none not found."})
    );

    // The connection is kept all the while, and a good call on it is answered; of all these, three and this one count.
    let (status, error_type, content_type, json) = call(&mut connection, &missing, good).await;
    assert_eq!((status, error_type.as_str()), (StatusCode::OK, ""));
    assert_eq!(
        (content_type.as_str(), &json["Parameter"]["Value"]),
        ("application/x-amz-json-1.1", &json!("hello"))
    );
    assert_eq!(endpoint.counters(), [("GetParameter".to_owned(), 4)].into());
    endpoint.stop().await;
}

#[tokio::test]
async fn more_than_the_rate_is_throttled_and_counted() {
    let (endpoint, _folder, authority) = start_throttled(3).await;
    let mut connection = connect(&endpoint, &authority, "localhost").await.unwrap();
    let mut throttled = 0;
    // However slowly this runs, 3 a second are fewer than it asks for within the 20 s that it may take.
    let began = std::time::Instant::now();
    while throttled == 0 && began.elapsed().as_secs() < 20 {
        for operation in ["AmazonSSM.GetParameter", "AmazonSSM.GetParameters"] {
            let headers = [("x-amz-target", operation), ("authorization", SIGNED)];
            let body = r#"{"Name":"/stadiums/greeting","Names":["/stadiums/greeting"]}"#;
            let (status, error_type, _, json) = call(&mut connection, &headers, body).await;
            if status != StatusCode::OK {
                throttled += 1;
                assert_eq!((status, error_type.as_str()), (StatusCode::BAD_REQUEST, "ThrottlingException"));
                assert_eq!(json, json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
            }
        }
    }
    assert!(throttled > 0, "all operations share one rate, and it is enforced");
    assert_eq!(endpoint.counters()["throttled"], throttled);
    endpoint.stop().await;
}

#[tokio::test]
async fn a_token_beyond_all_parameters_is_an_empty_page() {
    let (endpoint, _folder, authority) = start().await;
    let mut connection = connect(&endpoint, &authority, "localhost").await.unwrap();
    let headers = [("x-amz-target", "AmazonSSM.GetParametersByPath"), ("authorization", SIGNED)];
    let body = format!(r#"{{"Path":"/","NextToken":"{}"}}"#, usize::MAX);
    let (status, .., json) = call(&mut connection, &headers, &body).await;
    assert_eq!((status, json), (StatusCode::OK, json!({"Parameters": []})));
    endpoint.stop().await;
}
