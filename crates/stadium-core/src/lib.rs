//! The domain that both functions share: stadiums, settings parsed from parameters, the HTTP answer and its
//! errors.
//!
//! Apart so that the functions differ only in how they fetch, never in what they answer. Invariant: no I/O
//! happens here; a value of one of these types is valid by construction.
//!
//! ```
//! use stadium_core::{DatabaseSettings, ParameterNames};
//!
//! let names = ParameterNames::new("/stadiums")?;
//! let fetched = [("host", "proxy.example.com"), ("port", "5432"), ("name", "stadiums"), ("user", "reader")]
//!     .map(|(name, value)| (format!("/stadiums/database/{name}"), value.to_owned()));
//! let settings = DatabaseSettings::parse(&names, &fetched.into())?;
//! assert_eq!(settings.port, 5432);
//! # Ok::<(), stadium_core::SettingsError>(())
//! ```

mod answer;
mod problem;
mod secret;
mod settings;
mod stadium;

pub use answer::Answer;
pub use problem::Problem;
pub use secret::Secret;
pub use settings::{CacheSettings, DatabaseSettings, ParameterNames, SettingsError};
pub use stadium::{Stadium, stadiums_of_2020};
