//! The frame that Lambda puts around a function's steps, read from segments of either style.
//!
//! Apart from the steps because Lambda's own segments come in two shapes, and two functions of one account may differ in it.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html>. Old: subsegments `Initialization`, `Invocation`,
//! `Overhead`. New: subsegment `Init`, the overheads as annotations. Invariant: INIT is counted only by its own length, never by
//! the distance from its start to the event: a sandbox may be made long before its first event.

use crate::traces::records::{InvocationLine, microseconds};
use crate::traces::segment::Segment;
use crate::traces::span::{Note, Style};
use crate::traces::tree::Tree;

/// A stretch of time, microseconds since the epoch.
pub type Stretch = (i64, i64);

/// What Lambda says of an invocation, and what hangs on it.
pub struct Frame<'a> {
    /// The shape it came in.
    pub style: Style,
    /// From handing out the event to the end of the invocation.
    pub window: Stretch,
    /// INIT, where the request waited for it.
    pub init: Option<Stretch>,
    /// From the response to the wish for the next event, where it is told.
    pub overhead: Option<Stretch>,
    /// The function's own steps within the invocation.
    pub steps: Vec<&'a Segment>,
    /// The function's own steps within INIT.
    pub init_steps: Vec<&'a Segment>,
    /// What had to be mended or left out.
    pub notes: Vec<Note>,
}

/// What hangs on the function's segment, sorted by what it is.
#[derive(Default)]
struct Parts<'a> {
    init: Option<&'a Segment>,
    invocation: Option<&'a Segment>,
    overhead: Option<&'a Segment>,
    own_init: Option<&'a Segment>,
    own: Vec<&'a Segment>,
}

impl<'a> Parts<'a> {
    fn of(hanging: Vec<&'a Segment>, tree: &Tree<'a>) -> Self {
        let mut parts = Self::default();
        for segment in hanging {
            let place = match segment.name.as_str() {
                "Init" | "Initialization" | "Restore" => &mut parts.init,
                "Invocation" => &mut parts.invocation,
                "Overhead" => &mut parts.overhead,
                _ => {
                    parts.own.push(segment);
                    continue;
                }
            };
            // Of two, the first: a name that Lambda uses once may be the function's own the second time.
            match place {
                None => *place = Some(segment),
                Some(_) => parts.own.push(segment),
            }
        }
        for lambdas in [parts.init, parts.invocation].into_iter().flatten() {
            parts.own.extend(tree.children(&lambdas.id));
        }
        parts.own.sort_by_key(|segment| segment.start_us);
        let own_init = parts.own.iter().position(|segment| segment.is_own_init());
        parts.own_init = own_init.map(|index| parts.own.remove(index));
        parts
    }
}

impl Parts<'_> {
    /// An INIT that failed is repeated within the invocation: then the function's own INIT is a step of that, like any other.
    fn keep_repeated_init(&mut self, init: Option<Stretch>, window: Stretch) {
        let before = init.is_some_and(|(_, ended)| ended <= window.0);
        let repeated = self.own_init.take_if(|own| before && own.start_us >= window.0);
        self.own.extend(repeated);
        self.own.sort_by_key(|segment| segment.start_us);
    }
}

impl<'a> Frame<'a> {
    /// The frame of `invocation` in the trace `tree`.
    pub fn read(invocation: &InvocationLine, tree: &Tree<'a>) -> Self {
        let (service, function) = tree.lambdas(invocation);
        let hanging = function.map_or_else(|| tree.parentless(), |function| tree.children(&function.id));
        let mut parts = Parts::of(hanging, tree);
        let mut notes = Vec::new();
        notes.extend(service.is_none().then_some(Note::NoServiceSegment));
        notes.extend(function.is_none().then_some(Note::NoFunctionSegment));
        notes.extend(parts.own.is_empty().then_some(Note::NoSteps));
        let window = window(invocation, function, &parts, &mut notes);
        let init = init(invocation, &parts, window, &mut notes);
        parts.keep_repeated_init(init, window);
        Self {
            style: style(function, &parts),
            window,
            init,
            overhead: overhead(function, &parts, window),
            init_steps: init_steps(&parts, init, tree, &mut notes),
            steps: parts.own,
            notes,
        }
    }
}

