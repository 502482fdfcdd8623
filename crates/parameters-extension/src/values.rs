//! The values that callers get: from the cache, or from one call to the service that all who ask meanwhile share.
//!
//! Apart from the HTTP face and the calls, because the rules that matter stand here: how fresh a value is, how many calls run at
//! a time, and that a caller who goes away does not take the call from the others.
//! Invariant: at most one call for a request, and at most `max_connections` calls in all, are on their way at any time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Semaphore, watch};

use crate::cache::Cache;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::upstream::{FetchError, Request, Upstream};

type Outcome = Result<Bytes, FetchError>;

/// Reads values, and keeps them as long as the settings allow.
pub struct Values {
    upstream: Upstream,
    connections: Semaphore,
    clock: Clock,
    state: Mutex<State>,
}

/// Never locked across an await.
struct State {
    cache: Cache,
    flights: HashMap<Request, watch::Receiver<Option<Outcome>>>,
}

impl Values {
    /// Nothing is read yet, and no connection is made before the first request.
    pub fn new(settings: &Settings, clock: Clock) -> Arc<Self> {
        let state = State { cache: Cache::new(settings.cache_size), flights: HashMap::new() };
        Arc::new(Self {
            upstream: Upstream::new(settings),
            connections: Semaphore::new(settings.max_connections),
            clock,
            state: Mutex::new(state),
        })
    }

    pub(crate) async fn get(self: &Arc<Self>, request: Request) -> Outcome {
        let mut flight = {
            let ttl = self.upstream.settings(request.service).ttl;
            let mut state = self.state();
            if let Some(body) = state.cache.get(&request, self.clock.now(), ttl) {
                return Ok(body);
            }
            if let Some(flight) = state.flights.get(&request) {
                flight.clone()
            } else {
                let (land, flight) = watch::channel(None);
                state.flights.insert(request.clone(), flight.clone());
                // A task of its own: the caller who was first may hang up, the others still wait.
                tokio::spawn(Arc::clone(self).fly(request, land));
                flight
            }
        };
        let landed = flight.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        landed.ok().flatten().unwrap_or(Err(FetchError::Lost))
    }

    async fn fly(self: Arc<Self>, request: Request, land: watch::Sender<Option<Outcome>>) {
        let flight = Flight { values: &self, request };
        let asked_at = self.clock.now();
        let outcome = self.fetch(&flight.request).await;
        if let Ok(body) = &outcome {
            self.state().cache.insert(flight.request.clone(), asked_at, body.clone());
        }
        drop(flight);
        land.send_replace(Some(outcome));
    }

    /// The time-out covers the wait for a free connection too: it is how long a caller is willing to wait.
    async fn fetch(&self, request: &Request) -> Outcome {
        let call = async {
            // The semaphore is never closed, so there is always a permit in the end.
            let _permit = self.connections.acquire().await;
            self.upstream.fetch(request, self.clock.now()).await
        };
        let settings = self.upstream.settings(request.service);
        match settings.timeout {
            None => call.await,
            Some(after) => tokio::time::timeout(after, call)
                .await
                .unwrap_or_else(|_| Err(FetchError::TimedOut { endpoint: settings.endpoint.clone(), after })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the flight off the list however it ends, or a request would wait for it for ever.
struct Flight<'a> {
    values: &'a Values,
    request: Request,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.values.state().flights.remove(&self.request);
    }
}
