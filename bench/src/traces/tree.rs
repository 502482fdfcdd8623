//! The segments of one trace as a tree, however they arrived.
//!
//! Apart from the meaning of the segments because parents may be missing, late, or run in circles. Invariant: [`Tree::children`] of
//! what was reached from a root never leads back to it, and what is reached from no root is an orphan.

use std::collections::{HashMap, HashSet};

use crate::traces::records::{FUNCTION_ORIGIN, InvocationLine, SERVICE_ORIGIN};
use crate::traces::segment::Segment;

/// Nobody nests deeper on purpose; what does is cut off and counted among the orphans.
pub const DEEPEST: usize = 64;

/// One trace's segments and who hangs on whom.
pub struct Tree<'a> {
    segments: &'a [Segment],
    children: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Tree<'a> {
    /// Of the segments of one trace, whose ids differ.
    pub fn new(segments: &'a [Segment]) -> Self {
        let mut children: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, segment) in segments.iter().enumerate() {
            if let Some(parent) = &segment.parent_id {
                children.entry(parent).or_default().push(index);
            }
        }
        Self { segments, children }
    }

    /// What hangs on the segment `id`, by start; segments of Lambda's own excepted.
    pub fn children(&self, id: &str) -> Vec<&'a Segment> {
        let all = self.children.get(id).into_iter().flatten().map(|index| &self.segments[*index]);
        let mut children: Vec<_> = all.filter(|segment| !is_lambdas(segment)).collect();
        children.sort_by_key(|segment| segment.start_us);
        children
    }

    /// The two segments that Lambda sent of `invocation`: the service's and the function's.
    pub fn lambdas(&self, invocation: &InvocationLine) -> (Option<&'a Segment>, Option<&'a Segment>) {
        let of = |origin: &'static str| {
            self.segments.iter().filter(move |segment| segment.origin.as_deref() == Some(origin))
        };
        let asked = |segment: &&Segment| segment.request_id.as_deref() == Some(&invocation.request_id);
        let named = |segment: &&Segment| segment.name == invocation.function;
        // One trace may hold several invocations; only where it holds one may anything but the request id tell which.
        let only = |origin| Some(of(origin).next()?).filter(|_| of(origin).count() == 1);
        let service = of(SERVICE_ORIGIN).find(asked).or_else(|| {
            only(SERVICE_ORIGIN).filter(|segment| named(segment) && segment.request_id.is_none())
        });
        let below = |segment: &&Segment| {
            service.is_some_and(|service| segment.parent_id.as_ref() == Some(&service.id))
        };
        // The attempts of an asynchronous event share a request id; each is the one that began when it did.
        let started_us = i64::try_from(invocation.started_unix_us).unwrap_or(i64::MAX);
        let nearest = |segment: &&Segment| segment.start_us.abs_diff(started_us);
        let function = of(FUNCTION_ORIGIN)
            .filter(|segment| below(segment) || asked(segment))
            .min_by_key(nearest)
            .or_else(|| only(FUNCTION_ORIGIN).filter(named));
        (service, function)
    }

    /// Segments whose parent is not here: the function's own, when its function segment is lost.
    pub fn parentless(&self) -> Vec<&'a Segment> {
        let ids: HashSet<&str> = self.segments.iter().map(|segment| segment.id.as_str()).collect();
        let lost = |segment: &&Segment| {
            !is_lambdas(segment) && segment.parent_id.as_deref().is_none_or(|parent| !ids.contains(parent))
        };
        let mut parentless: Vec<_> = self.segments.iter().filter(lost).collect();
        parentless.sort_by_key(|segment| segment.start_us);
        parentless
    }

    /// What is reached from no segment of Lambda's own. Without any, what has no parent here is a root too.
    pub fn orphans(&self) -> Vec<&'a Segment> {
        let has_function =
            self.segments.iter().any(|segment| segment.origin.as_deref() == Some(FUNCTION_ORIGIN));
        let mut open: Vec<(&Segment, usize)> =
            self.segments.iter().filter(|segment| is_lambdas(segment)).map(|segment| (segment, 0)).collect();
        if !has_function {
            open.extend(self.parentless().into_iter().map(|segment| (segment, 1)));
        }
        let mut reached: HashSet<&str> = HashSet::new();
        while let Some((segment, depth)) = open.pop() {
            if depth <= DEEPEST && reached.insert(&segment.id) {
                open.extend(self.children(&segment.id).into_iter().map(|child| (child, depth + 1)));
            }
        }
        self.segments.iter().filter(|segment| !reached.contains(segment.id.as_str())).collect()
    }
}

fn is_lambdas(segment: &Segment) -> bool {
    matches!(segment.origin.as_deref(), Some(SERVICE_ORIGIN | FUNCTION_ORIGIN))
}
