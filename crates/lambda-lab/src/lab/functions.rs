//! The lab's functions: their fleets made ready, the setup functions run, idle sandboxes ended.
//!
//! Apart from their surroundings, which come first. Invariant: a fleet that is handed out has its provisioned sandboxes.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::LabError;
use crate::control::FunctionUrl;
use crate::experiment::{Experiment, Function};
use crate::fleet::account::{Account, DEFAULT_CONCURRENCY};
use crate::fleet::{Fleet, Served};
use crate::http_api::Fleets;
use crate::journal::{Journal, last_lines};
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};

pub(super) fn account(experiment: &Experiment) -> Arc<Account> {
    let reserved = experiment.variants.iter().filter_map(|variant| variant.reserved_concurrency).sum();
    Account::new(experiment.account.concurrent_executions.unwrap_or(DEFAULT_CONCURRENCY), reserved)
}

pub(super) async fn provision(fleet: &Arc<Fleet>, journal: &Journal) -> Result<(), LabError> {
    fleet.provision().await.map_err(|failure| {
        let function = fleet.function.name.clone();
        let output = last_lines(&journal.log_path(&function), 8);
        LabError::Provisioned { function, reason: failure.to_string(), output }
    })
}

pub(super) async fn run_setup(fleet: &Arc<Fleet>, journal: &Journal) -> Result<(), LabError> {
    let trace = fleet.trace(None);
    let request = InvocationRequest {
        request_id: Uuid::new_v4().to_string(),
        trace_header: trace.header,
        trace_id: trace.root,
        traced: trace.traced,
        client_context: None,
        payload: "{}".into(),
    };
    let reason = match fleet.invoke(request).await {
        Served::Outcome(Outcome::Answered(Answer::Response(_))) => None,
        Served::Outcome(Outcome::Answered(Answer::Error { payload, .. })) => {
            Some(String::from_utf8_lossy(&payload).into_owned())
        }
        Served::Outcome(Outcome::TimedOut) => Some(format!("no answer in {:?}", fleet.function.timeout)),
        Served::Outcome(Outcome::Ended(ended)) => Some(format!("{} ({})", ended.message, ended.error_type)),
        Served::Throttled(reason) => Some(format!("it was throttled: {}", reason.name())),
    };
    fleet.retire().await;
    let Some(reason) = reason else { return Ok(()) };
    let function = fleet.function.name.clone();
    let output = last_lines(&journal.log_path(&function), 8);
    Err(LabError::Setup { function, reason, output })
}

pub(super) async fn expire_idle(fleets: Fleets) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        for fleet in fleets.values() {
            fleet.expire_idle().await;
        }
    }
}

pub(super) fn function_urls(experiment: &Experiment, fleets: &Fleets, front: &str) -> Vec<FunctionUrl> {
    let address = |variant: &Function| FunctionUrl {
        name: variant.name.clone(),
        url: format!("{front}/{}", variant.name),
        command: fleets
            .get(&variant.name)
            .map_or_else(String::new, |fleet| fleet.function.runtime.file.display().to_string()),
    };
    experiment.variants.iter().map(address).collect()
}
