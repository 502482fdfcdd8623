//! How fresh what is served is, how much is kept, and how many calls it takes.

mod support;

use std::time::Duration;

use http::StatusCode;
use support::service::Service;
use support::{Answer, Extension};

/// How long to look for a call that must not come. Too short could only hide a mistake, never make a failure.
const A_WHILE: Duration = Duration::from_millis(300);

/// The parameter's value in an answer; empty where there is none.
fn value(answer: &Answer) -> String {
    let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    json["Parameter"]["Value"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_value_is_read_once_until_its_time_to_live_ends() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[("SSM_PARAMETER_STORE_TTL", "60")]).await;
    assert_eq!(value(&extension.parameter("/a").await), "value 1");
    extension.advance(59);
    assert_eq!(value(&extension.parameter("/a").await), "value 1");
    extension.advance(1);
    assert_eq!(value(&extension.parameter("/a").await), "value 2");
    assert_eq!(service.count(), 2);
}

#[tokio::test]
async fn the_time_to_live_is_300_seconds_unless_set_and_never_more() {
    for variables in [&[][..], &[("SSM_PARAMETER_STORE_TTL", "86400")]] {
        let service = Service::start().await;
        let extension = Extension::start(&service, variables).await;
        extension.parameter("/a").await;
        extension.advance(299);
        extension.parameter("/a").await;
        assert_eq!(service.count(), 1, "{variables:?}");
        extension.advance(1);
        extension.parameter("/a").await;
        assert_eq!(service.count(), 2, "{variables:?}");
    }
}

#[tokio::test]
async fn age_counts_from_the_question_not_from_the_answer() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[("SSM_PARAMETER_STORE_TTL", "60")]).await;
    service.hold();
    let ((), first) = tokio::join!(
        async {
            service.called(1).await;
            extension.advance(40);
            service.release();
        },
        extension.parameter("/a")
    );
    assert_eq!(value(&first), "value 1");
    extension.advance(20);
    assert_eq!(value(&extension.parameter("/a").await), "value 2");
}

#[tokio::test]
async fn a_clock_set_back_makes_nothing_fresher() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    extension.parameter("/a").await;
    extension.set_back(3600);
    assert_eq!(value(&extension.parameter("/a").await), "value 2");
}

#[tokio::test]
async fn without_a_time_to_live_or_a_cache_every_request_asks() {
    for variable in [
        ("SSM_PARAMETER_STORE_TTL", "0"),
        ("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "false"),
        ("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "0"),
    ] {
        let service = Service::start().await;
        let extension = Extension::start(&service, &[variable]).await;
        extension.parameter("/a").await;
        extension.parameter("/a").await;
        assert_eq!(service.count(), 2, "{variable:?}");
    }
}

#[tokio::test]
async fn an_expired_value_is_not_served_when_it_cannot_be_read_again() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    extension.parameter("/a").await;
    service.reply(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    extension.advance(300);
    let answer = extension.parameter("/a").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.body.contains("ThrottlingException") && !answer.body.contains("value 1"), "{answer:?}");
}

#[tokio::test]
async fn an_error_is_never_kept() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    service.reply(500, r#"{"__type":"InternalServerError"}"#);
    assert_eq!(extension.parameter("/a").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    service.reply(200, r#"{"Parameter":{"Value":"at last"}}"#);
    assert_eq!(value(&extension.parameter("/a").await), "at last");
}

#[tokio::test]
async fn a_full_cache_gives_up_what_was_asked_for_the_longest_ago() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "2")]).await;
    for name in ["/a", "/b", "/c"] {
        extension.parameter(name).await;
        extension.advance(1);
    }
    extension.parameter("/b").await;
    extension.parameter("/c").await;
    assert_eq!(service.count(), 3, "the two youngest are kept");
    extension.parameter("/a").await;
    assert_eq!(service.count(), 4, "the oldest is not");
}

#[tokio::test]
async fn reading_again_what_is_kept_takes_no_place_from_others() {
    let service = Service::start().await;
    let variables = [("PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE", "2"), ("SECRETS_MANAGER_TTL", "10")];
    let extension = Extension::start(&service, &variables).await;
    extension.parameter("/a").await;
    extension.advance(1);
    extension.get("/secretsmanager/get?secretId=b").await;
    extension.advance(10);
    extension.get("/secretsmanager/get?secretId=b").await;
    extension.parameter("/a").await;
    assert_eq!(service.count(), 3, "/a is the oldest, and still kept");
}

#[tokio::test]
async fn all_who_ask_at_once_share_one_call_and_its_answer() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    service.hold();
    let everyone = async {
        tokio::join!(extension.parameter("/a"), extension.parameter("/a"), extension.parameter("/a"))
    };
    let release = async {
        service.called(1).await;
        tokio::time::sleep(A_WHILE).await;
        service.release();
    };
    let ((first, second, third), ()) = tokio::join!(everyone, release);
    assert_eq!([value(&first), value(&second), value(&third)], ["value 1", "value 1", "value 1"]);
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_take_the_call_from_the_others() {
    let service = Service::start().await;
    let extension = Extension::start(&service, &[]).await;
    service.hold();
    let first = tokio::spawn(support::try_get_owned(format!(
        "{}/systemsmanager/parameters/get?name=/a",
        extension.url
    )));
    service.called(1).await;
    let release = async {
        first.abort();
        tokio::time::sleep(A_WHILE).await;
        service.release();
    };
    let (second, ()) = tokio::join!(extension.parameter("/a"), release);
    assert_eq!(value(&second), "value 1");
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn no_more_calls_than_allowed_are_on_their_way() {
    for (variables, most) in [(&[][..], 3), (&[("PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS", "2")], 2)] {
        let service = Service::start().await;
        let extension = Extension::start(&service, variables).await;
        service.hold();
        let everyone = async {
            tokio::join!(
                extension.parameter("/a"),
                extension.parameter("/b"),
                extension.parameter("/c"),
                extension.parameter("/d"),
                extension.parameter("/e"),
            )
        };
        let release = async {
            service.called(most).await;
            tokio::time::sleep(A_WHILE).await;
            service.release();
        };
        let (answers, ()) = tokio::join!(everyone, release);
        assert!(answers.0.status.is_success() && answers.4.status.is_success());
        assert_eq!((service.peak(), service.count()), (most, 5));
    }
}
