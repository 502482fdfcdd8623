//! Calls to a running lab's control port.
//!
//! Apart from the lab's process because a turn only needs these calls. Invariant: every call has a limit and says what the lab
//! answered when it refuses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::Empty;
use lambda_lab::control::{Counters, Ready, Refused, Retired};
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::lab_error::LabError;
use crate::last_words::LastWords;

/// How long a control call may take; retiring waits for running invocations.
const CONTROL_LIMIT: Duration = Duration::from_secs(60);

/// The lab's control port and its functions' addresses, once it is ready.
#[derive(Debug)]
pub struct Control {
    /// The ready line.
    pub ready: Ready,
    client: Client,
    last_words: LastWords,
}

impl Control {
    /// The control port of a lab that told `ready`, and whose standard error is heard by `last_words`.
    pub fn new(ready: Ready, last_words: LastWords) -> Self {
        Self { ready, client: Client::new(CONTROL_LIMIT), last_words }
    }

    /// The lab's last words on its standard error, indented.
    pub fn last_words(&self) -> String {
        self.last_words.quote()
    }

    /// Where the function `name` answers.
    ///
    /// # Errors
    /// If the lab does not serve it, or not at an address.
    pub fn uri(&self, name: &str) -> Result<Uri, LabError> {
        let functions = &self.ready.functions;
        let found = functions.iter().find(|function| function.name == name);
        let found = found.ok_or_else(|| LabError::NotServed {
            variant: name.to_owned(),
            served: functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        found.url.parse().map_err(|_| LabError::Address(found.url.clone()))
    }

    /// Ends the sandboxes of the function `name`, once idle.
    ///
    /// # Errors
    /// If the lab does not answer or refuses.
    pub async fn retire(&self, name: &str) -> Result<Retired, LabError> {
        self.call(&Method::POST, &format!("/retire/{name}")).await
    }

    /// Ends the sandboxes of every function and empties the cache: the state that a turn or a climb begins from. Of every function,
    /// since idle sandboxes of the others hold connections.
    ///
    /// # Errors
    /// If the lab does not answer or refuses.
    pub async fn begin_from_nothing(&self) -> Result<(), LabError> {
        for function in &self.ready.functions {
            self.retire(&function.name).await?;
        }
        self.flush_cache().await
    }

    /// Empties the cache behind the functions.
    ///
    /// # Errors
    /// If the lab does not answer or refuses.
    pub async fn flush_cache(&self) -> Result<(), LabError> {
        self.call::<serde_json::Value>(&Method::POST, "/cache/flush").await.map(|_| ())
    }

    /// Runs the experiment's setup functions again, and leaves the database as after the first time.
    ///
    /// # Errors
    /// If the lab does not answer or refuses, and if a setup function fails.
    pub async fn setup(&self) -> Result<(), LabError> {
        self.call::<serde_json::Value>(&Method::POST, "/setup").await.map(|_| ())
    }

    /// What the dependencies counted so far. All records of finished invocations are on disk when this returns.
    ///
    /// # Errors
    /// If the lab does not answer or refuses.
    pub async fn counters(&self) -> Result<Counters, LabError> {
        self.call(&Method::GET, "/counters").await
    }

    async fn call<T: DeserializeOwned>(&self, method: &Method, path: &str) -> Result<T, LabError> {
        let call = format!("{method} {path} at the lab's control port");
        let address = format!("{}{path}", self.ready.control);
        let uri: Uri = address.parse().map_err(|_| LabError::Address(address.clone()))?;
        let bearer = format!("Bearer {}", self.ready.token);
        let bearer = HeaderValue::from_str(&bearer).map_err(|_| LabError::Address(address))?;
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.method_mut() = method.clone();
        *request.uri_mut() = uri;
        request.headers_mut().insert(http::header::AUTHORIZATION, bearer);
        let (status, body) = match self.client.exchange(request).await {
            Ok(answer) => answer,
            Err(source) => {
                let last_words = self.last_words.quote();
                return Err(LabError::Control { call, source, last_words });
            }
        };
        let refused = |message: String| LabError::Refused { call: call.clone(), status, message };
        if !status.is_success() {
            let told = serde_json::from_slice::<Refused>(&body).map(|refused| refused.message);
            return Err(refused(told.unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned())));
        }
        // An empty body stands for null: some calls have nothing to tell.
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body)
            .map_err(|error| refused(format!("{} ({error})", String::from_utf8_lossy(body))))
    }
}
