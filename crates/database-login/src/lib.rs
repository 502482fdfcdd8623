//! How a function logs in to PostgreSQL: an RDS IAM token for a password, over TLS that is verified in full.
//!
//! Apart so that both functions, and every tool beside them, log in the same way; Redis clients take their
//! TLS from here too. Invariant: this crate alone reads a CA bundle, and nothing it makes connects to a
//! server that it has not verified.
//!
//! ```no_run
//! use database_login::{Login, Target};
//!
//! let login = Login::from_env()?; // once, in INIT
//! let target = Target { host: "proxy.example.com", port: 5432, database: "stadiums", user: "reader" };
//! let options = login.connect_options(&target)?; // for each new connection
//! # Ok::<(), database_login::LoginError>(())
//! ```

mod credentials;
mod error;
mod postgres;
mod roots;
mod token;

pub use aws_credential_types::Credentials;
pub use credentials::credentials_from_env;
pub use error::LoginError;
pub use postgres::{Login, Target, connect_options};
pub use roots::Roots;
pub use token::{Endpoint, Token, auth_token};
