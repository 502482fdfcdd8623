//! A request's body, whole or refused.
//!
//! Apart because every API of the lab has a limit and the same trouble with it: many clients send everything before they look at
//! the answer, and would meet a closed connection instead of a refusal. Invariant: a body is read to its end, kept or not.

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::BodyExt;

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotWhole {
    /// It has more bytes than are taken.
    TooLong,
    /// It ended before its announced length.
    CutOff,
}

/// The whole of `body`, if it has at most `limit` bytes.
///
/// # Errors
/// [`NotWhole`], when the last byte has come or the connection is gone.
pub(crate) async fn whole(mut body: Body, limit: usize) -> Result<Bytes, NotWhole> {
    let mut kept = BytesMut::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| NotWhole::CutOff)?.into_data() else { continue };
        fits &= kept.len() + data.len() <= limit;
        if fits {
            kept.extend_from_slice(&data);
        }
    }
    if fits { Ok(kept.freeze()) } else { Err(NotWhole::TooLong) }
}
