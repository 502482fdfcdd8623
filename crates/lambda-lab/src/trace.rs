//! The X-Ray trace header, `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1`, in and out.
//!
//! Apart because front and (later) segments share it. Format:
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>. Invariant: the header handed to a
//! function always has a root and a parent.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// The trace context of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// `1-<8 hex>-<24 hex>`.
    pub(crate) root: String,
    sampled: bool,
    /// Other fields of the header (`Lineage`), passed on as they came.
    others: Vec<String>,
}

impl TraceContext {
    /// Takes the root and the sampling decision from the incoming header; makes a new root where there is none.
    pub(crate) fn from_header(header: Option<&str>) -> Self {
        let mut context = Self { root: String::new(), sampled: false, others: Vec::new() };
        for field in header.unwrap_or("").split(';') {
            match field.trim().split_once('=') {
                Some(("Root", root)) if is_root(root) => root.clone_into(&mut context.root),
                Some(("Sampled", sampled)) => context.sampled = sampled == "1",
                Some(("Root" | "Parent" | "Self", _)) | None => {}
                Some(_) => context.others.push(field.trim().to_owned()),
            }
        }
        if context.root.is_empty() {
            context.root = new_root();
        }
        context
    }

    /// The header for the function: its parent is a segment id of this invocation.
    pub(crate) fn header(&self) -> String {
        let parent = Uuid::new_v4().simple().to_string();
        let mut header =
            format!("Root={};Parent={};Sampled={}", self.root, &parent[..16], u8::from(self.sampled));
        for other in &self.others {
            header.push(';');
            header.push_str(other);
        }
        header
    }
}

fn is_root(root: &str) -> bool {
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = root.split('-');
    parts.next() == Some("1")
        && parts.next().is_some_and(|time| hex(time, 8))
        && parts.next().is_some_and(|random| hex(random, 24))
        && parts.next().is_none()
}

fn new_root() -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = Uuid::new_v4().simple().to_string();
    format!("1-{now_s:08x}-{}", &random[..24])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_root_sampling_and_lineage_and_renews_the_parent() {
        let given =
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1";
        let header = TraceContext::from_header(Some(given)).header();
        assert!(header.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;Parent="), "{header}");
        assert!(header.ends_with(";Sampled=1;Lineage=a87bd80c:1"), "{header}");
        assert!(!header.contains("53995c3f42cd8ad8"), "{header}");
    }

    #[test]
    fn makes_a_root_where_there_is_none_or_a_broken_one() {
        for broken in [
            None,
            Some(""),
            Some("Root=1-xyz"),
            Some("garbage;;=;"),
            Some("Root=1-5759e988-bd862e3fe1be46a994272793-1"),
        ] {
            let context = TraceContext::from_header(broken);
            assert!(is_root(&context.root), "{broken:?} -> {context:?}");
        }
    }
}
