//! What a datagram to the daemon's port holds: a line that says the format, then a document.
//!
//! Apart from the socket, so that any bytes can be read. The X-Ray daemon's own format is `{"format": "json", "version": 1}`, a line
//! feed and a segment document (<https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon>); AWS's
//! OpenTelemetry layers send `T1S` or `T1U` and an export request in base64 to the same port. Invariant: any bytes are read as
//! something.

use serde_json::Value;

/// How many bytes of a datagram that holds no document are kept.
const KEPT_BYTES: usize = 200;

/// What a datagram holds.
#[derive(Debug, PartialEq)]
pub(super) enum Datagram<'a> {
    /// A document, and its JSON as it came.
    Document { document: Value, json: &'a [u8] },
    /// Spans in base64, as OpenTelemetry's export request.
    Spans { base64: &'a [u8], sampled: bool },
    /// Neither: why, and how it begins.
    Garbage { problem: String, text: String },
}

impl<'a> Datagram<'a> {
    /// Reads `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let garbage = |problem: &str| Self::Garbage { problem: problem.to_owned(), text: beginning(bytes) };
        let (head, body) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&bytes[..end], &bytes[end + 1..]),
            None => (bytes, &bytes[bytes.len()..]),
        };
        if !is_head(head) {
            return garbage(
                "the datagram's first line is no header: expected {\"format\": \"json\", \"version\": 1} and a line feed",
            );
        }
        for (prefix, sampled) in [(b"T1S", true), (b"T1U", false)] {
            if let Some(base64) = body.strip_prefix(prefix) {
                return Self::Spans { base64, sampled };
            }
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(document @ Value::Object(_)) => Self::Document { document, json: body },
            Ok(_) => garbage(
                "what follows the datagram's header is JSON but no object: expected a segment document",
            ),
            Err(error) => garbage(&format!("what follows the datagram's header is no JSON: {error}")),
        }
    }
}

fn is_head(head: &[u8]) -> bool {
    let head: Value = serde_json::from_slice(head).unwrap_or_default();
    head["format"] == "json" && head["version"] == 1
}

/// The first [`KEPT_BYTES`] as text.
pub(super) fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(KEPT_BYTES)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> String {
        match Datagram::read(bytes) {
            Datagram::Garbage { problem, .. } => problem,
            read => panic!("{read:?}"),
        }
    }

    #[test]
    fn documents_and_spans_are_told_apart() {
        let json = b"{\"name\": \"a\"}";
        let datagram = [b"{\"format\":\"json\",\"version\":1}\n".as_slice(), json].concat();
        assert_eq!(
            Datagram::read(&datagram),
            Datagram::Document { document: serde_json::json!({ "name": "a" }), json }
        );
        for (kind, sampled) in [("T1S", true), ("T1U", false)] {
            let datagram = format!("{{\"format\": \"json\", \"version\": 1}}\n{kind}CgA=");
            assert_eq!(Datagram::read(datagram.as_bytes()), Datagram::Spans { base64: b"CgA=", sampled });
        }
    }

    #[test]
    fn garbage_is_named() {
        for no_head in
            [b"".as_slice(), b"\n", b"hello", b"{\"format\":\"xml\",\"version\":1}\n{}", &[0xff; 70_000]]
        {
            assert!(problem(no_head).contains("first line is no header"), "{:?}", problem(no_head));
        }
        let body =
            |body: &[u8]| problem(&[b"{\"format\": \"json\", \"version\": 1}\n".as_slice(), body].concat());
        assert!(body(b"").contains("no JSON"));
        assert!(body(b"{\"name\": ").contains("no JSON"));
        assert!(body(b"[1]").contains("no object"));
        assert!(body(b"{\"name\": \"\xff\"}").contains("no JSON"));
        assert!(
            body(&[b'['; 60_000]).contains("no JSON"),
            "so deep that a reader without limits would overflow"
        );
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = fastrand::Rng::with_seed(5);
        let head = b"{\"format\": \"json\", \"version\": 1}\n";
        for round in 0..5_000 {
            let mut bytes: Vec<u8> = (0..random.usize(..300)).map(|_| random.u8(..)).collect();
            if round % 2 == 0 {
                bytes = [head.as_slice(), &bytes].concat();
            }
            if let Datagram::Garbage { text, .. } = Datagram::read(&bytes) {
                assert!(text.chars().count() <= KEPT_BYTES);
            }
        }
    }
}
