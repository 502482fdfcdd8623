//! A delay line: a loopback port whose connections reach another port half a round trip later, each way.
//!
//! Apart from the single connection because this is the thread, the port and the waiting. One thread of its own serves all of a
//! line's connections, outside tokio, whose timer counts milliseconds. Invariant: nothing in the thread blocks but the one wait
//! for events, so a slow connection delays no other and dropping the line ends it at once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};

use super::connection::{Connection, Delay, Side};
use super::timer::Alarm;

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
const ALARM: Token = Token(2);
/// From here on two tokens a connection: the client's, which is even, and the server's.
const FIRST_CONNECTION: usize = 4;
/// How long accepting pauses when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const BUFFER_SIZE: usize = 1 << 16;

/// A port that is open but leads nowhere yet, for a server that must know its clients' port before it starts.
#[derive(Debug)]
pub struct Entrance {
    listener: TcpListener,
    port: u16,
}

/// A running delay line; dropping it resets its connections and ends its thread.
#[derive(Debug)]
pub struct DelayLine {
    port: u16,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Entrance {
    /// Opens a free port of 127.0.0.1; clients may connect and wait.
    ///
    /// # Errors
    /// What the system says when there is none.
    pub fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads it to `target`, `round_trip` away.
    ///
    /// # Errors
    /// What the system says when no thread or file descriptor can be had.
    pub fn lead_to(self, target: SocketAddr, round_trip: Duration) -> io::Result<DelayLine> {
        let Self { mut listener, port } = self;
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let alarm = Alarm::new(&poll, ALARM)?;
        let delay = Delay { one_way: round_trip / 2 };
        let line = Line {
            poll,
            alarm,
            listener,
            target,
            delay,
            connections: HashMap::new(),
            due: BinaryHeap::new(),
            next_connection: FIRST_CONNECTION,
            accept_again: None,
        };
        let thread = thread::Builder::new().name("delay-line".to_owned()).spawn(move || line.run())?;
        Ok(DelayLine { port, waker, thread: Some(thread) })
    }
}

impl DelayLine {
    /// Opens a free port of 127.0.0.1 that leads to `target`, `round_trip` away.
    ///
    /// # Errors
    /// What the system says when no port, thread or file descriptor can be had.
    pub fn start(target: SocketAddr, round_trip: Duration) -> io::Result<Self> {
        Entrance::open()?.lead_to(target, round_trip)
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for DelayLine {
    fn drop(&mut self) {
        // Where waking fails the thread has failed before.
        let woken = self.waker.wake();
        if let Some(thread) = self.thread.take().filter(|_| woken.is_ok()) {
            let _ = thread.join();
        }
    }
}

/// What the thread owns.
#[derive(Debug)]
struct Line {
    poll: Poll,
    alarm: Alarm,
    listener: TcpListener,
    target: SocketAddr,
    delay: Delay,
    /// By the client's token.
    connections: HashMap<usize, Connection>,
    /// The connections' alarms; one that was replaced, or whose connection is gone, costs one look.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    next_connection: usize,
    accept_again: Option<Instant>,
}

impl Line {
    fn run(mut self) {
        let mut buffer = vec![0; BUFFER_SIZE];
        let mut events = Events::with_capacity(256);
        loop {
            match self.wait(&mut events) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    eprintln!("lambda-lab: the delay line before {} failed: {error}", self.target);
                    break;
                }
            }
            if events.iter().any(|event| event.token() == WAKER) {
                break;
            }
            self.serve(&events, &mut buffer);
        }
        self.connections.values_mut().for_each(Connection::cut);
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let due = self.due.peek().map(|Reverse((due, _))| *due);
        self.alarm.wait(&mut self.poll, events, [due, self.accept_again].into_iter().flatten().min())
    }

    fn serve(&mut self, events: &Events, buffer: &mut [u8]) {
        let now = Instant::now();
        let mut accept = self.accept_again.take_if(|again| *again <= now).is_some();
        for event in events {
            match event.token() {
                LISTENER => accept = true,
                ALARM => {}
                Token(token) => {
                    let (id, side) =
                        if token % 2 == 0 { (token, Side::Client) } else { (token - 1, Side::Server) };
                    if let Some(connection) = self.connections.get_mut(&id) {
                        connection.ready(side, event, now);
                        self.advance(id, now, buffer);
                    }
                }
            }
        }
        while let Some(Reverse((due, id))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now)
        {
            self.due.pop();
            if self.connections.get_mut(&id).is_some_and(|connection| connection.take_alarm(due)) {
                self.advance(id, now, buffer);
            }
        }
        if accept {
            self.accept(now, buffer);
        }
    }

    fn accept(&mut self, now: Instant, buffer: &mut [u8]) {
        loop {
            let client = match self.listener.accept() {
                Ok((client, _)) => client,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) =>
                {
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.accept_again = Some(now + ACCEPT_PAUSE);
                    return;
                }
            };
            let id = self.next_connection;
            self.next_connection += 2;
            let tokens = [Token(id), Token(id + 1)];
            let registry = self.poll.registry();
            // One that cannot be registered is closed, which is all that can be told its client.
            if let Ok(connection) = Connection::accept(client, self.target, self.delay, now, registry, tokens)
            {
                self.connections.insert(id, connection);
                self.advance(id, now, buffer);
            }
        }
    }

    /// Lets the connection `id` do what it can, and notes when it wants to be called again.
    fn advance(&mut self, id: usize, now: Instant, buffer: &mut [u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        connection.advance(now, self.poll.registry(), buffer);
        if connection.is_finished() {
            // Closing its sockets also takes them out of the poll.
            self.connections.remove(&id);
        } else if let Some(due) = connection.new_alarm() {
            self.due.push(Reverse((due, id)));
        }
    }
}
