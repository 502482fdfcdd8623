//! Documents in memory, for tests of everything but the network.
//!
//! Apart because no function has it. Invariant: it holds what the daemon would have been sent, in that order.

use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use super::{Sending, Transport};
use crate::traces::document::{self, Style};
use crate::traces::losses::Losses;

#[derive(Clone)]
pub(crate) struct Memory {
    style: Style,
    /// What the documents were made of.
    pub(crate) spans: Arc<Mutex<Vec<SpanData>>>,
    pub(crate) documents: Arc<Mutex<Vec<String>>>,
}

impl Memory {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, spans: Arc::default(), documents: Arc::default() }
    }
}

impl Transport for Memory {
    fn send(&self, spans: Vec<SpanData>, losses: &Arc<Losses>) -> Option<Sending> {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        for span in &spans {
            let mut document = Vec::new();
            match document::write(&mut document, span, &self.style) {
                Ok(()) => documents.push(String::from_utf8_lossy(&document).into_owned()),
                Err(loss) => losses.add(loss, 1),
            }
        }
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        None
    }
}
