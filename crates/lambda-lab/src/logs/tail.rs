//! The end of one invocation's log, which a caller may ask for (`LogType=Tail`).
//!
//! Apart from the log's file, which nobody reads back. Invariant: never more than [`LIMIT`] bytes.

/// Lambda's limit, <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>.
const LIMIT: usize = 4096;

/// The last bytes written since it began; nothing is kept before that.
#[derive(Default)]
pub(super) struct Tail {
    kept: Option<Vec<u8>>,
}

impl Tail {
    pub(super) fn begin(&mut self) {
        self.kept = Some(Vec::new());
    }

    pub(super) fn push(&mut self, lines: &[u8]) {
        let Some(kept) = &mut self.kept else {
            return;
        };
        kept.extend_from_slice(&lines[lines.len().saturating_sub(LIMIT)..]);
        let over = kept.len().saturating_sub(LIMIT);
        kept.drain(..over);
    }

    /// What was kept; nothing is kept from now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.kept.take().unwrap_or_default()
    }
}
