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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_kilobytes_since_it_began_are_kept() {
        let mut tail = Tail::default();
        tail.push(b"before\n");
        assert_eq!(tail.take(), b"");
        tail.begin();
        for number in 0..2000 {
            tail.push(format!("{number:04}\n").as_bytes());
        }
        tail.push(&[]);
        let kept = tail.take();
        assert_eq!(kept.len(), 4096);
        assert!(kept.ends_with(b"1998\n1999\n"));
        tail.begin();
        tail.push(&[b'x'; 10_000]);
        assert_eq!(tail.take(), [b'x'; 4096]);
        tail.push(b"after\n");
        assert_eq!(tail.take(), b"");
    }
}
