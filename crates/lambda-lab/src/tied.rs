//! Starting a process that the kernel ends with the lab.
//!
//! Apart because it is the only unsafe code, and because sandboxes are started the same way. Linux sends a child the signal it
//! asked for (`PR_SET_PDEATHSIG`) when the *thread* that forked it ends, so a child forked by a pool's thread dies when the
//! pool shrinks. Invariant: every child is forked by one thread that lives as long as the lab; callers may stand on any.
#![allow(unsafe_code)] // `CommandExt::pre_exec` is unsafe; nothing else here is.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use nix::sys::signal::Signal;

use crate::descriptors;

use crate::limits::Entrance;

/// Starts `command` in its own process group, so that a terminal's Ctrl-C reaches the lab alone, and (on Linux) so that the
/// kernel sends it `death_signal` when this process dies, however it dies. May be called from any thread.
///
/// # Errors
/// What the system says when the program cannot be started.
pub fn spawn_tied(mut command: Command, death_signal: Signal) -> io::Result<Child> {
    command.process_group(0);
    tie_to_us(&mut command, death_signal);
    on_spawner(move || command.spawn())?
}

/// The same for a child that is awaited and goes through `entrance` before it becomes the program; call it within a tokio runtime.
/// When this returns it is the program: entering may have taken the kernel some milliseconds.
///
/// # Errors
/// What the system says when the program cannot be started, or cannot enter.
pub(crate) fn spawn_tied_async(
    mut command: tokio::process::Command,
    death_signal: Signal,
    entrance: Entrance,
) -> io::Result<tokio::process::Child> {
    command.process_group(0);
    tie_to_us(command.as_std_mut(), death_signal);
    enter(command.as_std_mut(), entrance)?;
    limit_descriptors(command.as_std_mut())?;
    let runtime = tokio::runtime::Handle::current();
    on_spawner(move || {
        let _entered = runtime.enter();
        command.spawn()
    })?
}

/// Gives the child Lambda's quota of file descriptors, however many this process may have.
fn limit_descriptors(command: &mut Command) -> io::Result<()> {
    let (soft, hard) = descriptors::of_a_sandbox()?;
    let limit = move || descriptors::set(soft, hard);
    // SAFETY: between fork and exec one system call is made; nothing allocates or locks.
    unsafe { command.pre_exec(limit) };
    Ok(())
}

type Order = Box<dyn FnOnce() + Send>;

/// Runs `work` on the one thread that forks, and waits for it. What it made is dropped there if nobody waits any more.
fn on_spawner<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (reply, answer) = mpsc::channel();
    let lost = || io::Error::other("the thread that starts processes is gone");
    let order = Box::new(move || {
        let _ = reply.send(work());
    });
    spawner()?.send(order).map_err(|_| lost())?;
    answer.recv().map_err(|_| lost())
}

/// The sender of orders to that thread, which ends with the process because the sender is never dropped.
fn spawner() -> io::Result<mpsc::Sender<Order>> {
    static SPAWNER: Mutex<Option<mpsc::Sender<Order>>> = Mutex::new(None);
    let mut spawner = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sender) = &*spawner {
        return Ok(sender.clone());
    }
    let (sender, orders) = mpsc::channel::<Order>();
    thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || orders.into_iter().for_each(|order| order()))?;
    *spawner = Some(sender.clone());
    Ok(sender)
}

/// After the tie, so that a lab that dies meanwhile takes the child with it.
fn enter(command: &mut Command, entrance: Entrance) -> io::Result<()> {
    let files = entrance.into_files()?;
    let enter = move || files.iter().try_for_each(|file| Ok(nix::unistd::write(file, b"0").map(drop)?));
    // SAFETY: between fork and exec only one system call a file is made; nothing allocates or locks.
    unsafe { command.pre_exec(enter) };
    Ok(())
}

#[cfg(target_os = "linux")]
fn tie_to_us(command: &mut Command, death_signal: Signal) {
    let us = std::process::id();
    let tie = move || {
        // After the change of user, which would undo it.
        nix::sys::prctl::set_pdeathsig(death_signal)?;
        if std::os::unix::process::parent_id() == us { Ok(()) } else { Err(nix::errno::Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec only two system calls are made and a number compared; nothing allocates or locks.
    unsafe { command.pre_exec(tie) };
}

#[cfg(not(target_os = "linux"))]
fn tie_to_us(_command: &mut Command, _death_signal: Signal) {}
