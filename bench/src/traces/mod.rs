//! Compares the X-Ray traces of two variants, step by step, and says where the time went.
//!
//! The data's way is one line: [`read`] (documents and invocations of a run folder) -> [`assemble`] (one tree an invocation,
//! whichever [`frame`] Lambda put around it) -> [`partition`] (every microsecond belongs to one step) -> [`select`] (which
//! invocations stand for the run) -> [`mod@pair`] and [`medians`] -> [`report`] -> [`text`], [`markdown`], [`html`], JSON, or
//! [`otlp`] and [`chrome`] for other tools. Apart from the rest of the bench because none of it needs a trace. Invariant: what
//! the outputs say of a pair adds up exactly: the self differences of its rows are the difference of its totals.

pub mod assemble;
pub mod chrome;
pub mod cli;
pub mod completeness;
pub mod error;
pub mod figures;
pub mod frame;
pub mod html;
pub mod in_run;
pub mod markdown;
pub mod medians;
pub mod otlp;
pub mod outline;
pub mod pair;
pub mod partition;
pub mod read;
pub mod records;
pub mod report;
pub mod segment;
pub mod select;
pub mod span;
pub mod text;
pub mod tree;
