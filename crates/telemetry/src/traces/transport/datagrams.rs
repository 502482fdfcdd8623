//! Documents to the X-Ray daemon: one datagram each.
//!
//! Apart because UDP has failures of its own: an error that is reported belongs to an earlier datagram, or to this one alone.
//! Invariant: no call waits. The daemon's protocol:
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon>.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::trace::SpanData;

use super::{Sending, Transport};
use crate::traces::document::{self, Style};
use crate::traces::losses::{Loss, Losses};

const HEADER: &[u8] = b"{\"format\": \"json\", \"version\": 1}\n";

/// After an ECONNREFUSED, which tells of an earlier datagram and keeps this one from being sent, it is tried again.
const MAX_TRIES: usize = 3;

pub(crate) struct Datagrams {
    daemon: SocketAddr,
    style: Style,
    /// Opened by the first trace: a sandbox whose invocations are never sampled needs none.
    socket: Mutex<Option<UdpSocket>>,
}

impl Datagrams {
    pub(crate) fn new(daemon: SocketAddr, style: Style) -> Self {
        Self { daemon, style, socket: Mutex::new(None) }
    }

    fn open(&self) -> io::Result<UdpSocket> {
        let any: SocketAddr = match self.daemon {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        socket.connect(self.daemon)?;
        Ok(socket)
    }
}

impl Transport for Datagrams {
    fn send(&self, spans: Vec<SpanData>, losses: &Arc<Losses>) -> Option<Sending> {
        let mut kept = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = match kept.take().map_or_else(|| self.open(), Ok) {
            Ok(socket) => kept.insert(socket),
            Err(_) => {
                losses.add(Loss::Network, spans.len() as u64);
                return None;
            }
        };
        let mut datagram = Vec::with_capacity(1024);
        datagram.extend_from_slice(HEADER);
        for span in &spans {
            datagram.truncate(HEADER.len());
            let sent = document::write(&mut datagram, span, &self.style)
                .and_then(|()| send(|| socket.send(&datagram), losses));
            if let Err(loss) = sent {
                losses.add(loss, 1);
            }
        }
        None
    }
}

/// Sends one datagram by `attempt`.
fn send(mut attempt: impl FnMut() -> io::Result<usize>, losses: &Losses) -> Result<(), Loss> {
    for _ in 0..MAX_TRIES {
        match attempt() {
            Ok(_) => return Ok(()),
            // An earlier datagram found nobody, which clears the way for this one.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => losses.add(Loss::Refused, 1),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(loss(&error)),
        }
    }
    Err(Loss::Refused)
}

fn loss(error: &io::Error) -> Loss {
    const EMSGSIZE: i32 = if cfg!(target_os = "linux") { 90 } else { 40 };
    match error.kind() {
        ErrorKind::WouldBlock => Loss::WouldBlock,
        _ if error.raw_os_error() == Some(EMSGSIZE) => Loss::DatagramTooLarge,
        _ => Loss::Network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends one datagram where the system gives these answers, one a try.
    fn sent(answers: &[io::Result<usize>]) -> (Result<(), Loss>, Losses) {
        let losses = Losses::default();
        let mut answers = answers.iter();
        let attempt = || match answers.next().expect("no try more than answers") {
            Ok(sent) => Ok(*sent),
            Err(error) => Err(match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => error.kind().into(),
            }),
        };
        (send(attempt, &losses), losses)
    }

    #[test]
    fn a_refusal_is_an_earlier_datagrams_and_this_one_is_sent_again() {
        let (result, losses) = sent(&[Err(ErrorKind::ConnectionRefused.into()), Ok(9)]);
        assert_eq!((result, losses.total(Loss::Refused)), (Ok(()), 1));
    }

    #[test]
    fn a_datagram_that_is_refused_again_and_again_is_lost_too() {
        let refusals = [(); MAX_TRIES].map(|()| Err(ErrorKind::ConnectionRefused.into()));
        let (result, losses) = sent(&refusals);
        assert_eq!((result, losses.total(Loss::Refused)), (Err(Loss::Refused), MAX_TRIES as u64));
    }

    #[test]
    fn other_errors_are_this_datagrams_and_have_a_name() {
        let expected = [
            (ErrorKind::WouldBlock.into(), Loss::WouldBlock),
            (ErrorKind::NetworkUnreachable.into(), Loss::Network),
            #[cfg(target_os = "linux")]
            (io::Error::from_raw_os_error(90), Loss::DatagramTooLarge),
        ];
        for (error, loss) in expected {
            let (result, losses) = sent(&[Err(error)]);
            assert_eq!((result, losses.total(Loss::Refused)), (Err(loss), 0));
        }
    }
}
