//! Cutting a process's output into lines.
//!
//! Apart from the pipes because it is pure. Invariant: no byte is lost, and no line is longer than [`MAX_LINE`].

/// The longest line kept whole; a longer one goes on in a line of its own.
pub(super) const MAX_LINE: usize = 256 * 1024;

/// What has been read of a line whose end has not come yet.
#[derive(Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes `bytes` in and hands each line that is now complete, without its line feed, to `each`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            let room = MAX_LINE - self.partial.len();
            let end = bytes.iter().take(room + 1).position(|byte| *byte == b'\n');
            match end {
                Some(end) if self.partial.is_empty() => {
                    each(&bytes[..end]);
                    bytes = &bytes[end + 1..];
                }
                Some(end) => {
                    self.partial.extend_from_slice(&bytes[..end]);
                    each(&self.partial);
                    self.partial.clear();
                    bytes = &bytes[end + 1..];
                }
                None => {
                    let taken = bytes.len().min(room);
                    self.partial.extend_from_slice(&bytes[..taken]);
                    bytes = &bytes[taken..];
                    if !bytes.is_empty() {
                        each(&self.partial);
                        self.partial.clear();
                    }
                }
            }
        }
    }

    /// Hands what there is of an unfinished line to `each`.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        if !self.partial.is_empty() {
            each(&self.partial);
            self.partial.clear();
        }
    }
}
