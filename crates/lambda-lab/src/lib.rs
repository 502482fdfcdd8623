//! A local Lambda service for any `bootstrap`: real processes, real PostgreSQL, PgBouncer and Redis, no account, no Docker.
//!
//! The binary `lambda-lab` serves an experiment's functions; this library exists so that it can be tested, and so that the
//! bench shares the types both speak ([`experiment`], [`records`], [`control`]). Invariant: the lab knows no function; whatever
//! it starts, it ends.

mod aws_json;
mod body;
pub mod certificates;
pub mod control;
mod control_port;
mod descriptors;
pub mod distance;
pub mod experiment;
mod fleet;
mod function;
mod http_api;
mod invoke_api;
mod journal;
pub mod lab;
pub mod limits;
mod logs;
pub mod records;
mod report;
mod sandbox;
pub mod secrets;
pub mod services;
pub mod ssm;
mod tied;
mod whole_lines;
pub mod xray;
