//! The traces of one lab: its daemon's port and its writer, brought up and taken down together.
//!
//! Apart from both because their end has an order: the functions first, then the port, then the file. Invariant: whoever starts it
//! ends its threads, also by dropping it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use super::daemon::{Backlog, Daemon};
use super::writer::{Documents, Work, Writer};
use crate::records::TracesSummary;

/// A running daemon and writer.
pub(crate) struct Traces {
    address: SocketAddr,
    documents: Documents,
    /// None once it has ended.
    running: Option<(Daemon, JoinHandle<Writer>)>,
}

impl Traces {
    /// Opens the port, and the files in `folder` where there is one; without it documents are judged and not kept.
    ///
    /// # Errors
    /// The system's words, with the folder.
    pub(crate) fn start(folder: Option<&Path>) -> io::Result<Self> {
        let named = |error: io::Error| match folder {
            Some(folder) => io::Error::new(error.kind(), format!("--traces {}: {error}", folder.display())),
            None => error,
        };
        let (documents, work) = channel();
        let backlog = Arc::new(Backlog::default());
        let writer = Writer::open(folder, Arc::clone(&backlog)).map_err(named)?;
        let documents = Documents::new(documents);
        let daemon = Daemon::start(documents.clone(), backlog)?;
        let write = move || writer.run(&work);
        let thread = std::thread::Builder::new().name("xray-writer".to_owned()).spawn(write)?;
        Ok(Self { address: daemon.address(), documents, running: Some((daemon, thread)) })
    }

    /// Where functions send their documents.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to the writer.
    pub(crate) fn documents(&self) -> Documents {
        self.documents.clone()
    }

    /// Ends it, when no function runs any more; blocks until all that came is written.
    ///
    /// # Errors
    /// When the summary cannot be written.
    pub(crate) fn stop(mut self) -> io::Result<TracesSummary> {
        self.end()
    }

    fn end(&mut self) -> io::Result<TracesSummary> {
        let Some((daemon, writer)) = self.running.take() else { return Ok(TracesSummary::default()) };
        let lost = daemon.end();
        self.documents.send(Work::End);
        match writer.join() {
            Ok(writer) => writer.finish(lost),
            Err(_) => Err(io::Error::other("the thread that writes trace documents panicked")),
        }
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("lambda-lab: cannot end the trace documents: {error}");
        }
    }
}
