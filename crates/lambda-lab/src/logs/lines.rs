//! Cutting a process's output into lines.
//!
//! Apart from the pipes because it is pure. Invariant: no byte is lost, and no line is longer than [`MAX_LINE`].

/// The longest line kept whole; a longer one goes on in a line of its own. CloudWatch Logs took 256 KB an event less 26 bytes of
/// its own, and lines of functions were seen cut there
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>); it takes 1 MB since April 2025, whether
/// Lambda does is not known.
pub(super) const MAX_LINE: usize = 256 * 1024 - 26;

/// What has been read of a line whose end has not come yet.
#[derive(Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes `bytes` in, and appends every line that is now complete to `complete`, each with its line feed.
    pub(super) fn feed(&mut self, bytes: &[u8], complete: &mut Vec<u8>) {
        if self.partial.len() + bytes.len() <= MAX_LINE {
            // No line can be too long: what ends with the last line feed is complete.
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
            if end > 0 {
                complete.append(&mut self.partial);
                complete.extend_from_slice(&bytes[..end]);
            }
            self.partial.extend_from_slice(&bytes[end..]);
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            self.extend(text, complete);
            if ended {
                complete.append(&mut self.partial);
                complete.push(b'\n');
            }
        }
    }

    /// Goes on with the current line, and cuts it where it gets too long.
    fn extend(&mut self, mut text: &[u8], complete: &mut Vec<u8>) {
        while self.partial.len() + text.len() > MAX_LINE {
            let (head, rest) = text.split_at(MAX_LINE - self.partial.len());
            complete.append(&mut self.partial);
            complete.extend_from_slice(head);
            complete.push(b'\n');
            text = rest;
        }
        self.partial.extend_from_slice(text);
    }

    /// Appends what there is of an unfinished line to `complete`, as a line.
    pub(super) fn finish(&mut self, complete: &mut Vec<u8>) {
        if !self.partial.is_empty() {
            complete.append(&mut self.partial);
            complete.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(lines: &mut Lines, bytes: &[u8]) -> String {
        let mut complete = Vec::new();
        lines.feed(bytes, &mut complete);
        String::from_utf8(complete).unwrap()
    }

    #[test]
    fn whole_lines_come_out_and_a_partial_one_waits() {
        let mut lines = Lines::default();
        assert_eq!(feed(&mut lines, b"one\ntwo\nthr"), "one\ntwo\n");
        assert_eq!(feed(&mut lines, b"e"), "");
        assert_eq!(feed(&mut lines, b"e\n\nfour\n"), "three\n\nfour\n");
    }

    #[test]
    fn an_unfinished_line_comes_out_once_when_it_is_asked_for() {
        let mut lines = Lines::default();
        feed(&mut lines, b"no end");
        let mut complete = Vec::new();
        lines.finish(&mut complete);
        lines.finish(&mut complete);
        assert_eq!(complete, b"no end\n");
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_and_no_byte_of_it_is_lost() {
        let mut lines = Lines::default();
        let mut complete = Vec::new();
        for chunk in vec![b'x'; 10 << 20].chunks(65_536) {
            lines.feed(chunk, &mut complete);
        }
        lines.feed(b"\n", &mut complete);
        let cut: Vec<_> = complete.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        assert_eq!(cut.iter().sum::<usize>(), 10 << 20);
        assert_eq!(cut[0], MAX_LINE);
        assert!(cut.iter().all(|length| *length <= MAX_LINE));
    }

    #[test]
    fn a_line_of_just_the_limit_is_not_cut_however_it_arrives() {
        let mut line = vec![b'x'; MAX_LINE];
        line.push(b'\n');
        for chunk in [1000, 65_536, line.len()] {
            let mut lines = Lines::default();
            let mut complete = Vec::new();
            line.chunks(chunk).for_each(|bytes| lines.feed(bytes, &mut complete));
            assert_eq!(complete, line, "{chunk}");
        }
    }
}
