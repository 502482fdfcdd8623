//! An asynchronous event's way to its function, as the service's segment shows it: `Dwell Time`, and a subsegment for each attempt.
//!
//! Apart from the queue, which decides when to try again. The form is that of a recorded segment (status 202, `Attempt #1`); Lambda
//! documents none. Invariant: the segment is told once, when the event leaves the queue, however it does.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::Traced;
use super::header::new_id;
use super::segments::{Attempt, Delivered, Moment};
use super::writer::Work;
use crate::sandbox::InvocationRequest;

/// The delivery of one event; nothing where it is not traced.
pub(crate) struct Delivery {
    traced: Option<Arc<Traced>>,
    request_id: String,
    accepted: Instant,
    attempts: Vec<Attempt>,
    /// The attempt that runs.
    running: Option<(u64, Instant)>,
}

impl Delivery {
    /// Of an event that was just accepted.
    pub(crate) fn of(request: &InvocationRequest) -> Self {
        let (traced, request_id) = (request.traced.clone(), request.request_id.clone());
        Self { traced, request_id, accepted: Instant::now(), attempts: Vec::new(), running: None }
    }

    /// `request` with a header and segments of its own for one more attempt.
    pub(crate) fn attempt(&mut self, request: &InvocationRequest) -> InvocationRequest {
        let mut request = request.clone();
        if let Some(traced) = &self.traced {
            let id = new_id();
            let attempt = traced.attempt(id);
            request.trace_header = attempt.header_for_function();
            request.traced = Some(Arc::new(attempt));
            self.running = Some((id, Instant::now()));
        }
        request
    }

    /// The attempt ran; whether it went well.
    pub(crate) fn ran(&mut self, well: bool) {
        if let Some((id, began)) = self.running.take() {
            self.attempts.push(Attempt { id, began, ended: Instant::now(), well });
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(traced) = &self.traced {
            let delivered = Delivered {
                traced: Arc::clone(traced),
                request_id: std::mem::take(&mut self.request_id),
                accepted: self.accepted,
                attempts: std::mem::take(&mut self.attempts),
                now: Moment { wall: SystemTime::now(), instant: Instant::now() },
            };
            traced.send(Work::Delivered(Box::new(delivered)));
        }
    }
}
