//! The account's limit of concurrent executions, shared by all functions of a lab.
//!
//! Apart from a fleet because no fleet owns it. Facts:
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>. Reserved concurrency is taken out of the account's pool
//! and kept for its function; the others share the rest. Invariant: what was taken is given back when its [`Execution`] is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lambda's default limit of concurrent executions in an account.
pub(crate) const DEFAULT_CONCURRENCY: u32 = 1000;

/// The pool of executions of the functions without reserved concurrency.
#[derive(Debug)]
pub(crate) struct Account {
    unreserved: u32,
    running: AtomicU32,
}

/// The right to run one invocation.
#[derive(Debug)]
pub(crate) struct Execution(Option<Arc<Account>>);

impl Account {
    /// An account of `limit` executions, of which functions have reserved `reserved`.
    pub(crate) fn new(limit: u32, reserved: u32) -> Arc<Self> {
        Arc::new(Self { unreserved: limit.saturating_sub(reserved), running: AtomicU32::new(0) })
    }

    /// An execution of the pool, if one is left.
    pub(super) fn execution(self: &Arc<Self>) -> Option<Execution> {
        let left = |running: u32| (running < self.unreserved).then_some(running + 1);
        let taken = self.running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left);
        taken.is_ok().then(|| Execution(Some(Arc::clone(self))))
    }
}

impl Execution {
    /// One that counts against the function's own reservation alone.
    pub(super) fn reserved() -> Self {
        Self(None)
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if let Some(account) = &self.0 {
            account.running.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_what_is_not_reserved_and_comes_back() {
        let account = Account::new(5, 3);
        let first = account.execution();
        let second = account.execution();
        assert!(first.is_some() && second.is_some());
        assert!(account.execution().is_none(), "two are left of five when three are reserved");
        drop(Execution::reserved());
        assert!(account.execution().is_none(), "a reserved execution gives nothing back to the pool");
        drop(first);
        assert!(account.execution().is_some());
    }
}
