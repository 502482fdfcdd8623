//! A function that does what the request's path says, so that the lab's tests can look at Lambda from inside a sandbox.
//!
//! Invariant: it is a plain `lambda_runtime` function; nothing in it knows the lab.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let init = std::env::var("PROBE_INIT").unwrap_or_default();
    if std::env::var_os("PROBE_TICKS").is_some() {
        std::thread::spawn(|| {
            loop {
                TICKS.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    }
    if let Ok(path) = std::env::var("PROBE_INIT_ONCE") {
        // Fails in the first life of a sandbox only.
        if std::fs::File::create_new(path).is_ok() {
            std::process::exit(3);
        }
    }
    match init.split_once(':') {
        Some(("sleep", ms)) => std::thread::sleep(Duration::from_millis(ms.parse()?)),
        _ if init == "exit" => {
            eprintln!("probe: leaving before the first event");
            std::process::exit(3);
        }
        _ if init == "hang" => std::thread::sleep(Duration::from_secs(3600)),
        _ => {}
    }
    if let Ok(file) = std::env::var("PROBE_TERMINATED") {
        let note = move || async move {
            if let Err(error) = std::fs::write(&file, "SIGTERM\n") {
                eprintln!("probe: cannot write {file}: {error}");
            }
        };
        lambda_runtime::spawn_graceful_shutdown_handler(note).await;
    }
    lambda_runtime::run(service_fn(handle)).await
}

/// What a background thread counts, where `PROBE_TICKS` is set.
static TICKS: AtomicU64 = AtomicU64::new(0);

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let path = event.payload["rawPath"].as_str().unwrap_or("/").to_owned();
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let body = match steps[..] {
        ["event"] => event.payload,
        ["pid"] => json!(std::process::id()),
        ["env"] => json!(std::env::vars().collect::<BTreeMap<_, _>>()),
        ["deadline"] => {
            let left = event.context.deadline().duration_since(SystemTime::now())?;
            json!(u64::try_from(left.as_millis())?)
        }
        ["client-context"] => json!(event.context.client_context),
        ["limits"] => json!(std::fs::read_to_string("/proc/self/limits").unwrap_or_default()),
        ["trace"] => json!(event.context.xray_trace_id),
        ["subsegment"] => json!(send_subsegment(&event.context.xray_trace_id.unwrap_or_default())?),
        ["sleep", ms] => {
            tokio::time::sleep(Duration::from_millis(ms.parse()?)).await;
            json!(std::process::id())
        }
        ["keep", name] => json!(keep(name)?),
        ["ticks"] => json!(TICKS.load(Ordering::Relaxed)),
        ["burn", ms] => {
            let (begun, limit) = (Instant::now(), Duration::from_millis(ms.parse()?));
            while begun.elapsed() < limit {}
            json!(null)
        }
        ["allocate", mb] => {
            let bytes = vec![1_u8; mb.parse::<usize>()? << 20];
            json!(bytes.iter().step_by(4096).map(|byte| u64::from(*byte)).sum::<u64>())
        }
        ["exit"] => std::process::exit(7),
        ["fail"] => return Err("asked to fail".into()),
        ["nonsense"] => return Ok(json!({ "statusCode": "none" })),
        _ => return Ok(json!({ "statusCode": 404, "body": path })),
    };
    Ok(
        json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": body.to_string() }),
    )
}

/// What the file `name` in the temporary folder held, which this adds a line to; and where the folder is.
fn keep(name: &str) -> Result<Value, Error> {
    let folder = std::env::temp_dir();
    let before = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    std::fs::write(folder.join(name), format!("{before}kept\n"))?;
    Ok(json!({ "folder": folder, "before": before }))
}

/// Sends a subsegment of this invocation to the X-Ray daemon, as a tracer does; how many bytes.
fn send_subsegment(header: &str) -> Result<usize, Error> {
    let field = |name: &str| header.split(';').find_map(|field| field.strip_prefix(name)).unwrap_or_default();
    let now_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64();
    let document = json!({
        "name": "## handler", "type": "subsegment", "id": "00000000000000aa", "trace_id": field("Root="),
        "parent_id": field("Parent="), "start_time": now_s, "end_time": now_s, "annotations": { "ColdStart": true },
    });
    let socket = std::net::UdpSocket::bind(("127.0.0.1", 0))?;
    let datagram = format!("{{\"format\": \"json\", \"version\": 1}}\n{document}");
    Ok(socket.send_to(datagram.as_bytes(), std::env::var("AWS_XRAY_DAEMON_ADDRESS")?)?)
}
