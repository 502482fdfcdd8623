//! Declared distance: round trips that are added between a function and what it depends on.
//!
//! On one machine every dependency is a few microseconds away, which hides what each round trip costs on AWS. A [`Network`]
//! names a round trip per [`Dependency`]; a [`DelayLine`] in front of a server's port makes connections through it take that
//! long. In user space because `tc netem` is missing in many kernels and needs root where it is not. Invariant: what is added is
//! declared in the report; `loopback` adds nothing, not even a line with no delay.

mod connection;
mod line;
mod network;
mod pipe;
mod socket;
#[cfg(test)]
mod tests;
mod timer;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

pub use line::{DelayLine, Entrance};
pub use network::{Network, NetworkError, Source};

use crate::control::NetworkReport;

/// What a function reaches over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// AWS Systems Manager's Parameter Store, and what else stands at a regional AWS endpoint.
    Ssm,
    /// RDS Proxy: PgBouncer, or the door before it.
    Database,
    /// The Redis node.
    Cache,
}

impl Dependency {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ssm, Self::Database, Self::Cache];

    /// As reports and the data file spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssm => "ssm",
            Self::Database => "database",
            Self::Cache => "cache",
        }
    }
}

/// The delay lines of one lab; dropping them closes every connection through them.
#[derive(Debug)]
pub struct DelayLines {
    network: Network,
    lines: Vec<DelayLine>,
}

impl DelayLines {
    /// None yet; they will have the round trips of `network`.
    pub fn new(network: Network) -> Self {
        Self { network, lines: Vec::new() }
    }

    /// The loopback port to give a function in place of `port`, at which `dependency` listens: a new line's, or `port` itself
    /// where the network adds nothing.
    ///
    /// # Errors
    /// What the system says when no port or thread can be had.
    pub fn port_before(&mut self, dependency: Dependency, port: u16) -> io::Result<u16> {
        let Some(round_trip) = self.network.round_trip(dependency) else { return Ok(port) };
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.lines.push(DelayLine::start(target, round_trip)?);
        Ok(self.lines.last().map_or(port, DelayLine::port))
    }

    /// What to say about them in a report.
    pub fn report(&self) -> NetworkReport {
        let added = |dependency: Dependency| {
            let round_trip = self.network.round_trip(dependency)?;
            Some((dependency.name().to_owned(), round_trip.as_secs_f64() * 1e3))
        };
        NetworkReport {
            name: self.network.name().to_owned(),
            source_date: self.network.source_date().map(str::to_owned),
            round_trips_ms: Dependency::ALL.into_iter().filter_map(added).collect::<BTreeMap<_, _>>(),
        }
    }
}
