//! The model of one invocation's trace, the same whichever style its documents had.
//!
//! Apart from the documents because everything after them works on this alone. Invariant: a child lies within its parent, and the
//! self times of a tree add up to the length of its root, to the microsecond.

use serde::{Deserialize, Serialize};

/// A step of an invocation, on the trace's own axis: microseconds from the moment the event was handed out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Its logical name, such as `handler` or `db.query`.
    pub name: String,
    /// Where it begins; INIT's steps lie before 0.
    pub start_us: i64,
    /// Where it ends.
    pub end_us: i64,
    /// The part of it that was given to none of its children.
    pub self_us: i64,
    /// What happened within it, by start.
    pub children: Vec<Span>,
    /// What else is known.
    pub facts: Facts,
}

/// What a row's details tell of a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The name as it was sent.
    pub sent_name: String,
    /// `aws` or `remote`: a call that left the function.
    pub namespace: Option<String>,
    /// How it failed.
    pub failure: Option<String>,
    /// It never ended; its end is its parent's.
    pub unfinished: bool,
    /// By how much it was cut, because it lay outside its parent, in microseconds.
    pub cut_us: i64,
}

/// In which shape Lambda's own segments came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Subsegments `Initialization`, `Invocation`, `Overhead`.
    Old,
    /// Subsegment `Init`; the function's own hang on the segment itself, overheads are annotations.
    New,
    /// There was no `AWS::Lambda::Function` segment; the frame is that of `invocations.jsonl`.
    Missing,
}

/// One invocation's trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The function's name.
    pub function: String,
    /// Lambda's request id.
    pub request_id: String,
    /// Root of the trace header.
    pub trace_id: String,
    /// Whether the request waited for a new sandbox.
    pub cold: bool,
    /// The shape of Lambda's segments.
    pub style: Style,
    /// Time between the end of INIT and the event, cut out of the axis: nobody waited for it.
    pub gap_us: i64,
    /// When the event was handed out, microseconds since the epoch.
    pub zero_unix_us: i64,
    /// The whole, from INIT's start (or 0) to the end of the invocation.
    pub root: Span,
    /// What had to be mended or left out.
    pub notes: Vec<Note>,
}

/// Something a trace needed mending for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// No `AWS::Lambda` segment.
    NoServiceSegment,
    /// No `AWS::Lambda::Function` segment.
    NoFunctionSegment,
    /// The function's segment never ended.
    FunctionUnfinished,
    /// A step never ended.
    StepUnfinished,
    /// A step lay outside its parent and was cut.
    StepCut,
    /// A cold invocation without an Init segment.
    NoInitSegment,
    /// INIT was not waited for.
    InitAhead,
    /// Steps of INIT on an invocation that did not wait for INIT.
    EarlierInitSteps,
    /// No subsegment of the function's own.
    NoSteps,
}

impl Note {
    /// The note in words, to be read after "a trace" or "traces".
    pub fn words(self) -> &'static str {
        match self {
            Self::NoServiceSegment => "without a segment of origin AWS::Lambda",
            Self::NoFunctionSegment => {
                "without a segment of origin AWS::Lambda::Function (start and end are those of invocations.jsonl)"
            }
            Self::FunctionUnfinished => {
                "whose function segment never ended (its end is that of invocations.jsonl)"
            }
            Self::StepUnfinished => "with a step that never ended, taken to end with its parent",
            Self::StepCut => "with a step outside its parent (clock skew), cut to fit",
            Self::NoInitSegment => {
                "of a cold start without an Init segment (its length is that of invocations.jsonl)"
            }
            Self::InitAhead => "with an INIT that ran ahead of the request, not counted",
            Self::EarlierInitSteps => "with steps of an INIT that an earlier request waited for, not counted",
            Self::NoSteps => "without any step of the function's own",
        }
    }
}

impl Span {
    /// How long it took, in microseconds.
    pub fn duration_us(&self) -> i64 {
        self.end_us - self.start_us
    }
}

impl Trace {
    /// What the request waited for: INIT, where it did, and the invocation; the gap between them is not in it.
    pub fn total_us(&self) -> i64 {
        self.root.duration_us()
    }
}