fn style(function: Option<&Segment>, parts: &Parts) -> Style {
    let old = parts.invocation.is_some() || parts.init.is_some_and(|init| init.name == "Initialization");
    match function {
        None => Style::Missing,
        Some(_) if old => Style::Old,
        Some(_) => Style::New,
    }
}

fn window(
    invocation: &InvocationLine,
    function: Option<&Segment>,
    parts: &Parts,
    notes: &mut Vec<Note>,
) -> Stretch {
    let recorded = i64::try_from(invocation.started_unix_us).unwrap_or(i64::MAX / 2);
    let mut start = function.map_or(recorded, |function| function.start_us);
    // Where the function's segment begins with INIT, the event came when the invocation began.
    if let (Some(init), Some(invoked)) = (parts.init, parts.invocation)
        && init.start_us <= start
    {
        start = start.max(invoked.start_us);
    }
    let told = function.and_then(|function| function.end_us);
    notes.extend((function.is_some() && told.is_none()).then_some(Note::FunctionUnfinished));
    let end = told.unwrap_or_else(|| start + microseconds(invocation.duration_ms));
    let lambdas = [parts.invocation, parts.overhead];
    let ends = lambdas.iter().flatten().filter_map(|segment| segment.end_us);
    (start, ends.fold(end, i64::max).max(start))
}

fn init(
    invocation: &InvocationLine,
    parts: &Parts,
    window: Stretch,
    notes: &mut Vec<Note>,
) -> Option<Stretch> {
    if !invocation.cold {
        notes.extend(parts.init.map(|_| Note::InitAhead));
        return None;
    }
    // It may have run long before the event, but not after the invocation.
    let stretch = |segment: &Segment| {
        let start = segment.start_us.min(window.1);
        (start, segment.end_us.unwrap_or(window.0).clamp(start, window.1))
    };
    if let Some(init) = parts.init {
        return Some(stretch(init));
    }
    let own = parts.own_init.map(stretch);
    let told = invocation.init_ms.map(|init_ms| {
        let end = own.map_or(window.0, |(_, end)| end.min(window.0));
        (end - microseconds(init_ms), end)
    });
    let init = told.or(own);
    notes.extend(init.map(|_| Note::NoInitSegment));
    init
}

fn init_steps<'a>(
    parts: &Parts<'a>,
    init: Option<Stretch>,
    tree: &Tree<'a>,
    notes: &mut Vec<Note>,
) -> Vec<&'a Segment> {
    match (parts.own_init, init) {
        (None, _) => Vec::new(),
        (Some(own), Some(_)) => tree.children(&own.id),
        (Some(_), None) => {
            notes.push(Note::EarlierInitSteps);
            Vec::new()
        }
    }
}

fn overhead(function: Option<&Segment>, parts: &Parts, window: Stretch) -> Option<Stretch> {
    if let Some(overhead) = parts.overhead {
        let end = overhead.end_us.unwrap_or(window.1);
        return Some((overhead.start_us.clamp(window.0, window.1), end.clamp(window.0, window.1)))
            .filter(|(start, end)| start <= end);
    }
    let told = |name: &str| {
        // The documentation spells `aws.`; documents with `aws:` have been seen.
        let spelt = ["aws.", "aws:", "aws_"].map(|prefix| format!("{prefix}{name}"));
        let annotations = &function?.annotations;
        spelt.iter().find_map(|key| annotations.get(key)?.as_f64()).map(microseconds)
    };
    let (runtime, extensions) = (told("runtimeOverhead"), told("extensionOverhead"));
    (runtime.is_some() || extensions.is_some()).then(|| {
        let length = runtime.unwrap_or(0).saturating_add(extensions.unwrap_or(0));
        (window.1.saturating_sub(length).max(window.0), window.1)
    })
}
