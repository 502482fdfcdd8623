//! How many files a process may have open.
//!
//! Apart because the lab needs more than most shells give (each sandbox takes about a dozen: its cage, its pipes, its API port), and a
//! function gets Lambda's own quota, <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>. Invariant: what the
//! lab takes for itself never reaches a function.

use std::io;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

/// Lambda's quota of file descriptors in a sandbox.
const LAMBDA_QUOTA: rlim_t = 1024;

/// More than a thousand sandboxes need.
const ENOUGH: rlim_t = 65_536;

/// Raises this process's own limit as far as the system lets it; where it does not, a lab with few sandboxes still works.
pub(crate) fn raise() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(ENOUGH);
        if soft < wanted {
            let _ = set(wanted, hard);
        }
    }
}

/// The soft and hard limit of a sandbox's processes.
///
/// # Errors
/// What the system says.
pub(crate) fn of_a_sandbox() -> io::Result<(rlim_t, rlim_t)> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let quota = LAMBDA_QUOTA.min(hard);
    Ok((quota, quota))
}

/// Sets both limits of the calling process; one system call.
///
/// # Errors
/// What the system says.
pub(crate) fn set(soft: rlim_t, hard: rlim_t) -> io::Result<()> {
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?)
}
