//! One connection through a delay line: two sockets and the pipe each way between them.
//!
//! Apart from the line because it knows nothing of other connections. A connection made through it goes as on a long wire:
//!
//! | what | at the client's | at the server's |
//! |---|---|---|
//! | the client connects | 0 | 1/2 round trip: the line connects there |
//! | the client's first flight | sent at once | 3/2 round trips |
//! | a server that speaks first is heard | 2 round trips | it spoke before 3/2: held until then |
//! | refused by the server | 1 round trip: reset | 1/2 round trip |
//! | everything later | t | t + 1/2 round trip, and the same back |
//!
//! The kernel answers the client's handshake at once, before the line hears of it, so the round trip that connecting takes is
//! charged to the first flight: all that the client sends before it has heard from the server. The sum is the same for a
//! client that speaks as soon as it is connected. Invariant: an end stays a half-close and a reset stays a reset.

use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Registry, Token};

use super::pipe::{Parcel, Pipe, Released};
use super::socket::Socket;

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Who connected to the line.
    Client,
    /// Whom the line connected to.
    Server,
}

/// A connection's delay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delay {
    /// From one end to the other.
    pub(super) one_way: Duration,
}

/// What goes through the line between one client and the server.
#[derive(Debug)]
pub(super) struct Connection {
    begun: Instant,
    delay: Delay,
    target: SocketAddr,
    client: Socket,
    /// None until half a round trip has passed, and where connecting failed at once.
    server: Option<Socket>,
    server_token: Token,
    /// Whether the server was connected to, or tried in vain.
    tried: bool,
    /// For what instant the line has been asked to call again.
    alarm: Option<Instant>,
    up: Pipe,
    down: Pipe,
}

impl Connection {
    /// The connection of `client`, accepted at `begun`.
    pub(super) fn accept(
        client: TcpStream,
        target: SocketAddr,
        delay: Delay,
        begun: Instant,
        registry: &Registry,
        tokens: [Token; 2],
    ) -> std::io::Result<Self> {
        let [client_token, server_token] = tokens;
        let client = Socket::register(client, registry, client_token)?;
        let (up, down) = (Pipe::default(), Pipe::default());
        Ok(Self {
            begun,
            delay,
            target,
            client,
            server: None,
            server_token,
            tried: false,
            alarm: None,
            up,
            down,
        })
    }

    /// Notes what `event` tells of the socket on `side`.
    pub(super) fn ready(&mut self, side: Side, event: &Event, now: Instant) {
        let (socket, read_to_the_end) = match side {
            Side::Client => (Some(&mut self.client), !self.up.has_room()),
            Side::Server => (self.server.as_mut(), !self.down.has_room()),
        };
        let Some(socket) = socket else { return };
        socket.readable |= event.is_readable() || event.is_error();
        socket.writable |= event.is_writable();
        // A reset that comes when nothing is read any more would go unnoticed.
        match side {
            Side::Client if event.is_error() && read_to_the_end => self.client_gone(now),
            Side::Server if event.is_error() && read_to_the_end => self.server_gone(now),
            Side::Client | Side::Server => {}
        }
    }

    /// Does all that can be done at `now`.
    pub(super) fn advance(&mut self, now: Instant, registry: &Registry, buffer: &mut [u8]) {
        if !self.tried && now >= self.begun + self.delay.one_way {
            self.tried = true;
            self.connect(now, registry);
        }
        loop {
            self.read_client(now, buffer);
            self.read_server(now, buffer);
            self.write_server(now);
            self.write_client(now);
            // Writing made room where a pipe was full, and no event will tell again that there is more to read. What is read
            // at `now` is due later, so this ends.
            if !self.can_read() {
                break;
            }
        }
    }

    /// Whether both ends have been told the end.
    pub(super) fn is_finished(&self) -> bool {
        self.up.is_finished() && self.down.is_finished()
    }

    /// When to call it next whatever the sockets do, where that is sooner than was told before.
    pub(super) fn new_alarm(&mut self) -> Option<Instant> {
        let due = self.next_due()?;
        let sooner = self.alarm.is_none_or(|alarm| due < alarm);
        sooner.then(|| *self.alarm.insert(due))
    }

