//! When a lab is to end: signals, and the end of the program that started it.
//!
//! Apart because it is all that listens to the system. Invariant: listening begins before anything is started, so that no signal
//! finds the lab half up and deaf.

use std::io::Read;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Completes on SIGINT, SIGTERM or SIGHUP, and with `with_parent` also at the end of standard input.
///
/// # Errors
/// When the system refuses to deliver a signal.
pub(super) fn until_ended(with_parent: bool) -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let parent_gone = Arc::new(Notify::new());
    if with_parent {
        let parent_gone = Arc::clone(&parent_gone);
        std::thread::spawn(move || {
            let mut sink = [0; 64];
            while matches!(std::io::stdin().read(&mut sink), Ok(read) if read > 0) {}
            parent_gone.notify_one();
        });
    }
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            () = parent_gone.notified() => {}
        }
    })
}
