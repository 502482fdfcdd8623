//! The ladder: from the baseline to the optimized function, one lever a rung.
//!
//! Apart from the functions because a rung is neither: it is composed of their own modules. Each program is one file in `rungs/`,
//! which reads in one screen; two neighbours in the ladder's order differ by one lever, so
//! `diff crates/ladder/src/rungs/{extension,lean-runtime}.rs` shows it. The order, and what each rung's lever is, stand in
//! `bench/experiments/ladder.toml`. Invariant: every rung but the floor logs, traces, answers and fails as the two functions do.
//!
//! Four rungs have no file here, because they are programs of the functions: `baseline`, `pool-kept` (`baseline-reused`),
//! `finished-answer` (`optimized` in plain release), and `build-profile`, which is `memory-size` too (`optimized` as shipped).

#[cfg(feature = "floor-redis")]
pub mod bare_redis;
#[cfg(feature = "told")]
pub mod failure;
pub mod finished;
pub mod memory;
#[cfg(feature = "told")]
pub mod serve;
#[cfg(feature = "cache")]
pub mod temporary_copies;
pub mod temporary_copy;

#[cfg(feature = "told")]
pub use failure::{Failure, answer, answered};
#[cfg(feature = "told")]
pub use serve::{names, serve};
