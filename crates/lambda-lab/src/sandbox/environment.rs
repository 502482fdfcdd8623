//! The environment Lambda gives a runtime and its extensions, from nothing inherited.
//!
//! Apart from spawning because it is a table of facts: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html> and
//! Lambda's open-source interface emulator. Invariant: no variable of the lab's own environment reaches a function, so a missing
//! variable fails here as it would on AWS.

use std::collections::BTreeMap;
use std::path::Path;

use crate::function::{Credentials, FunctionConfig};
use crate::logs::Initialization;

/// What differs from sandbox to sandbox.
pub(super) struct SandboxFacts<'a> {
    pub(super) runtime_api: &'a str,
    pub(super) extension_port: u16,
    pub(super) log_stream: &'a str,
    pub(super) task_root: &'a Path,
    pub(super) temporary: &'a Path,
    pub(super) initialization: Initialization,
}

/// The runtime's variables: the function's own first, then Lambda's, which win.
pub(super) fn runtime(function: &FunctionConfig, facts: &SandboxFacts<'_>) -> BTreeMap<String, String> {
    let mut variables = function.env.clone();
    let task_root = facts.task_root.to_string_lossy();
    let libraries =
        format!("/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:{task_root}:{task_root}/lib:/opt/lib");
    let log_group = format!("/aws/lambda/{}", function.name);
    let Credentials { access_key_id, secret_access_key, session_token } = &function.credentials;
    let own: [(&str, &str); 24] = [
        ("AWS_ACCESS_KEY_ID", access_key_id),
        ("AWS_SECRET_ACCESS_KEY", secret_access_key),
        ("AWS_SESSION_TOKEN", session_token),
        ("AWS_REGION", &function.region),
        ("AWS_DEFAULT_REGION", &function.region),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_rapid"),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", facts.initialization.name()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", facts.log_stream),
        ("AWS_LAMBDA_RUNTIME_API", facts.runtime_api),
        ("LAMBDA_TASK_ROOT", &task_root),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LANG", "en_US.UTF-8"),
        ("LD_LIBRARY_PATH", &libraries),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"),
        ("TZ", ":UTC"),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
        ("AWS_XRAY_DAEMON_ADDRESS", &function.xray_daemon.to_string()),
        ("_AWS_XRAY_DAEMON_ADDRESS", &function.xray_daemon.ip().to_string()),
        ("_AWS_XRAY_DAEMON_PORT", &function.xray_daemon.port().to_string()),
        ("_HANDLER", &function.handler),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let logging = function.logging.variables();
    variables.extend(logging.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
    // AWS's layer always listens on 2773; sandboxes on one machine need a port each.
    variables.insert("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT".to_owned(), facts.extension_port.to_string());
    // Lambda sets none, since each of its sandboxes has a `/tmp` of its own; here they need a folder each. A function's own wins.
    let temporary = || facts.temporary.to_string_lossy().into_owned();
    variables.entry("TMPDIR".to_owned()).or_insert_with(temporary);
    variables
}

/// An extension's variables: the runtime's without those Lambda keeps from extensions.
pub(super) fn extension(runtime: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let kept = |name: &str| {
        let withheld = [
            "AWS_EXECUTION_ENV",
            "AWS_LAMBDA_LOG_GROUP_NAME",
            "AWS_LAMBDA_LOG_STREAM_NAME",
            "LAMBDA_RUNTIME_DIR",
            "LAMBDA_TASK_ROOT",
        ];
        !withheld.contains(&name) && !name.starts_with('_') && !name.starts_with("AWS_XRAY_")
    };
    runtime.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}
