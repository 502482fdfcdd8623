//! Tests of the whole login, in one binary so that it is linked once.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod certificates;
mod environment;
mod postgres;
mod roots;
mod server;
mod token;
