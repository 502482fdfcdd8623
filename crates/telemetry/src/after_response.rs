//! The layer of `lambda_runtime` that sends what an invocation recorded.
//!
//! Apart because it stands outside the handler: lambda_runtime 1.5 posts the handler's response within the service that
//! a layer wraps (`RuntimeApiClientService`), so what a layer does afterwards happens after the post and before the next event is
//! asked for. The client does not wait for it; it is billed. Invariant: the invocation's own result is passed on unchanged.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lambda_runtime::LambdaInvocation;
use lambda_runtime::tower::{Layer, Service};
use pin_project_lite::pin_project;

use crate::Telemetry;
use crate::traces::Sending;

/// Sends traces after each response; made by [`Telemetry::after_response`], for `lambda_runtime::Runtime::layer`.
#[derive(Clone)]
pub struct AfterResponse {
    pub(crate) telemetry: Telemetry,
}

impl<S> Layer<S> for AfterResponse {
    type Service = SendingAfterResponse<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SendingAfterResponse { inner, telemetry: self.telemetry.clone() }
    }
}

/// The service that [`AfterResponse`] makes of another one.
#[derive(Clone)]
pub struct SendingAfterResponse<S> {
    inner: S,
    telemetry: Telemetry,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for SendingAfterResponse<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = ThenSend<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        ThenSend { inner: self.inner.call(invocation), telemetry: self.telemetry.clone(), left: None }
    }
}

pin_project! {
    /// Finishes an invocation, then sends what it recorded.
    pub struct ThenSend<F, O> {
        #[pin]
        inner: F,
        telemetry: Telemetry,
        left: Option<Left<O>>,
    }
}

/// What is left once the response is posted.
struct Left<O> {
    output: O,
    sending: Sending,
}

impl<F: Future<Output = O>, O> Future for ThenSend<F, O> {
    type Output = O;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<O> {
        let this = self.project();
        let mut left = match this.left.take() {
            Some(left) => left,
            None => {
                let output = ready!(this.inner.poll(context));
                match this.telemetry.send_traces() {
                    Some(sending) => Left { output, sending },
                    None => return Poll::Ready(output),
                }
            }
        };
        if left.sending.as_mut().poll(context).is_pending() {
            *this.left = Some(left);
            return Poll::Pending;
        }
        this.telemetry.traces_sent();
        Poll::Ready(left.output)
    }
}
