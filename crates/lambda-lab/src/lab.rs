//! A whole lab: the servers, the endpoints, the functions, brought up in order and taken down in the reverse.
//!
//! Apart from the command line, so that tests run labs too. Invariant: [`Lab::start`] either returns a lab whose every function
//! can be called, or an error with nothing left behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::certificates::Authority;
use crate::control::{FunctionUrl, Ready};
use crate::control_port::{self, Controlled};
use crate::distance::{DelayLines, Dependency, Network};
use crate::experiment::{Experiment, ExperimentError, Function, expand};
use crate::fleet::{Fleet, Served};
use crate::function::{self, Credentials, FunctionError};
use crate::http_api::{self, Fleets};
use crate::journal::{Journal, last_lines};
use crate::sandbox::state::Answer;
use crate::sandbox::{InvocationRequest, Outcome};
use crate::services::Services;
use crate::services::run_dir::RunDir;
use crate::ssm::{Parameter, SsmEndpoint};
use crate::trace::TraceContext;

/// What a lab is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where built functions lie: `<functions_dir>/<binary>/bootstrap`.
    pub functions_dir: PathBuf,
    /// Where invocation records are appended; none: not written.
    pub records: Option<PathBuf>,
    /// Folder for one log file per function; none: within the lab's own folder, which is removed at the end.
    pub logs_dir: Option<PathBuf>,
    /// Port of the HTTP API; 0 for a free one.
    pub port: u16,
    /// How far the dependencies are said to be.
    pub network: Network,
}

/// Why a lab could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The experiment cannot be run as it stands.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A function cannot be served.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// The lab's own folder or certificates could not be made.
    #[error("cannot prepare the lab: {0}")]
    Prepare(String),
    /// A server did not come up.
    #[error("{0}")]
    Service(String),
    /// A port could not be opened.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; choose another with --port, or 0 for a free one")]
    Port {
        /// The port asked for.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A setup function failed.
    #[error("setup function {function} failed: {reason}; its last output:{output}")]
    Setup {
        /// The function's name.
        function: String,
        /// What went wrong.
        reason: String,
        /// The end of its log.
        output: String,
    },
}

/// A running lab.
pub struct Lab {
    ready: Ready,
    fleets: Fleets,
    journal: Arc<Journal>,
    services: Option<Arc<Services>>,
    ssm: Arc<SsmEndpoint>,
    stop: Arc<Notify>,
    ports: Vec<JoinHandle<()>>,
    /// Before the functions' dependencies; dropped after the functions and before the run folder.
    distance: DelayLines,
    run_dir: RunDir,
}

fn prepare(error: impl std::fmt::Display) -> LabError {
    LabError::Prepare(error.to_string())
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
        let front = listen(options.port).await?;
        let run_dir = RunDir::create().map_err(prepare)?;
        let authority = Authority::create(run_dir.path()).map_err(prepare)?;
        let logs_dir = options.logs_dir.clone().unwrap_or_else(|| run_dir.path().join("logs"));
        let journal = Arc::new(Journal::open(options.records.as_deref(), &logs_dir).map_err(prepare)?);
        let services = start_services(experiment, &run_dir, &authority).await?;
        let mut distance = DelayLines::new(options.network.clone());
        let mut values = services.as_ref().map(Services::values).unwrap_or_default();
        put_at_a_distance(&mut distance, &mut values)?;
        values.insert("ca.bundle".to_owned(), authority.ca_path().display().to_string());
        let credentials = new_credentials();
        let parameters = parameters(experiment, &values)?;
        let ssm =
            SsmEndpoint::start(&authority, parameters, &credentials.access_key_id).await.map_err(prepare)?;
        let ssm_port = distance.port_before(Dependency::Ssm, ssm.port()).map_err(prepare)?;
        let env = platform_env(ssm_port, &values);
        let fleet = |function: &Function| -> Result<Arc<Fleet>, LabError> {
            let config = function::configure(function, &options.functions_dir, &values, &env, &credentials)?;
            Fleet::new(config, Arc::clone(&journal)).map_err(prepare)
        };
        for function in &experiment.setup {
            run_setup(&fleet(function)?, &journal).await?;
        }
        let fleets = experiment.variants.iter().map(|function| Ok((function.name.clone(), fleet(function)?)));
        let fleets: Fleets = Arc::new(fleets.collect::<Result<_, LabError>>()?);
        let controlled = Controlled {
            token: Uuid::new_v4().simple().to_string(),
            fleets: Arc::clone(&fleets),
            services: services.map(Arc::new),
            ssm: Arc::new(ssm),
            stop: Arc::new(Notify::new()),
        };
        let control = listen(0).await?;
        let ready = Ready {
            control: url(&control)?,
            token: controlled.token.clone(),
            functions: function_urls(experiment, &fleets, &url(&front)?),
            versions: controlled.services.as_ref().map(|services| services.versions()).unwrap_or_default(),
            not_emulated: not_emulated(&options.network),
            network: distance.report(),
            limits: "none".to_owned(),
        };
        Ok(Self::serve(controlled, front, control, ready, journal, distance, run_dir))
    }

    fn serve(
        controlled: Controlled,
        front: TcpListener,
        control: TcpListener,
        ready: Ready,
        journal: Arc<Journal>,
        distance: DelayLines,
        run_dir: RunDir,
    ) -> Self {
        let controlled = Arc::new(controlled);
        let fleets = Arc::clone(&controlled.fleets);
        let ports = vec![
            http_api::serve(front, Arc::clone(&fleets)),
            control_port::serve(control, Arc::clone(&controlled)),
            tokio::spawn(expire_idle(Arc::clone(&fleets))),
        ];
        Self {
            ready,
            fleets,
            journal,
            services: controlled.services.clone(),
            ssm: Arc::clone(&controlled.ssm),
            stop: Arc::clone(&controlled.stop),
            ports,
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
        drop(self.distance);
        drop(self.ssm);
        if let Some(Ok(services)) = self.services.map(Arc::try_unwrap) {
            services.stop().await.map_err(|error| LabError::Service(error.to_string()))?;
        }
        self.run_dir.remove().map_err(prepare)
    }
}

