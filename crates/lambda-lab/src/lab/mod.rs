//! A whole lab: the servers, the endpoints, the functions, brought up in order and taken down in the reverse.
//!
//! Apart from the command line, so that tests run labs too. Invariant: [`Lab::start`] either returns a lab whose every function
//! can be called, or an error with nothing left behind.

mod error;
mod functions;
mod gaps;
mod options;
mod setup;
mod surroundings;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::certificates::Authority;
use crate::control::Ready;
use crate::control_port::{self, Controlled};
use crate::descriptors;
use crate::distance::{DelayLines, Dependency};
use crate::experiment::{Experiment, Function};
use crate::fleet::Fleet;
use crate::function;
use crate::http_api::{self, Fleets};
use crate::journal::Journal;
use crate::limits::Limits;
use crate::sandbox::Ground;
use crate::secrets::SecretsEndpoint;
use crate::services::Services;
use crate::services::run_dir::RunDir;
use crate::ssm::SsmEndpoint;
use crate::xray::{Traces, Tracing};
pub use error::LabError;
use error::prepare;
use functions::{account, expire_idle, function_urls, provision};
use gaps::not_emulated;
pub use options::{Options, default_functions_dir};
pub(crate) use setup::Setup;
use surroundings::{new_credentials, parameters, platform_env, put_at_a_distance, secrets, start_services};

/// A running lab.
pub struct Lab {
    ready: Ready,
    fleets: Fleets,
    journal: Arc<Journal>,
    services: Option<Arc<Services>>,
    ssm: Arc<SsmEndpoint>,
    stop: Arc<Notify>,
    ports: Vec<JoinHandle<()>>,
    /// Ended after the functions, which send to it.
    traces: Traces,
    /// Before the functions' dependencies; dropped after the functions and before the servers.
    distance: DelayLines,
    run_dir: RunDir,
}

impl Lab {
    /// Starts everything `experiment` asks for; returns when every function can be called.
    ///
    /// # Errors
    /// The first thing that is wrong; what had started is ended before it returns.
    pub async fn start(experiment: &Experiment, options: &Options) -> Result<Self, LabError> {
        function::check_programs(
            experiment.setup.iter().chain(&experiment.variants),
            &options.functions_dir,
        )?;
        // Before anything else starts: it may move this process into a group of its own.
        let limits = Limits::probe(options.limits)?;
        descriptors::raise();
        let front = listen(options.port).await?;
        let run_dir = RunDir::create().map_err(prepare)?;
        let authority = Authority::create(run_dir.path()).map_err(prepare)?;
        let logs_dir = options.logs_dir.clone().unwrap_or_else(|| run_dir.path().join("logs"));
        let journal = Journal::open(options.records.as_deref(), &logs_dir).map_err(prepare)?;
        let journal = Arc::new(journal.with(options.log_file.clone(), options.invocations.clone()));
        let traces = Traces::start(options.traces.as_deref()).map_err(prepare)?;
        let credentials = new_credentials();
        let services = start_services(experiment, &run_dir, &authority, &credentials).await?;
        let mut distance = DelayLines::new(options.network.clone());
        let mut values = services.as_ref().map(Services::values).unwrap_or_default();
        put_at_a_distance(&mut distance, services.as_ref(), &mut values)?;
        values.insert("ca.bundle".to_owned(), authority.ca_path().display().to_string());
        let parameters = parameters(experiment, &values)?;
        let access_key = &credentials.access_key_id;
        let ssm = SsmEndpoint::start(&authority, parameters, access_key, options.ssm_rate);
        let ssm = ssm.await.map_err(prepare)?;
        let secrets = SecretsEndpoint::start(&authority, secrets(experiment, &values)?, access_key);
        let secrets = secrets.await.map_err(prepare)?;
        let ssm_port = distance.port_before(Dependency::Ssm, ssm.port()).map_err(prepare)?;
        let secrets_port = distance.port_before(Dependency::Ssm, secrets.port()).map_err(prepare)?;
        let env = platform_env(ssm_port, secrets_port, &values);
        let account = account(experiment);
        let fleet = |function: &Function| -> Result<Arc<Fleet>, LabError> {
            let dir = &options.functions_dir;
            let config = function::configure(function, dir, &values, &env, &credentials, traces.address())?;
            let log = journal.function_log(&config.name, config.logging).map_err(prepare)?;
            let (limits, freeze, folder) = (limits.clone(), options.freeze, run_dir.path().to_owned());
            let tracing = Tracing::new(&config, options.sampling, options.segments, traces.documents());
            let ground = Ground { function: Arc::new(config), limits, log, freeze, tracing, folder };
            let scaling_rate = experiment.account.new_sandboxes_per_10_s;
            Ok(Fleet::new(ground, Arc::clone(&journal), Arc::clone(&account), scaling_rate))
        };
        let setup = experiment.setup.iter().map(&fleet).collect::<Result<_, LabError>>()?;
        let setup = Setup::run_first(setup, &journal).await?;
        let fleets = experiment.variants.iter().map(|function| Ok((function.name.clone(), fleet(function)?)));
        let fleets: Fleets = Arc::new(fleets.collect::<Result<_, LabError>>()?);
        provision(&fleets, &journal).await?;
        let controlled = Controlled {
            token: Uuid::new_v4().simple().to_string(),
            fleets: Arc::clone(&fleets),
            setup,
            services: services.map(Arc::new),
            ssm: Arc::new(ssm),
            secrets,
            stop: Arc::new(Notify::new()),
        };
        let control = listen(0).await?;
        let ready = Ready {
            control: url(&control)?,
            token: controlled.token.clone(),
            functions: function_urls(experiment, &fleets, &url(&front)?),
            versions: controlled.services.as_ref().map(|services| services.versions()).unwrap_or_default(),
            network: distance.report(),
            limits: limits.name().to_owned(),
            not_emulated: not_emulated(&limits, options),
        };
        let delays = options.async_retry_delays.clone();
        let ports = Vec::from(http_api::serve(front, Arc::clone(&fleets), delays));
        Ok(Self::serve(controlled, ports, control, ready, journal, (traces, distance, run_dir)))
    }

