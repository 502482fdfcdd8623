//! What the extension asks the services, and what it answers its callers.

mod support;

use http::StatusCode;
use serde_json::json;
use support::service::Service;
use support::{Extension, TOKEN, get, signature};

#[tokio::test]
async fn the_answer_is_the_services_own_with_result_metadata() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    let answer = extension
        .get("/systemsmanager/parameters/get?name=%2Fstadiums%2Fdatabase%2Fhost&withDecryption=true")
        .await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().unwrap())
    );
    let expected =
        r#"{"Parameter":{"Value":"value 1","LastModifiedDate":1.7000000001E9},"ResultMetadata":{}}"#;
    assert_eq!(answer.body, expected, "byte for byte");

    let call = &service.calls()[0];
    assert_eq!(call.json(), json!({"Name": "/stadiums/database/host", "WithDecryption": true}));
    assert_eq!(call.header("x-amz-target"), "AmazonSSM.GetParameter");
    assert_eq!(call.header("content-type"), "application/x-amz-json-1.1");
}

#[tokio::test]
async fn calls_are_signed_for_their_service_with_the_functions_credentials() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    extension.parameter("/a").await;
    extension.get("/secretsmanager/get?secretId=prod%2Fkey").await;
    let calls = service.calls();
    signature::verify(&calls[0], "secret/key+example", "eu-central-1", "ssm");
    signature::verify(&calls[1], "secret/key+example", "eu-central-1", "secretsmanager");
    for call in &calls {
        assert_eq!(call.header("x-amz-security-token"), TOKEN);
        assert_eq!(call.header("x-amz-date"), "20270115T080000Z", "the clock's time");
        for name in ["host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
            assert!(call.header("authorization").contains(name), "{name} is not signed");
        }
    }
}

