//! What the cases stand on: the lab as a process, its functions as files, and an HTTP client.

pub(crate) mod function;
pub(crate) mod http;
pub(crate) mod lab;
pub(crate) mod log;
pub(crate) mod notes;
pub(crate) mod processes;
pub(crate) mod wait;
pub(crate) mod world;
