//! The function as it is when every step is questioned: nothing is made twice, nothing is fetched that was not asked for.
//!
//! A library so that the ladder composes its modules rung by rung. Compare it with the baseline by
//! `diff -r crates/baseline/src crates/optimized/src`. Invariant: no AWS SDK is linked, and a dependency that fails costs a
//! bounded time, never a hang.

pub mod budget;
#[cfg(feature = "cache")]
pub mod cache;
pub mod database;
#[cfg(feature = "cache")]
pub mod handler;
pub mod parameters;
