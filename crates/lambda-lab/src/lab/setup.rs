//! The experiment's setup functions: invoked before the variants, and again whenever the control port says so.
//!
//! Apart from the variants because nothing places requests on them: each is invoked once, in the file's order, and ended. Invariant:
//! one run at a time, and a run that returned left none of their sandboxes.

use std::sync::Arc;

use tokio::sync::Mutex;
use uuid::Uuid;

use super::LabError;
use crate::fleet::{Fleet, Served};
use crate::journal::{Journal, last_lines};
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};

/// The setup functions.
pub(crate) struct Setup {
    fleets: Mutex<Vec<Arc<Fleet>>>,
    journal: Arc<Journal>,
}

impl Setup {
    /// Those of `fleets`, which have run once when this returns.
    ///
    /// # Errors
    /// As [`Setup::run`].
    pub(crate) async fn run_first(fleets: Vec<Arc<Fleet>>, journal: &Arc<Journal>) -> Result<Self, LabError> {
        let setup = Self { fleets: Mutex::new(fleets), journal: Arc::clone(journal) };
        setup.run().await?;
        Ok(setup)
    }

    /// Invokes each, one after the other.
    ///
    /// # Errors
    /// The first that fails, with the end of its log; those after it are not run.
    pub(crate) async fn run(&self) -> Result<(), LabError> {
        for fleet in self.fleets.lock().await.iter() {
            invoke(fleet, &self.journal).await?;
        }
        Ok(())
    }
}

async fn invoke(fleet: &Arc<Fleet>, journal: &Journal) -> Result<(), LabError> {
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
