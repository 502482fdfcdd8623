//! One sampled request to a function whose tracing is active: its ids, and what becomes of it.
//!
//! Apart from the documents, which are made later and elsewhere: here only facts are handed over, so that an invocation waits for no
//! JSON and no file. Invariant: each sampled request that ran is told exactly once.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::SegmentStyle;
use super::header::{TraceHeader, id_text, new_id};
use super::segments::{Moment, Served, Unserved};
use super::writer::{Documents, Work};
use crate::sandbox::{InitSpan, Measured};

/// The function that segments are of.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) arn: String,
}

/// A sampled request.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(super) style: SegmentStyle,
    pub(super) function: Arc<Named>,
    /// The caller's.
    pub(super) header: TraceHeader,
    pub(super) service_id: u64,
    pub(super) function_id: u64,
    /// Of the old style's subsegment.
    pub(super) invocation_id: u64,
    /// Of the attempt's subsegment, where an asynchronous event is delivered: the delivery then tells the service's segment.
    pub(super) attempt_id: Option<u64>,
    pub(super) received: Instant,
    pub(super) documents: Documents,
}

impl Traced {
    /// The header of this request's function: its parent is the segment that the function's own documents hang on.
    pub(super) fn header_for_function(&self) -> String {
        let parent = match self.style {
            SegmentStyle::New => self.function_id,
            SegmentStyle::Old => self.invocation_id,
        };
        self.header.passed_on(Some(&id_text(parent)), Some(true))
    }

    /// Root and id of the function's segment, as the REPORT line tells them.
    pub(crate) fn report(&self) -> (String, String) {
        (self.header.root.clone(), id_text(self.function_id))
    }

    /// The same request in its next attempt.
    pub(super) fn attempt(&self, attempt_id: u64) -> Self {
        Self {
            style: self.style,
            function: Arc::clone(&self.function),
            header: self.header.clone(),
            service_id: self.service_id,
            function_id: new_id(),
            invocation_id: new_id(),
            attempt_id: Some(attempt_id),
            received: Instant::now(),
            documents: self.documents.clone(),
        }
    }

    /// It ran, after the INITs `inits`.
    pub(crate) fn served(self: &Arc<Self>, request_id: &str, inits: Vec<InitSpan>, measured: &Measured) {
        let (traced, request_id, measured) = (Arc::clone(self), request_id.to_owned(), measured.clone());
        self.send(Work::Served(Box::new(Served { traced, request_id, inits, measured })));
    }

    /// It did not run, and its caller was answered `status`. What was asynchronous is tried again and told by its delivery.
    pub(crate) fn unserved(self: &Arc<Self>, request_id: &str, status: u16) {
        if self.attempt_id.is_none() {
            let (traced, request_id) = (Arc::clone(self), request_id.to_owned());
            let ended = Moment { wall: SystemTime::now(), instant: Instant::now() };
            self.send(Work::Unserved(Box::new(Unserved { traced, request_id, status, ended })));
        }
    }

    pub(super) fn send(&self, work: Work) {
        self.documents.send(work);
    }
}
