//! The lab's functions: their fleets made ready, idle sandboxes ended.
//!
//! Apart from their surroundings, which come first. Invariant: a fleet that is handed out has its provisioned sandboxes.

use std::sync::Arc;
use std::time::Duration;

use super::LabError;
use crate::control::FunctionUrl;
use crate::experiment::{Experiment, Function};
use crate::fleet::account::{Account, DEFAULT_CONCURRENCY};
use crate::http_api::Fleets;
use crate::journal::{Journal, last_lines};

pub(super) fn account(experiment: &Experiment) -> Arc<Account> {
    let reserved = experiment.variants.iter().filter_map(|variant| variant.reserved_concurrency).sum();
    Account::new(experiment.account.concurrent_executions.unwrap_or(DEFAULT_CONCURRENCY), reserved)
}

/// Initializes what each function has provisioned; the first that fails is told with the end of its log.
pub(super) async fn provision(fleets: &Fleets, journal: &Journal) -> Result<(), LabError> {
    for fleet in fleets.values() {
        fleet.provision().await.map_err(|failure| {
            let function = fleet.function.name.clone();
            let output = last_lines(&journal.log_path(&function), 8);
            LabError::Provisioned { function, reason: failure.to_string(), output }
        })?;
    }
    Ok(())
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
