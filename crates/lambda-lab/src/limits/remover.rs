//! The thread that removes the groups of sandboxes that are gone.
//!
//! Apart because a group cannot be removed before the last process in it has died, and nobody who drops a cage should wait for
//! that. Invariant: a group is tried until it is gone or [`LIMIT`] has passed, and the thread ends with the lab.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::parent_group::{kill_all, remove_tree};

/// How long the processes of a killed group may take to die; longer only when the kernel has one in an uninterruptible wait.
const LIMIT: Duration = Duration::from_secs(5);
/// How long to wait between two tries.
const TRY_EVERY: Duration = Duration::from_millis(2);

/// The thread; waits for it when dropped.
pub(super) struct Remover {
    orders: Option<mpsc::Sender<Vec<PathBuf>>>,
    thread: Option<JoinHandle<()>>,
}

struct Order {
    groups: Vec<PathBuf>,
    deadline: Instant,
}

impl Remover {
    /// Starts it.
    pub(super) fn start() -> io::Result<Self> {
        let (orders, received) = mpsc::channel();
        let thread = thread::Builder::new().name("group-remover".to_owned()).spawn(move || run(&received))?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Has `groups` removed.
    pub(super) fn remove(&self, groups: Vec<PathBuf>) {
        if let Some(orders) = &self.orders {
            // Fails only if the thread panicked; the next lab then removes them.
            let _ = orders.send(groups);
        }
    }
}

impl Drop for Remover {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(received: &mpsc::Receiver<Vec<PathBuf>>) {
    let mut pending: Vec<Order> = Vec::new();
    let mut open = true;
    while open || !pending.is_empty() {
        match next(received, open, pending.is_empty()) {
            Ok(groups) => pending.push(Order { groups, deadline: Instant::now() + LIMIT }),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => open = false,
        }
        pending.retain_mut(|order| !try_once(order) && Instant::now() < order.deadline);
    }
}

fn next(
    received: &mpsc::Receiver<Vec<PathBuf>>,
    open: bool,
    idle: bool,
) -> Result<Vec<PathBuf>, RecvTimeoutError> {
    if idle {
        return received.recv().map_err(|_| RecvTimeoutError::Disconnected);
    }
    if !open {
        thread::sleep(TRY_EVERY);
        return Err(RecvTimeoutError::Disconnected);
    }
    received.recv_timeout(TRY_EVERY)
}

/// Whether all groups of `order` are gone.
fn try_once(order: &mut Order) -> bool {
    order.groups.retain(|group| !remove_tree(group));
    for group in &order.groups {
        kill_all(group);
    }
    order.groups.is_empty()
}
