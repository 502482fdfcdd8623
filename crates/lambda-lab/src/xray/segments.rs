//! The service's own segments: `AWS::Lambda` for a request's way through Lambda, `AWS::Lambda::Function` for what the function did.
//!
//! Apart from the facts, because this is only their form: that of recorded segments, in the two styles that
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html> describes. A function's failure is a fault of the function's
//! segment; the service's has an error only where the service refused (429). Invariant: all times of an invocation are its
//! sandbox's instants around one reading of the clock, so that differences are exact to the microsecond.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::header::{id_text, new_id};
use super::{SegmentStyle, Traced, cause};
use crate::function::ACCOUNT;
use crate::sandbox::{InitSpan, Measured};

/// One instant, and what the clock said then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    pub(super) instant: Instant,
}

/// A request that ran.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) traced: Arc<Traced>,
    pub(super) request_id: String,
    pub(super) inits: Vec<InitSpan>,
    pub(super) measured: Measured,
}

/// A request that did not.
#[derive(Debug)]
pub(super) struct Unserved {
    pub(super) traced: Arc<Traced>,
    pub(super) request_id: String,
    pub(super) status: u16,
    pub(super) ended: Moment,
}

/// An asynchronous event that left the queue.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) traced: Arc<Traced>,
    pub(super) request_id: String,
    pub(super) accepted: Instant,
    pub(super) attempts: Vec<Attempt>,
    pub(super) now: Moment,
}

/// One of its attempts that ran.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) well: bool,
}

impl Moment {
    /// Microseconds from this moment to `instant`; negative before it.
    fn offset_us(&self, instant: Instant) -> i64 {
        let us = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match instant.checked_duration_since(self.instant) {
            Some(after) => us(after),
            None => -us(self.instant - instant),
        }
    }

    /// `instant` in seconds since the epoch, to the microsecond.
    #[allow(clippy::cast_precision_loss)] // Microseconds since the epoch are below 2^53 until the year 2255.
    fn seconds(&self, instant: Instant) -> f64 {
        let wall = self.wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_us = i64::try_from(wall.as_micros()).unwrap_or(i64::MAX);
        wall_us.saturating_add(self.offset_us(instant)) as f64 / 1e6
    }
}

/// What every segment and subsegment begins with.
fn entity(name: &str, id: u64, clock: &Moment, began: Instant, ended: Instant) -> Map<String, Value> {
    let mut entity = Map::new();
    entity.insert("name".to_owned(), name.into());
    entity.insert("id".to_owned(), id_text(id).into());
    entity.insert("start_time".to_owned(), clock.seconds(began).into());
    entity.insert("end_time".to_owned(), clock.seconds(ended.max(began)).into());
    entity
}

/// The documents of a request that ran: the service's segment (for an asynchronous event its delivery tells that) and the function's.
pub(super) fn served(served: &Served) -> Vec<Value> {
    let Served { traced, measured, .. } = served;
    let clock = Moment { wall: measured.started, instant: measured.begun };
    let mut documents = Vec::with_capacity(2);
    if traced.attempt_id.is_none() {
        let ended = measured.begun + measured.response;
        documents.push(Value::Object(service(traced, &served.request_id, 200, &clock, ended)));
    }
    documents.push(function(served, &clock));
    documents
}

/// The document of a request that was refused.
pub(super) fn unserved(unserved: &Unserved) -> Value {
    let Unserved { traced, request_id, status, ended } = unserved;
    let mut segment = service(traced, request_id, *status, ended, ended.instant);
    if (400..500).contains(status) {
        segment.insert("error".to_owned(), true.into());
        if *status == 429 {
            segment.insert("throttle".to_owned(), true.into());
        }
    } else {
        segment.insert("fault".to_owned(), true.into());
    }
    Value::Object(segment)
}

/// The service's segment of an asynchronous event.
pub(super) fn delivered(delivered: &Delivered) -> Value {
    let Delivered { traced, request_id, accepted, attempts, now } = delivered;
    let mut segment = service(traced, request_id, 202, now, *accepted);
    if let Some(first) = attempts.first() {
        let mut subsegments = vec![entity("Dwell Time", new_id(), now, traced.received, first.began)];
        for (number, attempt) in (1..).zip(attempts) {
            let mut subsegment =
                entity(&format!("Attempt #{number}"), attempt.id, now, attempt.began, attempt.ended);
            subsegment.insert("http".to_owned(), json!({ "response": { "status": 200 } }));
            if !attempt.well {
                subsegment.insert("fault".to_owned(), true.into());
            }
            subsegments.push(subsegment);
        }
        segment.insert("subsegments".to_owned(), subsegments.into_iter().map(Value::Object).collect());
    }
    Value::Object(segment)
}

