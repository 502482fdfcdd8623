//! Drives the variants of an experiment in paired rounds and says what is faster, by how much and how surely.
//!
//! The data's way is one line, and [`run`] reads like it: experiment file -> plan (pure) -> lab -> samples and invocations on
//! disk -> statistics (pure) -> `run.json` -> table. Invariant: the table and every later report read `run.json` alone, and
//! every request that was meant to be sent is accounted for in it.

pub mod artillery;
pub mod bodies;
pub mod capacity;
pub mod client;
pub mod compare;
pub mod comparison;
pub mod control;
pub mod cost;
mod cost_table;
pub mod course;
pub mod distributions;
pub mod environment;
pub mod gate;
pub mod host;
pub mod interference;
pub mod json_lines;
pub mod lab;
pub mod lab_error;
pub mod ladder;
pub mod last_words;
pub mod load;
pub mod metrics;
pub mod noise_floor;
pub mod observation;
pub mod open_loop;
pub mod outliers;
pub mod pacer;
pub mod package;
pub mod phases;
pub mod plan;
mod prepared;
pub mod prices;
pub mod programs;
pub mod progress;
pub mod reason;
pub mod recorder;
pub mod result_folder;
pub mod rounds;
pub mod run;
pub mod run_error;
pub mod run_file;
pub mod sample;
pub mod sampling;
pub mod scenario;
pub mod schedule;
pub mod states;
pub mod statistics;
pub mod summary;
pub mod table;
pub mod table_notes;
pub mod table_pairs;
pub mod traces;
pub mod tracing_cost;
pub mod verdict;
pub mod welch;
pub mod xray_api;
