//! X-Ray as Lambda does it: the trace header in and out, sampling, the service's own segments, the daemon's port, and the documents
//! of a run in `traces/`.
//!
//! Apart from the sandbox, which only tells what happened and when. On the way of an invocation that is not sampled there is no more
//! than a header; what is sampled is handed to a thread of its own, which makes, judges and writes the documents. How Lambda
//! behaves: <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html>. Invariant: a document that arrives is written, with
//! what is wrong with it, or counted as lost.

mod cause;
mod daemon;
mod datagram;
mod delivery;
mod header;
mod known;
mod options;
mod otlp;
mod sampler;
mod segments;
mod traced;
mod traces;
mod tracing;
pub mod validate;
mod writer;

pub(crate) use delivery::Delivery;
pub use options::{Sampling, SegmentStyle, TracingMode};
pub(crate) use traced::Traced;
pub(crate) use traces::Traces;
pub(crate) use tracing::{Trace, Tracing};