    /// Notes that the alarm for `due` has come; false for one that a sooner one has replaced.
    pub(super) fn take_alarm(&mut self, due: Instant) -> bool {
        self.alarm.take_if(|alarm| *alarm == due).is_some()
    }

    fn next_due(&self) -> Option<Instant> {
        let connect = (!self.tried).then(|| self.begun + self.delay.one_way);
        let up = self.up.next_due().filter(|_| self.server.as_ref().is_some_and(|server| server.writable));
        let down = self.down.next_due().filter(|_| self.client.writable);
        [connect, up, down].into_iter().flatten().min()
    }

    /// Gives up at once, as when the line is closed.
    pub(super) fn cut(&mut self) {
        self.client.reset();
        if let Some(server) = &self.server {
            server.reset();
        }
        self.up.abandon();
        self.down.abandon();
    }

    fn connect(&mut self, now: Instant, registry: &Registry) {
        let connected = TcpStream::connect(self.target)
            .and_then(|stream| Socket::register(stream, registry, self.server_token));
        match connected {
            Ok(server) => self.server = Some(server),
            Err(_) => self.server_gone(now),
        }
    }

    fn can_read(&self) -> bool {
        let server_readable = self.server.as_ref().is_some_and(|server| server.readable);
        self.client.readable && self.up.has_room() || server_readable && self.down.has_room()
    }

    fn read_client(&mut self, now: Instant, buffer: &mut [u8]) {
        while self.client.readable && self.up.has_room() {
            // What is sent before the server was heard waits for the connecting too, one round trip.
            let ways = if self.down.is_heard() { 1 } else { 3 };
            let due = now + self.delay.one_way * ways;
            match self.client.read(buffer) {
                Some(Parcel::Reset) => self.client_gone(now),
                Some(parcel) => self.up.push(parcel, due),
                None => {}
            }
        }
    }

    fn read_server(&mut self, now: Instant, buffer: &mut [u8]) {
        let accepted = self.begun + self.delay.one_way * 3;
        while let Some(server) = self.server.as_mut().filter(|server| server.readable && self.down.has_room())
        {
            match server.read(buffer) {
                // A server that refuses the connection does so when the client's first packet comes.
                Some(Parcel::Reset) => self.server_gone(now),
                // One that speaks first does so when the client's last packet of the handshake has come.
                Some(parcel) => self.down.push(parcel, now.max(accepted) + self.delay.one_way),
                None => {}
            }
        }
    }

    fn write_server(&mut self, now: Instant) {
        let Some(server) = self.server.as_mut().filter(|server| server.writable) else { return };
        match self.up.release(now, &mut server.stream) {
            Ok(Released::Waiting) => {}
            Ok(Released::Blocked) => server.writable = false,
            // A failure means that the server is gone, which reading from it will tell.
            Ok(Released::End) => drop(server.stream.shutdown(Shutdown::Write)),
            Ok(Released::Reset) => {
                server.reset();
                self.down.abandon();
            }
            Err(_) => self.server_gone(now),
        }
    }

    fn write_client(&mut self, now: Instant) {
        if !self.client.writable {
            return;
        }
        match self.down.release(now, &mut self.client.stream) {
            Ok(Released::Waiting) => {}
            Ok(Released::Blocked) => self.client.writable = false,
            Ok(Released::End) => drop(self.client.stream.shutdown(Shutdown::Write)),
            Ok(Released::Reset) => {
                self.client.reset();
                self.up.abandon();
            }
            Err(_) => self.client_gone(now),
        }
    }

    /// The client reset the connection: nobody hears what is under way to it, and the server learns of it half a round trip later.
    fn client_gone(&mut self, now: Instant) {
        self.down.abandon();
        self.up.push(Parcel::Reset, now + self.delay.one_way);
    }

    /// The server reset the connection, or refused it: the client learns of it half a round trip later.
    fn server_gone(&mut self, now: Instant) {
        self.up.abandon();
        self.down.push(Parcel::Reset, now + self.delay.one_way);
    }
}
