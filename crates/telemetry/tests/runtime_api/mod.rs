//! A Runtime API that answers when the test says so: one connection after the other, one request at a time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

/// What the function asks for.
pub(crate) enum Exchange {
    /// `GET /next`.
    Next(Answer),
    /// `POST` of a response or an error.
    Result(Answer),
}

/// The function waits until this is used.
pub(crate) struct Answer(TcpStream);

impl Answer {
    /// The next event, with its trace header if there is one.
    pub(crate) fn event(mut self, trace_header: &str, payload: &str) {
        let trace = if trace_header.is_empty() {
            String::new()
        } else {
            format!("Lambda-Runtime-Trace-Id: {trace_header}\r\n")
        };
        write!(
            self.0,
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 8476a536\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn\r\n{trace}Content-Length: {}\r\n\r\n{payload}",
            payload.len()
        )
        .expect("the function reads");
    }

    /// The result is taken.
    pub(crate) fn accepted(mut self) {
        write!(self.0, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").expect("the function reads");
    }
}

/// The API's port and what has been asked of it.
pub(crate) struct RuntimeApi {
    address: String,
    exchanges: Receiver<Exchange>,
}

impl RuntimeApi {
    /// On a free port of the loopback address.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (sender, exchanges) = channel();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || read(&connection, &sender));
            }
        });
        Self { address, exchanges }
    }

    /// The test named `child` of this program as a function of this API.
    pub(crate) fn start_child(&self, variables: &[(&str, &str)]) -> Function {
        let child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "greeting")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("the child runs");
        Function(child)
    }

    /// Waits for the function's next request.
    pub(crate) fn next_exchange(&mut self) -> Exchange {
        self.exchanges.recv_timeout(Duration::from_secs(20)).expect("the function asks")
    }
}

/// The function's process; ended when it goes out of scope.
pub(crate) struct Function(Child);

impl Function {
    /// Ends it.
    pub(crate) fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads the requests of one connection.
fn read(connection: &TcpStream, sender: &Sender<Exchange>) {
    let mut reader = BufReader::new(connection);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.to_ascii_lowercase());
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let Ok(answer) = connection.try_clone().map(Answer) else { return };
        let is_next = head.first().is_some_and(|line| line.starts_with("get "));
        let exchange = if is_next { Exchange::Next(answer) } else { Exchange::Result(answer) };
        if sender.send(exchange).is_err() {
            return;
        }
    }
}
