//! The last lines a child process wrote on its standard error.
//!
//! Apart from the lab because they are read by a task of their own. Invariant: the pipe is always read, so the child never blocks
//! on it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How many lines an error quotes.
const QUOTED_LINES: usize = 20;

/// The lines so far; clones share them.
#[derive(Clone, Debug, Default)]
pub struct LastWords(Arc<Mutex<VecDeque<String>>>);

impl LastWords {
    /// Reads `stderr` to its end.
    pub async fn listen(self, stderr: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == QUOTED_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        }
    }

    /// The lines, indented; none where there are none.
    pub fn told(&self) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!kept.is_empty()).then(|| kept.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
    }

    /// The lines, indented for an error message.
    pub fn quote(&self) -> String {
        self.told().unwrap_or_else(|| "  (nothing on its standard error)".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_twenty_lines_are_kept() {
        let words = LastWords::default();
        assert!(words.quote().contains("nothing"));
        let text: String = (1..=25).map(|line| format!("line {line}\n")).collect();
        words.clone().listen(text.as_bytes()).await;
        assert!(words.quote().starts_with("  line 6\n  line 7\n") && words.quote().ends_with("  line 25"));
    }
}