async fn start_services(
    experiment: &Experiment,
    run_dir: &RunDir,
    authority: &Authority,
) -> Result<Option<Services>, LabError> {
    if !experiment.uses_services() {
        return Ok(None);
    }
    let services = Services::start(run_dir.path(), authority).await;
    services.map(Some).map_err(|error| LabError::Service(error.to_string()))
}

/// Gives the functions the near ends of delay lines as the ports of the database and the cache.
fn put_at_a_distance(
    distance: &mut DelayLines,
    values: &mut BTreeMap<String, String>,
) -> Result<(), LabError> {
    for (dependency, key) in [(Dependency::Database, "database.port"), (Dependency::Cache, "cache.port")] {
        if let Some(port) = values.get_mut(key) {
            let far = port.parse().map_err(prepare)?;
            *port = distance.port_before(dependency, far).map_err(prepare)?.to_string();
        }
    }
    Ok(())
}

async fn listen(port: u16) -> Result<TcpListener, LabError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| LabError::Port { port, source })
}

fn url(listener: &TcpListener) -> Result<String, LabError> {
    Ok(format!("http://{}", listener.local_addr().map_err(prepare)?))
}

fn function_urls(experiment: &Experiment, fleets: &Fleets, front: &str) -> Vec<FunctionUrl> {
    let address = |variant: &Function| FunctionUrl {
        name: variant.name.clone(),
        url: format!("{front}/{}", variant.name),
        command: fleets
            .get(&variant.name)
            .map_or_else(String::new, |fleet| fleet.function.runtime.file.display().to_string()),
    };
    experiment.variants.iter().map(address).collect()
}

fn parameters(
    experiment: &Experiment,
    values: &BTreeMap<String, String>,
) -> Result<Vec<Parameter>, ExperimentError> {
    let filled = experiment.parameters.iter().map(|template| {
        let value = expand(&template.value, values)?;
        Ok(Parameter { name: template.name.clone(), value, secure: template.secure })
    });
    filled.collect()
}

/// What points a function's AWS clients at the lab, as `AWS_ENDPOINT_URL_SSM` and `SSL_CERT_FILE` do for any SDK.
fn platform_env(ssm_port: u16, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ssm_url = format!("https://localhost:{ssm_port}");
    let mut env = BTreeMap::from([("AWS_ENDPOINT_URL_SSM".to_owned(), ssm_url)]);
    if let Some(bundle) = values.get("ca.bundle") {
        env.insert("SSL_CERT_FILE".to_owned(), bundle.clone());
    }
    env
}

fn new_credentials() -> Credentials {
    let random = || Uuid::new_v4().simple().to_string();
    Credentials {
        access_key_id: format!("ASIA{}", &random().to_ascii_uppercase()[..16]),
        secret_access_key: random(),
        session_token: random(),
    }
}

async fn run_setup(fleet: &Arc<Fleet>, journal: &Journal) -> Result<(), LabError> {
    let trace = TraceContext::from_header(None);
    let request = InvocationRequest {
        request_id: Uuid::new_v4().to_string(),
        trace_header: trace.header(),
        trace_id: trace.root,
        payload: "{}".into(),
    };
    let reason = match fleet.invoke(request).await {
        Served::Outcome(Outcome::Answered(Answer::Response(_))) => None,
        Served::Outcome(Outcome::Answered(Answer::Error { payload, .. })) => {
            Some(String::from_utf8_lossy(&payload).into_owned())
        }
        Served::Outcome(Outcome::TimedOut) => Some(format!("no answer in {:?}", fleet.function.timeout)),
        Served::Outcome(Outcome::Ended(ended)) => Some(format!("{} ({})", ended.message, ended.error_type)),
        Served::Throttled => Some("it was throttled".to_owned()),
    };
    fleet.retire().await;
    let Some(reason) = reason else { return Ok(()) };
    let function = fleet.function.name.clone();
    let output = last_lines(&journal.log_path(&function), 8);
    Err(LabError::Setup { function, reason, output })
}

async fn expire_idle(fleets: Fleets) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    loop {
        tick.tick().await;
        for fleet in fleets.values() {
            fleet.expire_idle().await;
        }
    }
}

/// What a verdict from this lab must be read without.
fn not_emulated(network: &Network) -> Vec<String> {
    let near =
        (*network == Network::loopback()).then_some("network distance: every dependency is on loopback");
    [
        "CPU share by memory size: every sandbox may use the whole machine",
        "freezing between invocations",
        "memory limits",
        "scale-out beyond this host: two sandboxes per processor may be cold at once, further requests wait",
        "verification of the IAM token at the database (it is signed and sent over verified TLS, not checked)",
    ]
    .into_iter()
    .chain(near)
    .map(str::to_owned)
    .collect()
}

/// Where the workspace keeps built functions: `<target>/functions`.
pub fn default_functions_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join(Path::new("functions"))
}
