//! The delivery to one subscriber: a task that sends batches, one after another, while its sandbox runs.
//!
//! Apart from the queue, which knows no time and no network. Invariant: nothing is begun while the sandbox is frozen, and one batch
//! at most is under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::client::{ANSWER_LIMIT, Client, Failure};
use super::queue::{Batch, Queue};
use super::subscription::{Subscription, Type};

/// How often a batch is tried, and how long is waited before the second time; twice as long before each further one.
const ATTEMPTS: u32 = 5;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// One subscriber. Its delivery ends when it is dropped.
pub(super) struct Subscriber {
    pub(super) name: String,
    types: Vec<Type>,
    delivery: Arc<Delivery>,
    task: JoinHandle<()>,
}

/// What the sandbox's log and the delivering task share.
pub(super) struct Delivery {
    inner: Mutex<Inner>,
    changed: Notify,
}

struct Inner {
    queue: Queue,
    destination: Uri,
    frozen: bool,
    /// Nothing waits for its batch to fill or to age.
    hurried: bool,
    under_way: bool,
}

impl Subscriber {
    /// Begins to deliver; call it within a tokio runtime.
    pub(super) fn start(name: &str, subscription: Subscription, frozen: bool) -> Self {
        let delivery = Arc::new(Delivery {
            inner: Mutex::new(Inner {
                queue: Queue::new(subscription.buffering),
                destination: subscription.destination,
                frozen,
                hurried: false,
                under_way: false,
            }),
            changed: Notify::new(),
        });
        let task = tokio::spawn(Arc::clone(&delivery).run());
        Self { name: name.to_owned(), types: subscription.types, delivery, task }
    }

    /// Goes on with another subscription of the same extension; what is queued stays.
    pub(super) fn replace(&mut self, subscription: Subscription) {
        self.types = subscription.types;
        self.delivery.change(|inner| {
            inner.queue.buffering = subscription.buffering;
            inner.destination = subscription.destination;
        });
    }

    pub(super) fn wants(&self, kind: Type) -> bool {
        self.types.contains(&kind)
    }

    pub(super) fn push(&self, event: Bytes) {
        self.delivery.change(|inner| inner.queue.push(event, Instant::now()));
    }

    pub(super) fn set_frozen(&self, frozen: bool) {
        self.delivery.change(|inner| inner.frozen = frozen);
    }

    pub(super) fn delivery(&self) -> Arc<Delivery> {
        Arc::clone(&self.delivery)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Delivery {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic under this lock leaves a queue behind that is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = change(&mut self.inner());
        self.changed.notify_waiters();
        result
    }

    /// Has what is queued sent without waiting for more.
    pub(super) fn hurry(&self) {
        self.change(|inner| inner.hurried = true);
    }

    /// Waits until nothing is queued or under way.
    pub(super) async fn delivered(self: Arc<Self>) {
        self.wait_for(|inner| {
            let idle = inner.queue.is_empty() && !inner.under_way;
            if idle { Ok(()) } else { Err(None) }
        })
        .await;
        self.change(|inner| inner.hurried = false);
    }

    /// Waits until `ready` says so; it may name a time at which to look again.
    async fn wait_for<T>(&self, mut ready: impl FnMut(&mut Inner) -> Result<T, Option<Instant>>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let look_again = match ready(&mut self.inner()) {
                Ok(found) => return found,
                Err(look_again) => look_again,
            };
            match look_again {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at, changed).await;
                }
                None => changed.await,
            }
        }
    }

    async fn run(self: Arc<Self>) {
        let client = Client::new();
        loop {
            let batch = self.wait_for(|inner| next_batch(inner, Instant::now())).await;
            let arrived = self.deliver(&client, &batch).await;
            self.change(|inner| {
                inner.under_way = false;
                if !arrived {
                    inner.queue.drop(batch.records, batch.body.len(), Instant::now());
                }
            });
        }
    }

    /// Whether `batch` arrived, in the end.
    async fn deliver(&self, client: &Client, batch: &Batch) -> bool {
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1..=ATTEMPTS {
            let destination = self
                .wait_for(|inner| if inner.frozen { Err(None) } else { Ok(inner.destination.clone()) })
                .await;
            let answer = client.post(&destination, batch.body.clone());
            tokio::select! {
                answer = answer => match answer {
                    Ok(()) => return true,
                    Err(Failure::Refused) => return false,
                    Err(Failure::Passing) => {}
                },
                () = self.thawed_for(ANSWER_LIMIT) => {}
            }
            if attempt < ATTEMPTS {
                tokio::time::sleep(backoff).await;
                backoff *= 2;
            }
        }
        false
    }

    /// Waits until the sandbox has run for `limit` without being frozen: a frozen one cannot answer.
    async fn thawed_for(&self, limit: Duration) {
        let mut since = None;
        self.wait_for(|inner| {
            if inner.frozen {
                since = None;
                return Err(None);
            }
            let until = *since.get_or_insert_with(Instant::now) + limit;
            if until <= Instant::now() { Ok(()) } else { Err(Some(until)) }
        })
        .await;
    }
}

fn next_batch(inner: &mut Inner, now: Instant) -> Result<Batch, Option<Instant>> {
    if inner.frozen || inner.queue.is_empty() {
        return Err(None);
    }
    match inner.queue.due(now) {
        Some(due) if due > now && !inner.hurried => Err(Some(due)),
        _ => {
            inner.under_way = true;
            Ok(inner.queue.take(now))
        }
    }
}
