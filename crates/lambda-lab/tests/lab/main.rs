//! The lab from outside: real processes behind its HTTP API.
#![allow(clippy::unwrap_used)] // A test that cannot go on fails here.

mod extensions;
mod failures;
mod invocations;
mod limits;
mod segments;
mod support;
mod traces;
