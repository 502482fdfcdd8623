//! The Telemetry API: who subscribed, and what each is owed.
//!
//! Apart from the log, which is written whether anybody subscribed or not. Events of INIT are kept until it is over, so that an
//! extension that subscribes late misses nothing. Invariant: every subscriber gets its events in the order they happened, each
//! once, or a `platform.logsDropped` that counts them.

mod api;
mod client;
mod queue;
mod subscriber;
mod subscription;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(super) use api::router;
pub(super) use subscription::{Subscription, Type};

use subscriber::Subscriber;

/// How much of INIT is kept for late subscribers, give or take one event: what the largest buffer of one takes.
const HISTORY_BYTES: usize = 1 << 20;

/// One sandbox's subscriptions.
pub(super) struct Telemetry {
    open: bool,
    history: Vec<(Type, Bytes)>,
    history_bytes: usize,
    subscribers: Vec<Subscriber>,
    frozen: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { open: true, history: Vec::new(), history_bytes: 0, subscribers: Vec::new(), frozen: false }
    }
}

impl Telemetry {
    /// Whether anybody will ever see an event of type `kind`.
    pub(super) fn wants(&self, kind: Type) -> bool {
        self.keeps_history() || self.subscribers.iter().any(|subscriber| subscriber.wants(kind))
    }

    /// Whether more of INIT is to be kept.
    fn keeps_history(&self) -> bool {
        self.open && self.history_bytes < HISTORY_BYTES
    }

    /// Queues `event`, a JSON object.
    pub(super) fn push(&mut self, kind: Type, event: &Bytes) {
        for subscriber in self.subscribers.iter().filter(|subscriber| subscriber.wants(kind)) {
            subscriber.push(event.clone());
        }
        if self.keeps_history() {
            self.history_bytes += event.len();
            self.history.push((kind, event.clone()));
        }
    }

    /// Takes the subscription of extension `name` and hands it what INIT told so far. Says with which state; `None` when
    /// subscriptions are closed. An extension that subscribes again gets its queue at its new address.
    pub(super) fn subscribe(&mut self, name: &str, subscription: Subscription) -> Option<&'static str> {
        if !self.open {
            return None;
        }
        if let Some(known) = self.subscribers.iter_mut().find(|known| known.name == name) {
            known.replace(subscription);
            return Some("Already subscribed");
        }
        let subscriber = Subscriber::start(name, subscription, self.frozen);
        for (_, event) in self.history.iter().filter(|(kind, _)| subscriber.wants(*kind)) {
            subscriber.push(event.clone());
        }
        self.subscribers.push(subscriber);
        Some("Subscribed")
    }

    /// INIT begins (again).
    pub(super) fn open(&mut self) {
        self.open = true;
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// INIT is over.
    pub(super) fn close(&mut self) {
        self.open = false;
        self.history = Vec::new();
        self.history_bytes = 0;
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
        for subscriber in &self.subscribers {
            subscriber.set_frozen(frozen);
        }
    }

    /// A future that sends what is queued, and is done when it has arrived or been given up, at most after `limit`.
    pub(super) fn flush(&self, limit: Duration) -> impl Future<Output = ()> + use<> {
        let deliveries: Vec<_> = self.subscribers.iter().map(Subscriber::delivery).collect();
        async move {
            let all = async {
                for delivery in &deliveries {
                    delivery.hurry();
                }
                for delivery in &deliveries {
                    Arc::clone(delivery).delivered().await;
                }
            };
            // What has not arrived by then is lost, as on AWS.
            let _ = tokio::time::timeout(limit, all).await;
        }
    }
}
