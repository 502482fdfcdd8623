//! What tracing makes of a request to one function: the header that the function gets, and whether segments are recorded.
//!
//! Apart from the fronts, which all ask it. As AWS documents its modes
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html#services-xray-default>): Active respects the caller's decision and
//! decides where there is none; PassThrough passes the caller's header on and sends nothing, "even if the tracing header contains a
//! decision to sample the request", and without a decision a function sees a root and no more
//! (<https://github.com/aws/aws-xray-sdk-java/pull/409>, <https://github.com/aws/aws-xray-sdk-node/pull/651>). Invariant: a request that
//! is not sampled costs a header and nothing else.

use std::sync::Arc;
use std::time::Instant;

use super::header::{TraceHeader, id_text, new_id, root_number};
use super::sampler::Sampler;
use super::traced::{Named, Traced};
use super::writer::{Documents, Work};
use super::{Sampling, SegmentStyle, TracingMode};
use crate::function::FunctionConfig;

/// The tracing of one function.
#[derive(Debug)]
pub(crate) struct Tracing {
    mode: TracingMode,
    style: SegmentStyle,
    sampler: Sampler,
    function: Arc<Named>,
    documents: Documents,
}

/// The trace of one request.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    /// `1-<8 hex>-<24 hex>`.
    pub(crate) root: String,
    /// What the function gets as `Lambda-Runtime-Trace-Id`.
    pub(crate) header: String,
    /// What recorded segments need; none where none are recorded.
    pub(crate) traced: Option<Arc<Traced>>,
}

impl Tracing {
    /// For `function`; what is recorded goes to `documents`.
    pub(crate) fn new(
        function: &FunctionConfig,
        sampling: Sampling,
        style: SegmentStyle,
        documents: Documents,
    ) -> Self {
        let named = Named { name: function.name.clone(), arn: function.arn() };
        let (mode, sampler) = (function.tracing, Sampler::new(sampling));
        Self { mode, style, sampler, function: Arc::new(named), documents }
    }

    /// Begins the trace of a request that came with `header`.
    pub(crate) fn begin(&self, header: Option<&str>) -> Trace {
        let header = TraceHeader::read(header);
        match self.mode {
            TracingMode::Active => {
                if header.sampled.unwrap_or_else(|| self.sampler.decide()) {
                    return self.record(header);
                }
                let parent = id_text(new_id());
                Trace {
                    header: header.passed_on(Some(&parent), Some(false)),
                    root: header.root,
                    traced: None,
                }
            }
            TracingMode::PassThrough => {
                if header.sampled == Some(true) {
                    // The function may send documents of its own.
                    self.tell(&header);
                }
                let parent = header.parent.as_deref().filter(|_| header.sampled.is_some());
                Trace { header: header.passed_on(parent, header.sampled), root: header.root, traced: None }
            }
        }
    }

    fn record(&self, header: TraceHeader) -> Trace {
        self.tell(&header);
        let traced = Traced {
            style: self.style,
            function: Arc::clone(&self.function),
            header,
            service_id: new_id(),
            function_id: new_id(),
            invocation_id: new_id(),
            attempt_id: None,
            received: Instant::now(),
            documents: self.documents.clone(),
        };
        Trace {
            root: traced.header.root.clone(),
            header: traced.header_for_function(),
            traced: Some(Arc::new(traced)),
        }
    }

    /// Told before the function is, so that no document of it comes first.
    fn tell(&self, header: &TraceHeader) {
        if let Some(root) = root_number(&header.root) {
            let parent = header.parent.as_deref().and_then(|parent| u64::from_str_radix(parent, 16).ok());
            self.documents.send(Work::HandedOut { root, parent });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

    fn tracing(mode: TracingMode, sampling: Sampling) -> (Tracing, Receiver<Work>) {
        let (documents, written) = channel();
        let function = Arc::new(Named { name: "f".to_owned(), arn: "arn".to_owned() });
        let sampler = Sampler::new(sampling);
        let documents = Documents::new(documents);
        (Tracing { mode, style: SegmentStyle::New, sampler, function, documents }, written)
    }

    /// `header` with ids instead of what begins with the same letters: a new parent is `Parent=*`.
    fn passed_on(mode: TracingMode, sampling: Sampling, header: Option<&str>) -> (String, bool) {
        let (tracing, _written) = tracing(mode, sampling);
        let trace = tracing.begin(header);
        let star = |field: &str| match field.split_once('=') {
            Some(("Root", root)) if root != ROOT => "Root=*".to_owned(),
            Some(("Parent", parent)) if parent != "53995c3f42cd8ad8" => "Parent=*".to_owned(),
            _ => field.to_owned(),
        };
        (trace.header.split(';').map(star).collect::<Vec<_>>().join(";"), trace.traced.is_some())
    }

    #[test]
    fn both_modes_make_what_lambda_makes_of_each_header() {
        let sampled = format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1");
        let not_sampled = format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=0");
        let undecided = format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=?;Lineage=a:1");
        let rooted = |rest: &str| format!("Root={ROOT}{rest}");
        let (active, pass, all, none) =
            (TracingMode::Active, TracingMode::PassThrough, Sampling::All, Sampling::None);
        for (mode, sampling, header, expected, recorded) in [
            (active, all, Some(&sampled), rooted(";Parent=*;Sampled=1;Lineage=a:1"), true),
            (active, none, Some(&sampled), rooted(";Parent=*;Sampled=1;Lineage=a:1"), true),
            (active, all, Some(&not_sampled), rooted(";Parent=*;Sampled=0"), false),
            (active, all, Some(&undecided), rooted(";Parent=*;Sampled=1;Lineage=a:1"), true),
            (active, none, Some(&undecided), rooted(";Parent=*;Sampled=0;Lineage=a:1"), false),
            (active, all, None, "Root=*;Parent=*;Sampled=1".to_owned(), true),
            (active, none, None, "Root=*;Parent=*;Sampled=0".to_owned(), false),
            (pass, all, Some(&sampled), sampled.clone(), false),
            (pass, all, Some(&not_sampled), not_sampled.clone(), false),
            (pass, all, Some(&undecided), rooted(";Lineage=a:1"), false),
            (pass, all, None, "Root=*".to_owned(), false),
        ] {
            let found = passed_on(mode, sampling, header.map(String::as_str));
            assert_eq!(found, (expected, recorded), "{mode}, {sampling:?}, {header:?}");
        }
    }

    #[test]
    fn only_what_may_send_documents_is_told_to_the_writer() {
        let told = |mode, sampling, header: Option<&str>| {
            let (tracing, written) = tracing(mode, sampling);
            tracing.begin(header);
            written.try_iter().count()
        };
        assert_eq!(told(TracingMode::Active, Sampling::All, None), 1);
        assert_eq!(told(TracingMode::Active, Sampling::None, None), 0);
        assert_eq!(told(TracingMode::PassThrough, Sampling::All, None), 0);
        assert_eq!(told(TracingMode::PassThrough, Sampling::All, Some("Sampled=1")), 1);
    }
}
