//! What a verdict from this lab must be read without, in the words of every report.
//!
//! Apart because each part adds what it lacks. Invariant: what is not said here is emulated, and docs/FIDELITY.md names its test.

use super::Options;
use crate::distance::Network;
use crate::limits::Limits;

/// What this lab, on this machine and as it was started, does not emulate.
pub(super) fn not_emulated(limits: &Limits, options: &Options) -> Vec<String> {
    let mut gaps = limits.not_emulated();
    if !options.freeze {
        gaps.push("freezing between invocations: switched off".to_owned());
    }
    if options.ssm_rate.is_none() {
        gaps.push("throttling by Parameter Store: switched off".to_owned());
    }
    if options.network == Network::loopback() {
        gaps.push("network distance: every dependency is on loopback".to_owned());
    }
    gaps.push(
        "scale-out beyond this host: while its processors are busy, two sandboxes per processor may be cold at once, \
         further requests wait"
            .to_owned(),
    );
    gaps
}
