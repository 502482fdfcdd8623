//! All cases, by area.

mod clients;
mod concurrency;
mod extension_faults;
mod extensions;
mod faults;
mod freezing;
mod http_api;
mod init;
mod invoke_api;
mod limits;
mod logs;
mod runtime_api;
mod shutdown;
mod telemetry;
mod xray;

use crate::case::Case;

/// Every case of the suite.
pub(crate) fn all() -> Vec<Case> {
    [
        clients::cases(),
        concurrency::cases(),
        extension_faults::cases(),
        extensions::cases(),
        faults::cases(),
        freezing::cases(),
        http_api::cases(),
        init::cases(),
        invoke_api::cases(),
        limits::cases(),
        logs::cases(),
        runtime_api::cases(),
        shutdown::cases(),
        telemetry::cases(),
        xray::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
