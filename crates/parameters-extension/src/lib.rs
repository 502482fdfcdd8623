//! A Lambda extension that serves SSM parameters and secrets on localhost, as AWS's Parameters and Secrets extension does.
//!
//! Apart from every function, because it is a process of its own that knows none of them: it reads with the function's role,
//! keeps what it read for a time to live, and answers over HTTP. The library holds everything and `main` only wires, so that
//! tests reach each part.
//!
//! Invariant: what it answers was read from the service within the time to live, or is an error; a value that could not be
//! refreshed is never served.
//!
//! Where it differs from AWS's: the service's own status and error body reach the caller (AWS's answers one general text and
//! logs the cause), dates stay as the service writes them, and a failed call is not tried again.

mod cache;
pub mod clock;
mod face;
mod lifecycle;
pub mod log;
pub mod settings;
mod upstream;
mod values;

pub use face::router;
pub use lifecycle::{Phase, RunError, run};
pub use settings::{Settings, SettingsError};
pub use values::Values;
