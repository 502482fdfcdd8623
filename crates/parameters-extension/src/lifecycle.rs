//! The extension's life in the sandbox: listen, register, serve from the first INVOKE on, end with SHUTDOWN.
//!
//! Apart because it is all that knows the Extensions API. Invariant: an event is never held up by a request. The next event is
//! asked for at once, because Lambda ends an invocation only when every extension has asked.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::serve::ListenerExt;
use lambda_extension::{Extension, LambdaEvent, NextEvent, service_fn};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::log::Log;
use crate::settings::Settings;
use crate::values::Values;

/// Whether the function is in its invoke phase. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Phase(Arc<AtomicBool>);

impl Phase {
    /// From the first invocation on: requests are served.
    pub fn serve(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The sandbox ends: requests are refused again.
    pub fn end(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// True between the first INVOKE and SHUTDOWN.
    pub fn is_serving(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why the extension ended other than by SHUTDOWN.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Not started by Lambda.
    #[error("AWS_LAMBDA_RUNTIME_API is not set; the extension is started by Lambda, from /opt/extensions")]
    NotInLambda,
    /// The port is taken or forbidden.
    #[error(
        "port {port} on 127.0.0.1 cannot be listened on: {cause}; choose another in PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"
    )]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system says.
        cause: io::Error,
    },
    /// The Extensions API refused it or went away.
    #[error("the Extensions API failed: {0}")]
    ExtensionsApi(lambda_extension::Error),
    /// The HTTP server ended.
    #[error("the HTTP server failed: {0}")]
    Serve(io::Error),
}

/// Runs the extension until Lambda shuts the sandbox down. Registers under the program's file name.
///
/// # Errors
/// When it cannot listen or register, and when the Extensions API goes away.
pub async fn run(settings: Settings) -> Result<(), RunError> {
    // The client of the Extensions API panics without it.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(RunError::NotInLambda);
    }
    let log = Log(settings.log_level);
    for warning in &settings.warnings {
        log.warn(format_args!("{warning}"));
    }
    let port = settings.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|cause| RunError::Listen { port, cause })?;
    let port = listener.local_addr().map_or(port, |address| address.port());
    log.info(format_args!("serving on port {port}"));

    let phase = Phase::default();
    let router = crate::router(&settings, Values::new(&settings, Clock::system()), phase.clone());
    let listener = listener.tap_io(|stream| {
        // A short answer must not wait for more to send; where the option fails, it only waits.
        let _ = stream.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, router) => served.map_err(RunError::Serve),
        ended = follow_events(phase) => ended,
    }
}

async fn follow_events(phase: Phase) -> Result<(), RunError> {
    let shutdown = Arc::new(Notify::new());
    let events = service_fn(|event: LambdaEvent| {
        match event.next {
            NextEvent::Invoke(_) => phase.serve(),
            NextEvent::Shutdown(_) => {
                phase.end();
                shutdown.notify_one();
            }
        }
        std::future::ready(Ok::<(), lambda_extension::Error>(()))
    });
    let extension = Extension::new().with_events(&["INVOKE", "SHUTDOWN"]).with_events_processor(events);
    tokio::select! {
        // The crate asks for the next event after SHUTDOWN too, and there is none.
        () = shutdown.notified() => Ok(()),
        ended = extension.run() => ended.map_err(RunError::ExtensionsApi),
    }
}
