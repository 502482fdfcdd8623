//! One invocation from the thaw to the freeze: the event handed out, the answer passed on, the rest waited for.
//!
//! Apart from the sandbox because its order is Lambda's protocol: START, the event, the answer (which leaves at once),
//! `platform.runtimeDone` when the runtime asks for more, END and REPORT when the extensions do too. Invariant: every invocation
//! ends within its time-out and the shutdown budget, with one answer and one REPORT.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::oneshot;

use super::life::{InitFailure, Life};
use super::measured::{Measured, between, ran_out_of_memory};
use super::state::{Answer, Answered, Ended, Event};
use super::{Sandbox, unix_ms};
use crate::limits::Usage;
use crate::logs::{EventStatus, Phase, PlatformEvent};
use crate::records::Invocation;
use crate::report;
use crate::xray::Traced;

/// One request for a function, as placement passes it on.
#[derive(Clone, Debug)]
pub(crate) struct InvocationRequest {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) trace_header: String,
    /// Where segments of it are recorded.
    pub(crate) traced: Option<Arc<Traced>>,
    /// What the caller sent as `X-Amz-Client-Context`, decoded.
    pub(crate) client_context: Option<String>,
    pub(crate) payload: bytes::Bytes,
}

/// How an invocation ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    TimedOut,
    Ended(Ended),
}

/// How far the processes came with an event.
struct Ran {
    outcome: Outcome,
    response: Duration,
    answered: Option<Answered>,
    runtime_done: Option<Instant>,
    /// When the last process asked for its next event, or when it was known that one will not.
    over: Instant,
}

impl Sandbox {
    /// Serves `request` and returns its record; `reply` gets the outcome as soon as it is known. Afterwards the sandbox sleeps, or
    /// has been reset, or says that it is not reusable.
    pub(crate) async fn serve(
        &mut self,
        request: &InvocationRequest,
        reply: oneshot::Sender<Outcome>,
    ) -> Invocation {
        let first = !std::mem::replace(&mut self.used, true);
        if !self.initialized_once {
            // A failure is told by INIT_REPORT, and INIT is tried again below.
            let _ = self.initialize().await;
        }
        self.wake();
        let before = self.home.cage.usage();
        let (started, begun, ran) = self.revive_and_run(request, &before, reply).await;
        let after = self.home.cage.usage();
        let timed_out = matches!(ran.outcome, Outcome::TimedOut);
        let duration = if timed_out { self.home.function.timeout } else { ran.over - begun };
        let measured = Measured {
            started,
            begun,
            answered: ran.answered,
            runtime_done: ran.runtime_done,
            response: ran.response.min(duration),
            duration,
            cpu: between(&before, &after, |usage| usage.cpu),
            throttled: between(&before, &after, |usage| usage.throttled),
            peak_memory_mb: self.home.cage.peak_memory_mb(),
            outcome: ran.outcome,
        };
        self.spent |= ran_out_of_memory(&before, &after);
        self.finish(request, first && !self.is_provisioned(), &measured).await
    }

    /// The life's log and REPORT, then sleep or reset.
    async fn finish(&mut self, request: &InvocationRequest, cold: bool, measured: &Measured) -> Invocation {
        let init = self.init.take().filter(|_| cold);
        let record = Invocation {
            provisioned: self.is_provisioned(),
            ..report::invocation(&self.home.function, request, &self.home.id, (cold, init), measured)
        };
        self.log.drain();
        if let Outcome::Ended(ended) = &measured.outcome {
            let message = format!("{}\n{}", ended.message, ended.error_type);
            self.log.emit(PlatformEvent::Fault { request_id: Some(request.request_id.clone()), message });
        }
        let reset = match measured.outcome {
            Outcome::Answered(_) => None,
            Outcome::TimedOut => Some("timeout"),
            Outcome::Ended(_) => Some("failure"),
        };
        if reset.is_none() {
            self.put_to_sleep();
        }
        self.log.emit(PlatformEvent::Report(Box::new(report::report(&record, request, init, measured))));
        if let Some(reason) = reset {
            self.reset(reason).await;
        }
        let inits = std::mem::take(&mut self.inits);
        if let Some(traced) = &request.traced {
            traced.served(&request.request_id, inits, measured);
        }
        record
    }

    /// Starts a new life where there is none, within the invocation's own time, then hands the event out.
    async fn revive_and_run(
        &mut self,
        request: &InvocationRequest,
        before: &Usage,
        reply: oneshot::Sender<Outcome>,
    ) -> (SystemTime, Instant, Ran) {
        let now = || (SystemTime::now(), Instant::now());
        let alive = self.life.as_ref().is_some_and(Life::is_alive);
        if !alive {
            self.reset("failure").await;
        }
        let (mut started, mut begun) = now();
        let mut failure = None;
        if !alive {
            failure = self.start_life(Phase::Invoke, self.home.function.timeout).await.err();
        }
        let trace_header = request.trace_header.clone();
        self.log.begin_tail();
        self.log.emit(PlatformEvent::Start { request_id: request.request_id.clone(), trace_header });
        if alive {
            // START is not the function's time.
            (started, begun) = now();
        }
        match (failure, &self.life) {
            (None, Some(life)) => {
                let ran = self.run(life, request, (started, begun), before, reply).await;
                (started, begun, ran)
            }
            (failure, _) => {
                let outcome = match failure {
                    Some(InitFailure::Ended(ended)) => Outcome::Ended(ended),
                    _ => Outcome::TimedOut,
                };
                self.runtime_done(request, &outcome, begun, None, None);
                let _ = reply.send(outcome.clone());
                let over = Instant::now();
                let response = over - begun;
                (started, begun, Ran { outcome, response, answered: None, runtime_done: None, over })
            }
        }
    }

