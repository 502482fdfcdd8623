//! `bench artillery`: the same scenario file in Artillery itself, beside the built-in engine's figures.
//!
//! Apart from the run because nothing of it enters `run.json`: Artillery is a second opinion, never a dependency. `process.rs` is
//! its process, `report.rs` its report, `measure.rs` both against one lab, `figures.rs` what is compared and `beside.rs` how it is shown.
//! Invariant: each column says what its times count from; a figure that one side does not have is not made up.

mod beside;
pub mod cli;
mod error;
mod figures;
mod measure;
mod process;
mod report;

pub use beside::render;
pub use error::ArtilleryError;
pub use figures::Figures;
pub use measure::{Options, measure};
