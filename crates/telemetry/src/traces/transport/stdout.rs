//! Documents as lines of the log, for a terminal or where no daemon is.
//!
//! Apart because it shares its output with logs and metrics. Invariant: a document is one line.

use std::sync::Arc;

use opentelemetry_sdk::trace::SpanData;

use super::{Sending, Transport};
use crate::output::Output;
use crate::traces::document::{self, Style};
use crate::traces::losses::Losses;

pub(crate) struct Stdout {
    pub(crate) output: Arc<Output>,
    pub(crate) style: Style,
}

impl Transport for Stdout {
    fn send(&self, spans: Vec<SpanData>, losses: &Arc<Losses>) -> Option<Sending> {
        for span in &spans {
            let mut line = Vec::with_capacity(1024);
            match document::write(&mut line, span, &self.style) {
                Ok(()) => {
                    line.push(b'\n');
                    self.output.write_line(&line);
                }
                Err(loss) => losses.add(loss, 1),
            }
        }
        None
    }
}
