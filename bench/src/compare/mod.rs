//! Two runs beside each other, before and after a commit, say.
//!
//! Apart from the comparison inside one run because two runs share no round: nothing can be paired, and between them the machine may
//! have changed. Invariant: what is said of a change is said twice, as measured (the drift is in it) and relative to a reference
//! variant of the same rounds (there it cancels out), and never without naming which.
//!
//! [`read`] takes a run, [`report`] computes (pure), [`differences`] tells what else differs, [`text`] and [`markdown`] write.

pub mod changes;
pub mod cli;
pub mod differences;
pub mod error;
pub mod markdown;
pub mod read;
pub mod report;
pub mod rows;
pub mod text;
