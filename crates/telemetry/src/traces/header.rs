//! Lambda's trace header as the parent of an invocation's spans.
//!
//! Apart because this is where an invocation that is not sampled stops: for it, only a few bytes are compared. Format:
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>. Invariant: there is a
//! parent only if the header has a whole Root, a whole Parent and `Sampled=1`, as AWS's own SDKs ask
//! (PassThrough mode delivers a Root alone).

use opentelemetry::trace::SpanContext;
use opentelemetry_aws::trace::xray_propagator::span_context_from_str;

/// The segment that the invocation's subsegments hang on; `None` if nothing is to be traced.
///
/// Other fields of the header (`Lineage`, `Self`) are not looked at: nothing of ours sends the header on.
pub(crate) fn sampled_parent(header: Option<&str>) -> Option<SpanContext> {
    let header = header?;
    if field(header, "Sampled") != Some("1") {
        return None;
    }
    // Only these two: the parser refuses a header altogether whose other fields OpenTelemetry cannot carry, and Lineage's
    // form is AWS's own business.
    let (root, parent) = (field(header, "Root")?, field(header, "Parent")?);
    if !is_root(root) || !is_hex(parent, 16) {
        return None;
    }
    span_context_from_str(&format!("Root={root};Parent={parent};Sampled=1")).filter(SpanContext::is_valid)
}

/// The value of the field `name`, as it stands there.
pub(crate) fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The parser takes more than the format allows, such as a root without a version.
fn is_root(root: &str) -> bool {
    let mut parts = root.split('-');
    parts.next() == Some("1")
        && parts.next().is_some_and(|time| is_hex(time, 8))
        && parts.next().is_some_and(|random| is_hex(random, 24))
        && parts.next().is_none()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

    #[test]
    fn a_whole_sampled_header_is_a_parent_whatever_else_it_holds() {
        let lineage = "Lineage=1:a87bd80c:0;odd key=odd value;=;;novalue";
        let headers = [
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"),
            format!("Sampled=1;Parent=53995c3f42cd8ad8;Root={ROOT}"),
            format!("Self=1-2-3; Root={ROOT}; Parent=53995c3f42cd8ad8; Sampled=1;{lineage}"),
            format!("Root={};Parent=53995C3F42CD8AD8;Sampled=1", ROOT.to_uppercase()),
        ];
        for header in headers {
            let parent = sampled_parent(Some(&header)).unwrap_or_else(|| panic!("{header}"));
            assert_eq!(format!("{:032x}", parent.trace_id()), "5759e988bd862e3fe1be46a994272793", "{header}");
            assert_eq!(format!("{:016x}", parent.span_id()), "53995c3f42cd8ad8", "{header}");
            assert!(parent.is_sampled() && parent.is_remote(), "{header}");
        }
    }

    #[test]
    fn a_missing_broken_or_undecided_header_is_no_parent() {
        let headers = [
            String::new(),
            "garbage".to_owned(),
            ";;=;Sampled=1".to_owned(),
            format!("Root={ROOT}"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=?"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled="),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=11"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8;NotSampled=1"),
            format!("Root={ROOT};Sampled=1"),
            "Parent=53995c3f42cd8ad8;Sampled=1".to_owned(),
            format!("Root={ROOT};Parent=;Sampled=1"),
            format!("Root={ROOT};Parent=0000000000000000;Sampled=1"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad;Sampled=1"),
            format!("Root={ROOT};Parent=53995c3f42cd8adg;Sampled=1"),
            format!("Root={ROOT};Parent=53995c3f42cd8ad8é;Sampled=1"),
            format!("Root={ROOT}-1;Parent=53995c3f42cd8ad8;Sampled=1"),
            format!("Root=2{};Parent=53995c3f42cd8ad8;Sampled=1", &ROOT[1..]),
            format!("Root={};Parent=53995c3f42cd8ad8;Sampled=1", &ROOT[2..]),
            "Root=1-00000000-000000000000000000000000;Parent=53995c3f42cd8ad8;Sampled=1".to_owned(),
            "Root=;Parent=53995c3f42cd8ad8;Sampled=1".to_owned(),
        ];
        assert_eq!(sampled_parent(None), None);
        for header in headers {
            assert_eq!(sampled_parent(Some(&header)), None, "{header}");
        }
    }
}
