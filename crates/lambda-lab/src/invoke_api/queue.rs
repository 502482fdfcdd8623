//! Asynchronous events: accepted now, run soon, retried where they fail.
//!
//! Apart from the API that accepts them. As Lambda does: a function that fails is retried, twice by default; a throttled event goes
//! back to the queue with growing pauses for six hours, which is no retry;
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>. There is no dead-letter queue and no
//! destination: what is given up is said on standard error. Invariant: the events waiting here never hold more than
//! [`MAX_QUEUED_KIB`], and all of them end with the worker.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::refusal::Refusal;
use crate::fleet::{Fleet, Served};
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};
use crate::xray::Delivery;

/// How much all queued events may hold together: this host's memory is not a service's.
const MAX_QUEUED_KIB: usize = 256 * 1024;

/// Lambda's maximum age of an event.
const MAX_AGE: Duration = Duration::from_secs(6 * 3600);

/// Between attempts of a throttled event: from one second, doubled each time, up to five minutes.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// One asynchronous invocation.
pub(super) struct Event {
    pub(super) fleet: Arc<Fleet>,
    pub(super) request: InvocationRequest,
}

/// The way in; clones lead to the same queue.
#[derive(Clone)]
pub(super) struct EventQueue {
    room: Arc<Semaphore>,
    sender: mpsc::UnboundedSender<(Event, OwnedSemaphorePermit)>,
}

impl EventQueue {
    /// A queue that retries a failed event after each of `retry_delays`, and its worker.
    pub(super) fn start(retry_delays: Vec<Duration>) -> (Self, JoinHandle<()>) {
        let (sender, mut accepted) = mpsc::unbounded_channel::<(Event, OwnedSemaphorePermit)>();
        let worker = tokio::spawn(async move {
            let retry_delays: Arc<[Duration]> = retry_delays.into();
            let mut deliveries = JoinSet::new();
            while let Some((event, room)) = accepted.recv().await {
                let retry_delays = Arc::clone(&retry_delays);
                deliveries.spawn(async move {
                    deliver(&event, &retry_delays).await;
                    drop(room);
                });
                while deliveries.try_join_next().is_some() {}
            }
        });
        (Self { room: Arc::new(Semaphore::new(MAX_QUEUED_KIB)), sender }, worker)
    }

    /// Takes `event` in.
    ///
    /// # Errors
    /// When the queue is full.
    pub(super) fn add(&self, event: Event) -> Result<(), Refusal> {
        let kib = u32::try_from(event.request.payload.len() / 1024 + 1).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).map_err(|_| Refusal::queue_full())?;
        // The worker ends with the lab; an event that comes so late is lost with it.
        self.sender.send((event, room)).map_err(|_| Refusal::queue_full())
    }
}

async fn deliver(event: &Event, retry_delays: &[Duration]) {
    let accepted = Instant::now();
    let mut retry_delays = retry_delays.iter();
    let mut pause = FIRST_PAUSE;
    let mut delivery = Delivery::of(&event.request);
    loop {
        let failure = failure(event.fleet.invoke(delivery.attempt(&event.request)).await);
        if !matches!(failure, Failure::Throttled) {
            delivery.ran(matches!(failure, Failure::None));
        }
        let wait = match failure {
            Failure::None => return,
            Failure::Throttled => {
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                wait
            }
            Failure::Function(words) => match retry_delays.next() {
                Some(delay) => *delay,
                None => return dropped(event, &format!("its last attempt failed: {words}")),
            },
        };
        if accepted.elapsed() + wait > MAX_AGE {
            return dropped(event, "it is six hours old");
        }
        sleep(wait).await;
    }
}

enum Failure {
    None,
    Throttled,
    Function(String),
}

fn failure(served: Served) -> Failure {
    match served {
        Served::Throttled(_) => Failure::Throttled,
        Served::Outcome(Outcome::Answered(Answer::Response(_))) => Failure::None,
        Served::Outcome(Outcome::Answered(Answer::Error { error_type, .. })) => Failure::Function(error_type),
        Served::Outcome(Outcome::TimedOut) => Failure::Function("Sandbox.Timedout".to_owned()),
        Served::Outcome(Outcome::Ended(ended)) => Failure::Function(ended.message),
    }
}

fn dropped(event: &Event, why: &str) {
    let Event { fleet, request } = event;
    eprintln!("lambda-lab: function {}: event {} is dropped: {why}", fleet.function.name, request.request_id);
}
