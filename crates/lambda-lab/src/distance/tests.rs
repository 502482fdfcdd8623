//! The pipes with instants made by hand, and lines with real sockets. Times are only ever bounded from below, or so far from above
//! that a busy machine does not matter.

mod line;
mod network;
mod pipe;