    fn serve(
        controlled: Controlled,
        mut ports: Vec<JoinHandle<()>>,
        control: TcpListener,
        ready: Ready,
        journal: Arc<Journal>,
        (traces, distance, run_dir): (Traces, DelayLines, RunDir),
    ) -> Self {
        let controlled = Arc::new(controlled);
        let fleets = Arc::clone(&controlled.fleets);
        ports.push(control_port::serve(control, Arc::clone(&controlled)));
        ports.push(tokio::spawn(expire_idle(Arc::clone(&fleets))));
        Self {
            ready,
            fleets,
            journal,
            services: controlled.services.clone(),
            ssm: Arc::clone(&controlled.ssm),
            stop: Arc::clone(&controlled.stop),
            ports,
            traces,
            distance,
            run_dir,
        }
    }

    /// Addresses, versions and what is not emulated.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Where the log of `function` lies.
    pub fn log_path(&self, function: &str) -> PathBuf {
        self.journal.log_path(function)
    }

    /// Returns when the control port was told to stop.
    pub async fn stop_asked(&self) {
        self.stop.notified().await;
    }

    /// Ends every sandbox, endpoint and server, and removes the lab's folder.
    ///
    /// # Errors
    /// What could not be ended or removed; everything else is.
    pub async fn stop(self) -> Result<(), LabError> {
        for port in &self.ports {
            port.abort();
        }
        for port in self.ports {
            // The abort is what ends it; the port's handle on the services goes with it.
            let _ = port.await;
        }
        for fleet in self.fleets.values() {
            let _ = tokio::time::timeout(Duration::from_secs(5), fleet.retire()).await;
        }
        drop(self.fleets);
        let traces = self.traces;
        let written = tokio::task::spawn_blocking(move || traces.stop()).await.map_err(prepare)?;
        drop(self.distance);
        drop(self.ssm);
        if let Some(Ok(services)) = self.services.map(Arc::try_unwrap) {
            services.stop().await.map_err(|error| LabError::Service(error.to_string()))?;
        }
        self.run_dir.remove().map_err(prepare)?;
        written.map(drop).map_err(prepare)
    }
}

async fn listen(port: u16) -> Result<TcpListener, LabError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| LabError::Port { port, source })
}

fn url(listener: &TcpListener) -> Result<String, LabError> {
    Ok(format!("http://{}", listener.local_addr().map_err(prepare)?))
}
