//! The ladder: what each lever earned, and how that is shown.
//!
//! Apart from the comparisons because a rung has one neighbour that it is judged against and a place on the way from the ladder's foot
//! to its top. `rungs.rs` makes `run.json`'s block; everything else reads it. Invariant: the outputs show the same ways, with the words
//! of the verdicts.

pub mod cli;
mod error;
mod judge;
mod markdown;
mod metric;
mod rungs;
mod scale;
mod svg;
mod text;
mod way;
mod words;

pub use error::LadderError;
pub use metric::Metric;
pub use rungs::rungs;
pub use text::of_run;
pub use way::{Line, NamedRun, Report, Way, Whole, report, way};

/// The outputs of a report, for tests and the command line.
pub mod outputs {
    pub use super::markdown::render as markdown;
    pub use super::svg::render as svg;
    pub use super::text::render as text;
}
