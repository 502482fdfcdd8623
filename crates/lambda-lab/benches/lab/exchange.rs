//! The least a Lambda service can be: one function, one event after the other, over the same Runtime API and nothing around it.
//!
//! Apart from the lab, as the line it is held against: what the function and the kernel take for an invocation. Invariant: each
//! event is answered before the next is handed out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::contenders::hello;

/// The milliseconds from an event handed out to its response read, of `count` invocations of the hello function.
pub(crate) fn times_ms(count: usize) -> anyhow::Result<Vec<f64>> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?.to_string();
    let mut function = Command::new(hello()?);
    function.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let facts = [("NAME", "hello"), ("MEMORY_SIZE", "1769"), ("VERSION", "$LATEST")];
    function.envs(facts.map(|(name, value)| (format!("AWS_LAMBDA_FUNCTION_{name}"), value)));
    let _function = Ended(function.env("AWS_LAMBDA_RUNTIME_API", &address).spawn()?);
    let mut exchange = Exchange::new(listener.accept()?.0)?;
    let mut times_ms = Vec::new();
    exchange.expect("GET ")?;
    for number in 0..count {
        let handed_out = Instant::now();
        exchange.hand_out(number)?;
        exchange.expect("POST ")?;
        times_ms.push(handed_out.elapsed().as_secs_f64() * 1e3);
        exchange.answer("202 Accepted", "", "{\"status\":\"OK\"}")?;
        exchange.expect("GET ")?;
    }
    Ok(times_ms)
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The function's kept connection.
struct Exchange {
    stream: BufReader<TcpStream>,
}

impl Exchange {
    fn new(stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Reads the function's next request, which begins with `method`.
    fn expect(&mut self, method: &str) -> anyhow::Result<()> {
        let (mut length, mut first) = (0, true);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).context("the function sent nothing")?;
            if first && !line.starts_with(method) {
                bail!("expected {method}, the function sent {line:?}");
            }
            first = false;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        self.stream.read_exact(&mut vec![0; length])?;
        Ok(())
    }

    fn hand_out(&mut self, number: usize) -> anyhow::Result<()> {
        let headers = format!(
            "lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{number:012}\r\n\
             lambda-runtime-deadline-ms: 4102444800000\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:us-east-1:123456789012:function:hello\r\n"
        );
        self.answer("200 OK", &headers, r#"{"version":"2.0","rawPath":"/"}"#)
    }

    fn answer(&mut self, status: &str, headers: &str, body: &str) -> anyhow::Result<()> {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        Ok(self.stream.get_mut().write_all(answer.as_bytes())?)
    }
}
