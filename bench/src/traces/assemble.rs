//! Makes one invocation's [`Trace`] from its segments.
//!
//! Apart from the frame because here all is put on one axis: t = 0 when the event was handed out, INIT before it, and the gap
//! between the end of INIT and the event cut out. Invariant: whatever arrived, a tree comes out whose children lie within their
//! parents; each thing that had to be cut, guessed or left out is among the notes.

use crate::traces::frame::{Frame, Stretch};
use crate::traces::partition::share;
use crate::traces::records::InvocationLine;
use crate::traces::segment::Segment;
use crate::traces::span::{Facts, Note, Span, Trace};
use crate::traces::tree::{DEEPEST, Tree};

/// The whole invocation.
pub const FUNCTION: &str = "function";
/// What came before the event.
pub const INIT: &str = "init";
/// The function's own code.
pub const HANDLER: &str = "handler";
/// From the response to the wish for the next event.
pub const OVERHEAD: &str = "overhead";

/// The trace of `invocation`, of which `segments` arrived, each id once.
pub fn assemble(invocation: &InvocationLine, segments: &[Segment]) -> Trace {
    let tree = Tree::new(segments);
    let frame = Frame::read(invocation, &tree);
    let axis = Axis::of(&frame);
    let mut steps = Steps { tree: &tree, notes: frame.notes };
    let handler = handler(&frame.steps);
    let mut children: Vec<Span> = Vec::new();
    if let Some(init) = frame.init {
        let within =
            frame.init_steps.iter().map(|step| steps.span(step, None, init, axis.init_shift, 2)).collect();
        children.push(plain(INIT, init, axis.init_shift, within));
    }
    for (index, step) in frame.steps.iter().enumerate() {
        let name = (handler == Some(index)).then_some(HANDLER);
        children.push(steps.span(step, name, frame.window, axis.zero, 1));
    }
    children.extend(frame.overhead.map(|overhead| plain(OVERHEAD, overhead, axis.zero, Vec::new())));
    children.sort_by_key(|child| child.start_us);
    let mut notes = steps.notes;
    notes.sort_unstable();
    notes.dedup();
    let mut root = Span { name: FUNCTION.to_owned(), children, ..Span::default() };
    root.start_us = axis.start;
    root.end_us = frame.window.1 - axis.zero;
    share(&mut root);
    Trace {
        function: invocation.function.clone(),
        request_id: invocation.request_id.clone(),
        trace_id: invocation.trace_id.clone(),
        cold: invocation.cold,
        style: frame.style,
        gap_us: axis.gap,
        zero_unix_us: axis.zero,
        root,
        notes,
    }
}

/// How wall-clock times become the trace's own.
struct Axis {
    /// The wall clock at t = 0.
    zero: i64,
    /// What is taken from times within INIT.
    init_shift: i64,
    /// Where the axis starts: minus INIT's length, or 0.
    start: i64,
    /// How much was cut between INIT and the event.
    gap: i64,
}

impl Axis {
    fn of(frame: &Frame) -> Self {
        let (start, end) = frame.window;
        match frame.init {
            None => Self { zero: start, init_shift: start, start: 0, gap: 0 },
            Some((began, ended)) if ended <= start => {
                Self { zero: start, init_shift: ended, start: began - ended, gap: start - ended }
            }
            // The function's segment began with INIT: the event counts from INIT's end.
            Some((began, ended)) if began <= start => {
                let zero = ended.min(end);
                Self { zero, init_shift: zero, start: began - zero, gap: 0 }
            }
            // INIT within the invocation, because it failed before: a step like any other.
            Some(_) => Self { zero: start, init_shift: start, start: 0, gap: 0 },
        }
    }
}

/// Which of the function's own steps is the handler: what Powertools marks with `ColdStart`, or the only `## ..`.
fn handler(steps: &[&Segment]) -> Option<usize> {
    let cold_start =
        steps.iter().position(|step| step.is_marked_handler() && step.annotations.contains_key("ColdStart"));
    let only = || {
        let mut all = steps.iter().enumerate().filter(|(_, step)| step.is_marked_handler());
        all.next().map(|(index, _)| index).filter(|_| all.next().is_none())
    };
    cold_start.or_else(only)
}

/// `## handler` and `### method` are Powertools' way to mark what is the function's own.
fn logical(name: &str) -> &str {
    let bare = name.trim_start_matches('#').trim();
    if bare.is_empty() { name } else { bare }
}

fn plain(name: &str, (start, end): Stretch, shift: i64, children: Vec<Span>) -> Span {
    let facts = Facts { sent_name: name.to_owned(), ..Facts::default() };
    let (start_us, end_us) = (start - shift, end - shift);
    Span { name: name.to_owned(), start_us, end_us, self_us: 0, children, facts }
}

/// Makes spans of segments, noting what had to be mended.
struct Steps<'a, 'b> {
    tree: &'b Tree<'a>,
    notes: Vec<Note>,
}

impl Steps<'_, '_> {
    /// `bounds`: where the parent lies, on the wall clock; `shift` makes it the axis's.
    fn span(
        &mut self,
        segment: &Segment,
        name: Option<&str>,
        bounds: Stretch,
        shift: i64,
        depth: usize,
    ) -> Span {
        let began = segment.start_us;
        let ended = segment.end_us.unwrap_or(bounds.1.max(began));
        let start = began.clamp(bounds.0, bounds.1);
        let end = ended.clamp(start, bounds.1);
        let cut_us = (began - start).abs().max((ended - end).abs());
        self.notes.extend((cut_us > 0).then_some(Note::StepCut));
        self.notes.extend(segment.end_us.is_none().then_some(Note::StepUnfinished));
        let below = if depth < DEEPEST { self.tree.children(&segment.id) } else { Vec::new() };
        let mut children: Vec<Span> =
            below.into_iter().map(|child| self.span(child, None, (start, end), shift, depth + 1)).collect();
        children.sort_by_key(|child| child.start_us);
        Span {
            name: name.unwrap_or_else(|| logical(&segment.name)).to_owned(),
            start_us: start - shift,
            end_us: end - shift,
            self_us: 0,
            children,
            facts: Facts {
                sent_name: segment.name.clone(),
                namespace: segment.namespace.clone(),
                failure: segment.failure.clone(),
                unfinished: segment.end_us.is_none(),
                cut_us,
            },
        }
    }
}
