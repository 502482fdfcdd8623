//! `lambda-lab invoke`: one call to the Invoke API of a running lab.
//!
//! Apart from `serve`: it is a client, and any other client of that API does as well. Invariant: standard output carries the
//! function's answer alone; the exit code is 0 only if the function did not fail.

use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Longer than any function may run: 15 minutes, and its INIT before.
const ANSWER_LIMIT: Duration = Duration::from_secs(1000);

/// More than any answer of a function may hold.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

#[derive(Args)]
pub(super) struct Invoke {
    /// The function's name or ARN.
    function: String,
    /// The event: JSON, `@FILE`, or `-` for standard input.
    #[arg(long, default_value = "{}", allow_hyphen_values = true)]
    payload: String,
    /// The lab's address, as `serve` prints it.
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL_LAMBDA", required_unless_present = "port")]
    endpoint_url: Option<Uri>,
    /// Short for --endpoint-url http://127.0.0.1:PORT.
    #[arg(long)]
    port: Option<u16>,
    /// `Tail` prints the end of the function's log to standard error.
    #[arg(long, value_enum, default_value_t = LogType::None)]
    log_type: LogType,
    /// JSON about the client, which the function finds in its context.
    #[arg(long, value_name = "JSON")]
    client_context: Option<String>,
    /// Only queue the event, and do not wait for the function.
    #[arg(long, conflicts_with_all = ["log_type", "client_context"])]
    r#async: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
#[value(rename_all = "PascalCase")]
enum LogType {
    None,
    Tail,
}

/// Invokes, prints, and says whether the function succeeded.
///
/// # Errors
/// When there was no answer of the function: it was refused, or the lab was not reached.
pub(super) async fn run(invoke: Invoke) -> anyhow::Result<ExitCode> {
    let payload = payload(&invoke.payload)?;
    let uri = uri(&invoke)?;
    let mut request = Request::builder().method(Method::POST).uri(&uri);
    if invoke.r#async {
        request = request.header("x-amz-invocation-type", "Event");
    }
    if invoke.log_type == LogType::Tail {
        request = request.header("x-amz-log-type", "Tail");
    }
    if let Some(context) = &invoke.client_context {
        request = request.header("x-amz-client-context", STANDARD.encode(context));
    }
    let request = request.body(Full::new(payload))?;
    let (status, headers, body) = match tokio::time::timeout(ANSWER_LIMIT, send(request)).await {
        Ok(answer) => answer.map_err(|error| anyhow!("{uri}: {error:#}; is a lab running there?"))?,
        Err(_) => bail!("{uri}: no answer within {} s", ANSWER_LIMIT.as_secs()),
    };
    if !status.is_success() {
        let error_type = text(&headers, "x-amzn-errortype").unwrap_or("no error type");
        bail!("{uri}: {status}, {error_type}: {}", String::from_utf8_lossy(&body));
    }
    if let Some(log) = text(&headers, "x-amz-log-result") {
        std::io::stderr().write_all(&STANDARD.decode(log).context("the log in the answer is not base64")?)?;
    }
    let mut out = std::io::stdout().lock();
    if !body.is_empty() {
        out.write_all(&body)?;
        out.write_all(b"\n")?;
    }
    Ok(match text(&headers, "x-amz-function-error") {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn payload(word: &str) -> anyhow::Result<Bytes> {
    let read = match word.strip_prefix('@') {
        Some(file) => std::fs::read(Path::new(file)).with_context(|| format!("--payload {word}"))?,
        None if word == "-" => {
            let mut read = Vec::new();
            std::io::stdin().read_to_end(&mut read).context("--payload -: cannot read standard input")?;
            read
        }
        None => word.as_bytes().to_vec(),
    };
    Ok(read.into())
}

fn uri(invoke: &Invoke) -> anyhow::Result<Uri> {
    let endpoint = match (&invoke.endpoint_url, invoke.port) {
        (_, Some(port)) => format!("http://127.0.0.1:{port}"),
        (Some(url), None) if url.scheme_str() == Some("http") => url.to_string(),
        (url, None) => {
            let url = url.as_ref().map(ToString::to_string).unwrap_or_default();
            bail!(
                "--endpoint-url {url}: expected http://host:port, as `lambda-lab serve` prints it; for AWS itself use `aws lambda invoke`"
            )
        }
    };
    let name: String = form_urlencoded::byte_serialize(invoke.function.as_bytes()).collect();
    let uri = format!("{}/2015-03-31/functions/{name}/invocations", endpoint.trim_end_matches('/'));
    uri.parse().with_context(|| uri)
}

async fn send(request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| anyhow!(error))?;
    Ok((head.status, head.headers, body.to_bytes()))
}
