//! `bench capacity`: how many requests a second each variant carries before something gives way.
//!
//! Apart from `bench run`, whose rates are given: here a rate is raised until errors, apdex, the host or the bench say stop. The
//! way is one line: `capacity.toml` -> a derived experiment and a lab for each situation -> climbs -> samples on disk -> knees
//! (pure) -> `run.json` -> table. Invariant: a knee that the host or the bench set is stamped so and judges no variant.

mod climb;
pub mod command;
mod derived;
mod drive;
mod judge;
mod knees;
mod settings;
mod situation;
mod summary;
pub mod table;

pub use climb::{Climb, Ending, Judgement, Limit, Path};
pub use settings::{Profile, Settings, SettingsError, Situation};
