//! Prints how precise the delay line is: `cargo run --release -p lambda-lab --example delay_line [round trips]`.
//!
//! A one-byte question and answer, over loopback as it is and through lines of several round trips; the difference to what was
//! asked for is the line's error. Run it on an idle machine: the line's thread competes for processors like any other.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use lambda_lab::distance::DelayLine;

fn main() -> anyhow::Result<()> {
    let rounds =
        std::env::args().nth(1).map_or(Ok(2000), |word| word.parse()).context("how many round trips?")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let server = listener.local_addr()?;
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(|| echo(stream))));
    });
    let direct = quantiles(server, rounds)?;
    println!(
        "round trip asked for, ms   measured p50, p99, ms   added beyond what was asked for p50, p99, ms"
    );
    println!("none (loopback itself)     {:.3}, {:.3}", direct[0], direct[1]);
    for asked_us in [100, 200, 500, 1000, 2000] {
        let asked = Duration::from_micros(asked_us);
        let line = DelayLine::start(server, asked)?;
        let asked_ms = asked.as_secs_f64() * 1e3;
        let [p50, p99] = quantiles(SocketAddr::from((Ipv4Addr::LOCALHOST, line.port())), rounds)?;
        let beyond = |measured: f64| measured - direct[0] - asked_ms;
        println!("{asked_ms:<26.3} {p50:.3}, {p99:.3}            {:+.3}, {:+.3}", beyond(p50), beyond(p99));
    }
    Ok(())
}

fn echo(mut stream: TcpStream) {
    let mut byte = [0];
    while stream.set_nodelay(true).is_ok() && stream.read_exact(&mut byte).is_ok() {
        if stream.write_all(&byte).is_err() {
            return;
        }
    }
}

/// Median and 99th percentile of `rounds` questions and answers, in milliseconds.
fn quantiles(address: SocketAddr, rounds: usize) -> anyhow::Result<[f64; 2]> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut times_ms = Vec::with_capacity(rounds);
    for round in 0..rounds + 100 {
        // As a function does: it works a little between two questions.
        thread::sleep(Duration::from_micros(300));
        let begun = Instant::now();
        stream.write_all(b"?")?;
        stream.read_exact(&mut [0])?;
        if round >= 100 {
            times_ms.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    times_ms.sort_by(f64::total_cmp);
    let quantile =
        |percent: usize| times_ms.get(times_ms.len() * percent / 100).copied().context("no round trip");
    Ok([quantile(50)?, quantile(99)?])
}
