//! The function as tutorials lead to it: everything is made anew in each invocation, and closed again.
//!
//! A library so that `baseline-reused` runs the same modules with client, parameters and pool made once. Compare it with the
//! optimized function by `diff -r crates/baseline/src crates/optimized/src`. Invariant: it does nothing needless on purpose;
//! each cost here is one that good code of this shape has.

pub mod database;
#[cfg(feature = "sdk")]
pub mod handler;
#[cfg(feature = "sdk")]
pub mod parameters;
#[path = "../reused/pool.rs"]
pub mod reused;