#[tokio::test]
async fn version_label_and_decryption_are_asked_for_and_kept_apart() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    for query in
        ["name=/a", "name=/a&version=3", "name=/a&label=live", "name=/a&withDecryption=true", "name=/b"]
    {
        for _ in 0..2 {
            assert_eq!(
                extension.get(&format!("/systemsmanager/parameters/get?{query}")).await.status,
                StatusCode::OK
            );
        }
    }
    let asked: Vec<_> = service.calls().iter().map(support::service::Call::json).collect();
    let expected = [
        json!({"Name": "/a", "WithDecryption": false}),
        json!({"Name": "/a:3", "WithDecryption": false}),
        json!({"Name": "/a:live", "WithDecryption": false}),
        json!({"Name": "/a", "WithDecryption": true}),
        json!({"Name": "/b", "WithDecryption": false}),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn secrets_are_asked_for_with_what_was_given_and_live_by_their_own_time() {
    let service = Service::start().await;
    service.reply(200, r#"{"Name":"prod/key","SecretString":"hush"}"#);
    let extension =
        Extension::start(&service, &[("SECRETS_MANAGER_TTL", "10"), ("SSM_PARAMETER_STORE_TTL", "100")])
            .await;
    let path = "/secretsmanager/get?secretId=prod%2Fkey&versionStage=AWSCURRENT";
    let answer = extension.get(path).await;
    assert_eq!(answer.body, r#"{"Name":"prod/key","SecretString":"hush","ResultMetadata":{}}"#);
    assert_eq!(service.calls()[0].json(), json!({"SecretId": "prod/key", "VersionStage": "AWSCURRENT"}));
    assert_eq!(service.calls()[0].header("x-amz-target"), "secretsmanager.GetSecretValue");
    extension.get("/secretsmanager/get?secretId=x&versionId=0123").await;
    assert_eq!(service.calls()[1].json(), json!({"SecretId": "x", "VersionId": "0123"}));
    extension.parameter("/a").await;
    extension.advance(10);
    extension.get(path).await;
    extension.parameter("/a").await;
    assert_eq!(service.count(), 4);
}

#[tokio::test]
async fn the_services_error_reaches_the_caller_as_it_is() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    for (status, body) in [
        (400, r#"{"__type":"ParameterNotFound","message":"no such parameter"}"#),
        (500, r#"{"__type":"InternalServerError"}"#),
    ] {
        service.reply(status, body);
        let answer = extension.parameter("/missing").await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
        assert_eq!(answer.headers["content-type"], "application/x-amz-json-1.1");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_json_object_is_an_error() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    for body in ["", "<html>", "[]", "\"text\"", r#"{"Parameter":{}"#] {
        service.reply(200, body);
        assert_eq!(extension.parameter("/a").await.status, StatusCode::BAD_GATEWAY, "{body}");
    }
    service.reply(200, " {}\n");
    assert_eq!(extension.parameter("/a").await.body, r#"{"ResultMetadata":{}}"#);
}

#[tokio::test]
async fn an_answer_larger_than_any_value_is_an_error() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    let answer_of = |bytes: usize| format!(r#"{{"Parameter":{{"Value":"{}"}}}}"#, "x".repeat(bytes));
    service.reply(200, &answer_of(1024 * 1024));
    assert_eq!(extension.parameter("/a").await.status, StatusCode::BAD_GATEWAY);
    service.reply(200, &answer_of(64 * 1024));
    assert_eq!(extension.parameter("/a").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_given_up() {
    let service = Service::start().await;
    let variables =
        [("SSM_PARAMETER_STORE_TIMEOUT_MILLIS", "50"), ("PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS", "1")];
    let extension = Extension::start(&service, &variables).await;
    service.hold();
    let (held, waiting) = tokio::join!(extension.parameter("/a"), extension.parameter("/b"));
    for answer in [held, waiting] {
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
        assert!(answer.body.contains("50 ms"), "{}", answer.body);
    }
    service.release();
    assert_eq!(
        extension.parameter("/a").await.status,
        StatusCode::OK,
        "a later caller is not held by the earlier failure"
    );
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_named() {
    let service = Service::start().await;
    // A port that was free a moment ago, and nobody listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let extension = Extension::start(&service, &[("AWS_ENDPOINT_URL_SSM", endpoint.as_str())]).await;
    let answer = extension.parameter("/a").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains(&endpoint) && answer.body.contains("refused"), "{}", answer.body);
    assert_eq!(service.count(), 0, "its own endpoint goes before the common one");
}

#[tokio::test]
async fn only_the_session_token_opens() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    for path in ["/systemsmanager/parameters/get?name=/a", "/secretsmanager/get?secretId=a"] {
        let url = format!("{}{path}", extension.url);
        assert_eq!(get(&url, None).await.status, StatusCode::UNAUTHORIZED);
        for wrong in ["", "session", &TOKEN[1..], &TOKEN.to_uppercase()] {
            assert_eq!(get(&url, Some(wrong)).await.status, StatusCode::FORBIDDEN, "{wrong}");
        }
    }
    assert_eq!(service.count(), 0);
}

#[tokio::test]
async fn nothing_is_served_outside_the_invoke_phase() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    assert_eq!(extension.parameter("/a").await.status, StatusCode::OK);
    extension.phase.end();
    let answer = extension.parameter("/a").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body, "not ready to serve traffic, please wait");
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_is_refused_without_a_call() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    for (path, said) in [
        ("/systemsmanager/parameters/get", "name"),
        ("/systemsmanager/parameters/get?name=", "name"),
        ("/systemsmanager/parameters/get?name=/a&version=1&label=live", "version and label"),
        ("/systemsmanager/parameters/get?name=/a&withDecryption=perhaps", "withDecryption"),
        ("/secretsmanager/get", "secretId"),
        ("/secretsmanager/get?secretId=", "secretId"),
    ] {
        let answer = extension.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(answer.body.contains(said), "{path}: {}", answer.body);
    }
    assert_eq!(extension.get("/systemsmanager/parameters").await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.count(), 0);
}
