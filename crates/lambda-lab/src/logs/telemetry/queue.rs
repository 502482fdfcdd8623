//! What waits to be sent to one subscriber.
//!
//! Apart from the sending because it is pure: batches by number, size and age, and a bound. Invariant: what does not fit is counted,
//! and the count takes its place in the order of events.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::subscription::Buffering;
use crate::logs::json;

/// How many full batches may wait behind the one under way before events are dropped. The service's own figure is not published.
const WAITING_BATCHES: usize = 4;

/// The waiting events of one subscriber.
pub(super) struct Queue {
    pub(super) buffering: Buffering,
    events: VecDeque<Bytes>,
    bytes: usize,
    /// When the oldest has waited long enough.
    due: Option<Instant>,
    dropped_records: u64,
    dropped_bytes: u64,
}

/// Events that are sent together.
pub(super) struct Batch {
    /// A JSON array.
    pub(super) body: Bytes,
    pub(super) records: usize,
}

impl Queue {
    pub(super) fn new(buffering: Buffering) -> Self {
        Self { buffering, events: VecDeque::new(), bytes: 0, due: None, dropped_records: 0, dropped_bytes: 0 }
    }

    /// Queues `event`, or counts it as dropped.
    pub(super) fn push(&mut self, event: Bytes, now: Instant) {
        let Buffering { max_items, max_bytes, .. } = self.buffering;
        if self.events.len() >= WAITING_BATCHES * max_items
            || self.bytes + event.len() > WAITING_BATCHES * max_bytes
        {
            self.drop(1, event.len(), now);
            return;
        }
        self.tell_dropped(now);
        self.append(event, now);
    }

    /// Counts what could not be delivered, or did not fit.
    pub(super) fn drop(&mut self, records: usize, bytes: usize, now: Instant) {
        self.due.get_or_insert(now + self.buffering.timeout);
        self.dropped_records += records as u64;
        self.dropped_bytes += bytes as u64;
    }

    fn tell_dropped(&mut self, now: Instant) {
        if self.dropped_records > 0 {
            let told = json::logs_dropped(self.dropped_records, self.dropped_bytes, jiff::Timestamp::now());
            self.dropped_records = 0;
            self.dropped_bytes = 0;
            self.append(told.into(), now);
        }
    }

    fn append(&mut self, event: Bytes, now: Instant) {
        self.due.get_or_insert(now + self.buffering.timeout);
        self.bytes += event.len();
        self.events.push_back(event);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.dropped_records == 0
    }

    /// When the next batch should leave: at once if it is full, else when the oldest event has waited long enough.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let full = self.events.len() >= self.buffering.max_items || self.bytes >= self.buffering.max_bytes;
        if full { Some(now) } else { self.due }
    }

    /// The next batch, oldest first.
    pub(super) fn take(&mut self, now: Instant) -> Batch {
        if self.events.is_empty() {
            self.tell_dropped(now);
        }
        let mut body = Vec::from(*b"[");
        let mut records = 0;
        while records < self.buffering.max_items
            && let Some(event) = self
                .events
                .pop_front_if(|event| records == 0 || body.len() + event.len() < self.buffering.max_bytes)
        {
            self.bytes -= event.len();
            if records > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&event);
            records += 1;
        }
        body.push(b']');
        self.due = (!self.is_empty()).then(|| now + self.buffering.timeout);
        Batch { body: body.into(), records }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;

    const BUFFERING: Buffering =
        Buffering { max_items: 1000, max_bytes: 262_144, timeout: Duration::from_millis(100) };

    fn event(number: usize) -> Bytes {
        number.to_string().into()
    }

    fn numbers(batch: &Batch) -> Vec<Value> {
        serde_json::from_slice(&batch.body).unwrap()
    }

    #[test]
    fn a_batch_is_due_when_its_oldest_event_has_waited_or_when_it_is_full() {
        let now = Instant::now();
        let mut queue = Queue::new(BUFFERING);
        assert_eq!(queue.due(now), None);
        queue.push(event(0), now);
        queue.push(event(1), now + Duration::from_millis(50));
        assert_eq!(queue.due(now), Some(now + Duration::from_millis(100)));
        for number in 2..1000 {
            queue.push(event(number), now);
        }
        assert_eq!(queue.due(now), Some(now));
        let mut queue = Queue::new(BUFFERING);
        queue.push(vec![b'1'; 262_144].into(), now);
        assert_eq!(queue.due(now), Some(now));
    }

    #[test]
    fn batches_keep_the_order_and_the_limits() {
        let now = Instant::now();
        let mut queue = Queue::new(BUFFERING);
        for number in 0..2500 {
            queue.push(event(number), now);
        }
        let mut seen = Vec::new();
        let mut sizes = Vec::new();
        while !queue.is_empty() {
            let batch = queue.take(now);
            sizes.push(batch.records);
            seen.extend(numbers(&batch));
        }
        assert_eq!(sizes, [1000, 1000, 500]);
        assert_eq!(seen, (0..2500).map(Value::from).collect::<Vec<_>>());
        assert_eq!(queue.due(now), None);
    }

    #[test]
    fn a_batch_is_no_larger_than_asked_for_unless_one_event_alone_is() {
        let now = Instant::now();
        let mut queue = Queue::new(BUFFERING);
        for _ in 0..4 {
            queue.push(vec![b'1'; 100_000].into(), now);
        }
        queue.push(vec![b'1'; 300_000].into(), now);
        let records: Vec<_> = (0..3).map(|_| queue.take(now).records).collect();
        assert_eq!(records, [2, 2, 1]);
    }

    #[test]
    fn what_does_not_fit_is_counted_where_it_is_missing() {
        let now = Instant::now();
        let mut queue = Queue::new(BUFFERING);
        for number in 0..4010 {
            queue.push(event(number), now);
        }
        let first = queue.take(now);
        assert_eq!(numbers(&first).len(), 1000);
        queue.push(event(9999), now);
        let mut rest = Vec::new();
        while !queue.is_empty() {
            rest.extend(numbers(&queue.take(now)));
        }
        assert_eq!(rest.len(), 3002);
        assert_eq!(rest[2999], 3999);
        assert_eq!(rest[3000]["type"], "platform.logsDropped");
        assert_eq!(rest[3000]["record"]["droppedRecords"], 10);
        assert_eq!(rest[3000]["record"]["droppedBytes"], 40);
        assert_eq!(rest[3001], 9999);
    }

    #[test]
    fn dropped_events_are_told_even_if_nothing_follows() {
        let now = Instant::now();
        let mut queue = Queue::new(BUFFERING);
        queue.drop(7, 70, now);
        assert_eq!(queue.due(now), Some(now + Duration::from_millis(100)));
        let batch = queue.take(now);
        assert_eq!(numbers(&batch)[0]["record"]["droppedRecords"], 7);
        assert!(queue.is_empty());
    }
}