    async fn run(
        &self,
        life: &Life,
        request: &InvocationRequest,
        (started, begun): (SystemTime, Instant),
        before: &Usage,
        reply: oneshot::Sender<Outcome>,
    ) -> Ran {
        let timeout = tokio::time::sleep_until((begun + self.home.function.timeout).into());
        tokio::pin!(timeout);
        life.hand_out(self.event(request, started));
        let mut outcome = tokio::select! {
            outcome = life.outcome() => self.explained(outcome, before),
            () = &mut timeout => Outcome::TimedOut,
        };
        let answered = life.answered();
        let response =
            answered.as_ref().map_or_else(|| begun.elapsed(), |answered| answered.complete - begun);
        let mut runtime_done = None;
        // A client that hung up meanwhile does not change the invocation.
        let _ = reply.send(outcome.clone());
        if answered.is_some() {
            let next = tokio::select! {
                next = life.runtime_asked() => next.map_err(|ended| self.explained(Outcome::Ended(ended), before)),
                () = &mut timeout => Err(Outcome::TimedOut),
            };
            runtime_done = next.as_ref().ok().copied();
            if let Err(worse) = next {
                outcome = worse;
            }
            self.log.drain();
            self.runtime_done(request, &outcome, begun, answered.as_ref(), runtime_done);
        } else {
            self.log.drain();
            self.runtime_done(request, &outcome, begun, None, None);
        }
        let mut over = None;
        if matches!(outcome, Outcome::Answered(_)) {
            let quiet = tokio::select! {
                quiet = life.quiet() => quiet.map_err(Outcome::Ended),
                () = &mut timeout => Err(Outcome::TimedOut),
            };
            match quiet {
                Ok(quiet) => over = Some(quiet),
                Err(worse) => outcome = worse,
            }
        }
        life.close();
        let over = over.unwrap_or_else(Instant::now);
        Ran { outcome, response, answered, runtime_done, over }
    }

    fn event(&self, request: &InvocationRequest, started: SystemTime) -> Arc<Event> {
        Arc::new(Event {
            request_id: request.request_id.clone(),
            trace_header: request.trace_header.clone(),
            function_arn: self.home.function.arn(),
            deadline_unix_ms: unix_ms(started + self.home.function.timeout),
            client_context: request.client_context.clone(),
            payload: request.payload.clone(),
        })
    }

    /// A process's end told as what it was, where the kernel ended it for want of memory.
    fn explained(&self, outcome: Outcome, before: &Usage) -> Outcome {
        match outcome {
            Outcome::Ended(ended) => Outcome::Ended(explained(ended, before, &self.home.cage.usage())),
            other => other,
        }
    }

    /// As [`Sandbox::explained`], for INIT.
    pub(super) fn told_apart(&mut self, failure: InitFailure, before: &Usage, after: &Usage) -> InitFailure {
        self.spent |= ran_out_of_memory(before, after);
        match failure {
            InitFailure::Ended(ended) => InitFailure::Ended(explained(ended, before, after)),
            timed_out @ InitFailure::TimedOut { .. } => timed_out,
        }
    }

    fn runtime_done(
        &self,
        request: &InvocationRequest,
        outcome: &Outcome,
        begun: Instant,
        answered: Option<&Answered>,
        done: Option<Instant>,
    ) {
        let (status, error_type) = match outcome {
            Outcome::Answered(Answer::Response(_)) => (EventStatus::Success, None),
            Outcome::Answered(Answer::Error { error_type, .. }) => {
                (EventStatus::Error, Some(error_type.clone()))
            }
            Outcome::TimedOut => (EventStatus::Timeout, None),
            Outcome::Ended(ended) => (EventStatus::Failure, Some(ended.error_type.clone())),
        };
        self.log.emit(PlatformEvent::RuntimeDone {
            request_id: request.request_id.clone(),
            trace_header: request.trace_header.clone(),
            status,
            error_type,
            duration: done.map_or_else(|| begun.elapsed(), |done| done - begun),
            response_latency: answered.map(|answered| answered.began - begun),
            response_duration: answered.map(|answered| answered.complete - answered.began),
            produced_bytes: answered.map(Answered::bytes),
        });
    }
}

fn explained(ended: Ended, before: &Usage, after: &Usage) -> Ended {
    if ran_out_of_memory(before, after) {
        return Ended::new("Runtime.OutOfMemory", ended.message);
    }
    ended
}
