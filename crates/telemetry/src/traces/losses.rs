//! What was recorded and could not be sent, by cause.
//!
//! Apart because every part of the way out may lose something, and a datagram that is lost is lost silently unless somebody
//! counts. Invariant: a loss is counted where it happens, under one cause; each cause is told once in the log, and its count
//! stands in the metadata of the next trace.

use std::sync::Mutex;
use std::sync::PoisonError;

use opentelemetry::KeyValue;

/// Why a document, or a span on its way to be one, was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Longer than a document may be, even without its metadata.
    TooLarge,
    /// A subsegment without a parent or a trace: X-Ray would refuse it.
    NoParent,
    /// More spans than are kept for one invocation, for INIT, or between two sendings.
    TooMany,
    /// Nothing listens at the daemon's address (ECONNREFUSED).
    Refused,
    /// The socket's buffer is full (EWOULDBLOCK).
    WouldBlock,
    /// The network takes no datagram of this size (EMSGSIZE).
    DatagramTooLarge,
    /// No socket, no route, or any other error of the network.
    Network,
    /// The collector did not answer in time, or refused.
    #[cfg(feature = "otlp")]
    Collector,
}

impl Loss {
    const ALL: &[Self] = &[
        Self::TooLarge,
        Self::NoParent,
        Self::TooMany,
        Self::Refused,
        Self::WouldBlock,
        Self::DatagramTooLarge,
        Self::Network,
        #[cfg(feature = "otlp")]
        Self::Collector,
    ];

    /// The key under which it stands in a trace's metadata.
    fn key(self) -> &'static str {
        match self {
            Self::TooLarge => "metadata.lost_too_large",
            Self::NoParent => "metadata.lost_no_parent",
            Self::TooMany => "metadata.lost_too_many",
            Self::Refused => "metadata.lost_refused",
            Self::WouldBlock => "metadata.lost_would_block",
            Self::DatagramTooLarge => "metadata.lost_datagram_too_large",
            Self::Network => "metadata.lost_network",
            #[cfg(feature = "otlp")]
            Self::Collector => "metadata.lost_collector",
        }
    }

    fn reason_and_mend(self) -> &'static str {
        match self {
            Self::TooLarge => {
                "a document is over 60 kB without its metadata: put less into the step's annotations"
            }
            Self::NoParent => {
                "a span has no parent or no trace: make spans by telemetry::step! within an invocation"
            }
            Self::TooMany => {
                "more spans were recorded than are kept: record fewer steps, or send after each response"
            }
            Self::Refused => {
                "nothing listens at AWS_XRAY_DAEMON_ADDRESS: start the daemon, or switch tracing off"
            }
            Self::WouldBlock => "the socket's buffer is full: record fewer steps an invocation",
            Self::DatagramTooLarge => {
                "the network takes no datagram of that size: put less into the step's metadata"
            }
            Self::Network => {
                "the network took no datagram: is AWS_XRAY_DAEMON_ADDRESS an address of this host?"
            }
            #[cfg(feature = "otlp")]
            Self::Collector => {
                "the collector took no spans: does OTEL_EXPORTER_OTLP_ENDPOINT name one that listens?"
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Count {
    total: u64,
    /// Told in the log.
    logged: bool,
    /// What the last trace's metadata said.
    reported: u64,
}

/// The counts of one process.
#[derive(Default)]
pub(crate) struct Losses(Mutex<[Count; Loss::ALL.len()]>);

impl Losses {
    pub(crate) fn add(&self, loss: Loss, documents: u64) {
        self.change(loss, |count| count.total += documents);
    }

    /// Logs each cause that has not been told yet.
    pub(crate) fn tell(&self) {
        for &loss in Loss::ALL {
            let untold = self.change(loss, |count| {
                let untold = count.total > 0 && !count.logged;
                count.logged |= untold;
                untold.then_some(count.total)
            });
            if let Some(lost) = untold {
                let reason = loss.reason_and_mend();
                tracing::warn!(
                    lost,
                    "trace documents were lost: {reason}; told once, counts follow in the traces"
                );
            }
        }
    }

    /// The counts that have grown since they were asked for last, as attributes of a span.
    pub(crate) fn unreported(&self) -> Vec<KeyValue> {
        let grown = Loss::ALL.iter().filter_map(|&loss| {
            let total = self.change(loss, |count| {
                (std::mem::replace(&mut count.reported, count.total) < count.total).then_some(count.total)
            })?;
            Some(KeyValue::new(loss.key(), i64::try_from(total).unwrap_or(i64::MAX)))
        });
        grown.collect()
    }

    #[cfg(test)]
    pub(crate) fn total(&self, loss: Loss) -> u64 {
        self.change(loss, |count| count.total)
    }

    fn change<T>(&self, loss: Loss, change: impl FnOnce(&mut Count) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)[loss as usize])
    }
}