/// The service's segment: from the request's arrival to its answer.
fn service(
    traced: &Traced,
    request_id: &str,
    status: u16,
    clock: &Moment,
    ended: Instant,
) -> Map<String, Value> {
    let mut segment = entity(&traced.function.name, traced.service_id, clock, traced.received, ended);
    segment.insert("trace_id".to_owned(), traced.header.root.clone().into());
    if let Some(parent) = &traced.header.parent {
        segment.insert("parent_id".to_owned(), parent.to_ascii_lowercase().into());
    }
    segment.insert("origin".to_owned(), "AWS::Lambda".into());
    segment.insert("resource_arn".to_owned(), traced.function.arn.clone().into());
    segment.insert("http".to_owned(), json!({ "response": { "status": status } }));
    let aws = json!({
        "request_id": request_id,
        "function_arn": traced.function.arn,
        "resource_names": [traced.function.name],
    });
    segment.insert("aws".to_owned(), aws);
    segment
}

/// The function's segment: from the event's release until runtime and extensions asked for the next one, or were ended.
fn function(served: &Served, clock: &Moment) -> Value {
    let Served { traced, request_id, inits, measured } = served;
    let ended = measured.begun + measured.duration;
    let mut segment = entity(&traced.function.name, traced.function_id, clock, measured.begun, ended);
    segment.insert("trace_id".to_owned(), traced.header.root.clone().into());
    let parent = traced.attempt_id.unwrap_or(traced.service_id);
    segment.insert("parent_id".to_owned(), id_text(parent).into());
    segment.insert("origin".to_owned(), "AWS::Lambda::Function".into());
    let aws = json!({
        "request_id": request_id,
        "account_id": ACCOUNT,
        "function_arn": traced.function.arn,
        "resource_names": [traced.function.name],
    });
    segment.insert("aws".to_owned(), aws);
    let failure = cause::of_invocation(measured);
    let mut subsegments: Vec<_> = inits.iter().map(|init| init_subsegment(traced, init, clock)).collect();
    match traced.style {
        SegmentStyle::New => {
            segment.insert("annotations".to_owned(), division(measured));
        }
        SegmentStyle::Old => subsegments.extend(phases(traced, measured, failure.as_ref(), clock)),
    }
    mark(&mut segment, failure);
    if !subsegments.is_empty() {
        segment.insert("subsegments".to_owned(), Value::Array(subsegments));
    }
    Value::Object(segment)
}

/// Marks a failure, with its cause.
fn mark(entity: &mut Map<String, Value>, failure: Option<Value>) {
    if let Some(cause) = failure {
        entity.insert("fault".to_owned(), true.into());
        entity.insert("cause".to_owned(), cause);
    }
}

fn init_subsegment(traced: &Traced, init: &InitSpan, clock: &Moment) -> Value {
    let name = match traced.style {
        SegmentStyle::New => "Init",
        SegmentStyle::Old => "Initialization",
    };
    let mut subsegment = entity(name, new_id(), clock, init.began, init.began + init.duration);
    subsegment.insert("aws".to_owned(), json!({ "function_arn": traced.function.arn }));
    mark(&mut subsegment, init.failure.as_ref().map(cause::of_init));
    Value::Object(subsegment)
}

/// How the segment's time divides, in milliseconds: until the response begins, until it is complete, until the runtime asks for its
/// next event, until the extensions do. What was not reached is left out.
#[allow(clippy::cast_precision_loss)] // Far below 2^53.
fn division(measured: &Measured) -> Value {
    let clock = Moment { wall: measured.started, instant: measured.begun };
    let ended = measured.begun + measured.duration;
    let mut annotations = Map::new();
    let mut before_us = 0;
    let answered = measured.answered.as_ref();
    for (name, reached) in [
        ("aws.responseLatency", answered.map(|answered| answered.began)),
        ("aws.responseDuration", answered.map(|answered| answered.complete)),
        ("aws.runtimeOverhead", measured.runtime_done),
        ("aws.extensionOverhead", measured.runtime_done.map(|_| ended)),
    ] {
        let Some(reached) = reached else { break };
        let reached_us = clock.offset_us(reached.min(ended)).max(before_us);
        annotations.insert(name.to_owned(), ((reached_us - before_us) as f64 / 1e3).into());
        before_us = reached_us;
    }
    Value::Object(annotations)
}

/// The old style's subsegments: until the response is complete, and from then on.
fn phases(traced: &Traced, measured: &Measured, failure: Option<&Value>, clock: &Moment) -> Vec<Value> {
    let ended = measured.begun + measured.duration;
    let complete = measured.answered.as_ref().map_or(ended, |answered| answered.complete.min(ended));
    let mut invocation = entity("Invocation", traced.invocation_id, clock, measured.begun, complete);
    invocation.insert("aws".to_owned(), json!({ "function_arn": traced.function.arn }));
    mark(&mut invocation, failure.cloned());
    let mut phases = vec![Value::Object(invocation)];
    if measured.answered.is_some() {
        let mut overhead = entity("Overhead", new_id(), clock, complete, ended);
        overhead.insert("aws".to_owned(), json!({ "function_arn": traced.function.arn }));
        phases.push(Value::Object(overhead));
    }
    phases
}
