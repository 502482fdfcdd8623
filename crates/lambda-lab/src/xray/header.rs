//! The X-Ray trace header, `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1;Lineage=..`, as it comes in.
//!
//! Apart from what the lab makes of it. Format: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>.
//! Invariant: whatever a header holds, reading it gives a root; what is broken in it is left out, and never an error.

use std::time::{SystemTime, UNIX_EPOCH};

/// What a request's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceHeader {
    /// `1-<8 hex>-<24 hex>`: the header's, or a new one.
    pub(crate) root: String,
    /// Whether the root is the header's.
    pub(crate) joined: bool,
    /// The caller's segment; none without its root.
    pub(crate) parent: Option<String>,
    /// The caller's decision, where it made one: `?` is none.
    pub(crate) sampled: Option<bool>,
    /// Other fields (`Lineage`), passed on as they came.
    pub(crate) others: Vec<String>,
}

impl TraceHeader {
    /// Reads `header`; where it has no root, a new one is made.
    pub(crate) fn read(header: Option<&str>) -> Self {
        let mut read =
            Self { root: String::new(), joined: false, parent: None, sampled: None, others: Vec::new() };
        for field in header.unwrap_or("").split(';').map(str::trim) {
            let Some((name, value)) = field.split_once('=').map(|(name, value)| (name.trim(), value.trim()))
            else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "root" if is_root(value) => value.clone_into(&mut read.root),
                "parent" if is_id(value) => read.parent = Some(value.to_owned()),
                "sampled" => read.sampled = decision(value),
                // Self is a load balancer's own.
                "root" | "parent" | "self" | "" => {}
                _ => read.others.push(field.to_owned()),
            }
        }
        read.joined = !read.root.is_empty();
        if !read.joined {
            read.root = new_root();
            read.parent = None;
        }
        read
    }

    /// The header for whoever comes next, with this parent and decision.
    pub(crate) fn passed_on(&self, parent: Option<&str>, sampled: Option<bool>) -> String {
        let mut header = format!("Root={}", self.root);
        if let Some(parent) = parent {
            header.push_str(";Parent=");
            header.push_str(parent);
        }
        if let Some(sampled) = sampled {
            header.push_str(if sampled { ";Sampled=1" } else { ";Sampled=0" });
        }
        for other in &self.others {
            header.push(';');
            header.push_str(other);
        }
        header
    }
}

fn decision(value: &str) -> Option<bool> {
    match value {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `text` is an id of a segment: 16 hexadecimal digits.
pub(crate) fn is_id(text: &str) -> bool {
    is_hex(text, 16)
}

/// Whether `text` is a trace id.
pub(crate) fn is_root(text: &str) -> bool {
    root_number(text).is_some()
}

/// The 128 bits of a trace id; none where `root` is none.
pub(crate) fn root_number(root: &str) -> Option<u128> {
    let (time, random) = root.strip_prefix("1-")?.split_once('-')?;
    if !is_hex(time, 8) || !is_hex(random, 24) {
        return None;
    }
    let time = u128::from_str_radix(time, 16).ok()?;
    Some(time << 96 | u128::from_str_radix(random, 16).ok()?)
}

/// An id of a segment as documents and headers spell it.
pub(crate) fn id_text(id: u64) -> String {
    format!("{id:016x}")
}

/// A new id of a segment.
pub(crate) fn new_id() -> u64 {
    fastrand::u64(1..)
}

fn new_root() -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("1-{now_s:08x}-{:024x}", fastrand::u128(..) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

    /// Root (none: a new one), parent, decision, others.
    type Expected = (Option<&'static str>, Option<&'static str>, Option<bool>, &'static [&'static str]);

    #[test]
    fn every_header_is_read_and_none_is_an_error() {
        let parent = Some("53995c3f42cd8ad8");
        let cases: [(&str, Expected); 17] = [
            ("Root=1-5759e988-bd862e3fe1be46a994272793", (Some(ROOT), None, None, &[])),
            (
                "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
                (Some(ROOT), parent, Some(true), &[]),
            ),
            (
                "Sampled=0;Lineage=a87bd80c:1|68fd508a:5;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793",
                (Some(ROOT), parent, Some(false), &["Lineage=a87bd80c:1|68fd508a:5"]),
            ),
            (
                " Root = 1-5759e988-bd862e3fe1be46a994272793 ; Sampled=? ; Self=1-5759e989-1 ",
                (Some(ROOT), None, None, &[]),
            ),
            ("root=1-5759e988-bd862e3fe1be46a994272793;sampled=1", (Some(ROOT), None, Some(true), &[])),
            ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=yes", (Some(ROOT), None, None, &[])),
            ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=5399", (Some(ROOT), None, None, &[])),
            (
                "Root=1-5759e988-bd862e3fe1be46a994272793;CalledFrom=app",
                (Some(ROOT), None, None, &["CalledFrom=app"]),
            ),
            ("", (None, None, None, &[])),
            ("garbage;;=;", (None, None, None, &[])),
            ("Root=1-xyz;Parent=53995c3f42cd8ad8;Sampled=1", (None, None, Some(true), &[])),
            ("Root=2-5759e988-bd862e3fe1be46a994272793", (None, None, None, &[])),
            ("Root=1-5759e988-bd862e3fe1be46a994272793-1", (None, None, None, &[])),
            ("Root=1-5759e988-bd862e3fe1be46a99427279", (None, None, None, &[])),
            ("Root=1-5759e988-+d862e3fe1be46a994272793", (None, None, None, &[])),
            ("Parent=53995c3f42cd8ad8;Sampled=0", (None, None, Some(false), &[])),
            ("Lineage=a87bd80c:1", (None, None, None, &["Lineage=a87bd80c:1"])),
        ];
        for (given, (root, parent, sampled, others)) in cases {
            let read = TraceHeader::read(Some(given));
            assert!(is_root(&read.root), "{given:?} -> {read:?}");
            assert_eq!(read.joined.then_some(read.root.as_str()), root, "{given:?}");
            assert_eq!((read.parent.as_deref(), read.sampled), (parent, sampled), "{given:?}");
            assert_eq!(read.others, others, "{given:?}");
        }
        assert!(!TraceHeader::read(None).joined);
    }

    #[test]
    fn what_is_passed_on_keeps_root_and_lineage() {
        let read =
            TraceHeader::read(Some(&format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1")));
        let header = read.passed_on(Some("00000000000000ab"), Some(true));
        assert_eq!(header, format!("Root={ROOT};Parent=00000000000000ab;Sampled=1;Lineage=a:1"));
        assert_eq!(read.passed_on(None, None), format!("Root={ROOT};Lineage=a:1"));
    }

    #[test]
    fn new_roots_and_ids_have_their_form_and_differ() {
        let (one, other) = (new_root(), new_root());
        assert!(is_root(&one) && is_root(&other) && one != other, "{one} {other}");
        assert!(is_id(&id_text(new_id())) && is_id(&id_text(1)));
        assert_eq!(root_number("1-00000001-000000000000000000000002"), Some((1 << 96) | 2));
    }
}
