//! Whole lines between real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::distance::{DelayLine, Entrance};

/// No wait of a test is longer than this.
const LIMIT: Duration = Duration::from_secs(20);
const ROUND_TRIP: Duration = Duration::from_millis(20);

fn bounded(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn connect(line: &DelayLine) -> TcpStream {
    bounded(TcpStream::connect((Ipv4Addr::LOCALHOST, line.port())).unwrap())
}

/// A line to a server that does `serve` with each of `connections` connections, each on a thread.
fn served<T: Send + 'static>(
    round_trip: Duration,
    connections: usize,
    serve: fn(TcpStream) -> T,
) -> (DelayLine, JoinHandle<Vec<T>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let line = DelayLine::start(listener.local_addr().unwrap(), round_trip).unwrap();
    let server = thread::spawn(move || {
        let accepted = (0..connections).map(|_| listener.accept().unwrap().0);
        let served: Vec<_> = accepted.map(|stream| thread::spawn(move || serve(bounded(stream)))).collect();
        served.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (line, server)
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..length]).unwrap();
    }
}

fn ask(stream: &mut TcpStream) {
    stream.write_all(b"?").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn connecting_costs_one_round_trip_and_each_answer_another() {
    let (line, server) = served(ROUND_TRIP, 1, echo);
    let begun = Instant::now();
    let mut client = connect(&line);
    for answers in 1..=5 {
        ask(&mut client);
        let least = ROUND_TRIP * (1 + answers);
        assert!(
            begun.elapsed() >= least,
            "{answers} answers after {:?}, sooner than {least:?}",
            begun.elapsed()
        );
    }
    drop(client);
    server.join().unwrap();
}

/// Half a round trip for the server to be connected to, one for its answer to that, half for the bytes: a server that works for
/// a while before it answers must not hide the connecting.
#[test]
fn the_first_bytes_reach_the_server_after_one_and_a_half_round_trips() {
    let (line, server) = served(ROUND_TRIP, 1, |mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        Instant::now()
    });
    let begun = Instant::now();
    connect(&line).write_all(b"?").unwrap();
    let read = server.join().unwrap()[0].duration_since(begun);
    assert!(read >= ROUND_TRIP * 3 / 2, "{read:?}");
}

#[test]
fn a_server_that_speaks_first_is_heard_after_two_round_trips() {
    let (line, server) = served(ROUND_TRIP, 1, |mut stream| stream.write_all(b"!").unwrap());
    let begun = Instant::now();
    let mut client = connect(&line);
    client.read_exact(&mut [0]).unwrap();
    assert!(begun.elapsed() >= ROUND_TRIP * 2, "{:?}", begun.elapsed());
    server.join().unwrap();
}

/// A line that slept through each chunk's delay before it read the next would take 100 times 100 ms.
#[test]
fn chunks_are_under_way_together() {
    let (line, server) = served(Duration::from_millis(200), 1, echo);
    let mut client = connect(&line);
    let begun = Instant::now();
    for _ in 0..100 {
        client.write_all(b"?").unwrap();
        thread::sleep(Duration::from_millis(1));
    }
    let mut answers = [0; 100];
    client.read_exact(&mut answers).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(client);
    server.join().unwrap();
}

#[test]
fn much_data_comes_through_whole_in_both_directions() {
    let (line, server) = served(Duration::from_millis(1), 1, echo);
    let mut client = connect(&line);
    let data: Vec<u8> =
        (0..8_000_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let sender = {
        let (mut client, data) = (client.try_clone().unwrap(), data.clone());
        thread::spawn(move || {
            client.write_all(&data).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        })
    };
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert!(answer == data, "{} bytes came back of {}, or others", answer.len(), data.len());
    sender.join().unwrap();
    server.join().unwrap();
}

#[test]
fn a_half_closed_connection_still_brings_the_answer() {
    let (line, server) = served(ROUND_TRIP, 1, |mut stream| {
        let mut question = Vec::new();
        stream.read_to_end(&mut question).unwrap();
        stream.write_all(b"answer").unwrap();
        question
    });
    let mut client = connect(&line);
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"answer");
    assert_eq!(server.join().unwrap(), [b"question"]);
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn a_client_that_resets_is_a_reset_to_the_server() {
    let (line, server) = served(ROUND_TRIP, 1, |mut stream| {
        stream.write_all(b"!").unwrap();
        stream.read(&mut [0]).map_err(|error| error.kind())
    });
    let mut client = connect(&line);
    client.read_exact(&mut [0]).unwrap();
    reset(client);
    assert_eq!(server.join().unwrap(), [Err(ErrorKind::ConnectionReset)]);
}

#[test]
fn a_server_that_resets_is_a_reset_to_the_client() {
    let (line, server) = served(ROUND_TRIP, 1, |mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        reset(stream);
    });
    let mut client = connect(&line);
    client.write_all(b"?").unwrap();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    server.join().unwrap();
}

#[test]
fn a_server_that_is_not_there_is_a_reset_after_a_round_trip() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let line = DelayLine::start(nobody, ROUND_TRIP).unwrap();
    let begun = Instant::now();
    let mut client = connect(&line);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(begun.elapsed() >= ROUND_TRIP, "{:?}", begun.elapsed());
}

/// The server reads nothing, so only the pipe and the sockets' own buffers take anything.
#[test]
fn a_server_that_does_not_read_stops_the_client() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let line = DelayLine::start(listener.local_addr().unwrap(), Duration::from_millis(1)).unwrap();
    let mut client = connect(&line);
    let (_server, _) = listener.accept().unwrap();
    client.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let chunk = vec![0; 1 << 16];
    let mut sent = 0;
    let stopped = loop {
        match client.write(&chunk) {
            Ok(length) => sent += length,
            Err(error) => break error.kind(),
        }
        assert!(sent < 1 << 28, "256 MB went into a connection that nobody reads");
    };
    assert_eq!(stopped, ErrorKind::WouldBlock);
}

#[test]
fn a_hundred_connections_are_served_at_once() {
    let (line, server) = served(ROUND_TRIP, 100, echo);
    let mut clients: Vec<_> = (0..100).map(|_| connect(&line)).collect();
    for client in &mut clients {
        client.write_all(b"?").unwrap();
    }
    for client in &mut clients {
        client.read_exact(&mut [0]).unwrap();
    }
    clients.iter_mut().for_each(ask);
    drop(clients);
    server.join().unwrap();
}

#[test]
fn dropping_a_line_ends_its_connections_and_frees_its_port() {
    let (line, server) = served(ROUND_TRIP, 1, echo);
    let mut client = connect(&line);
    ask(&mut client);
    let port = line.port();
    drop(line);
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    server.join().unwrap();
    let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn an_entrance_knows_its_port_before_it_leads_anywhere() {
    let entrance = Entrance::open().unwrap();
    let mut early = bounded(TcpStream::connect((Ipv4Addr::LOCALHOST, entrance.port())).unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target: SocketAddr = listener.local_addr().unwrap();
    let line = entrance.lead_to(target, ROUND_TRIP).unwrap();
    let server = thread::spawn(move || echo(bounded(listener.accept().unwrap().0)));
    ask(&mut early);
    drop(early);
    server.join().unwrap();
    drop(line);
}
