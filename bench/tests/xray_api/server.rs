//! An X-Ray that answers what a test tells it to, over real HTTP, and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A status and a body.
pub(crate) type Answer = (u16, Value);

/// The server; ends with the test's process.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Server {
    /// Answers by `answer`, from the path, the request's body, and how many requests of this path came before.
    pub(crate) fn new(answer: impl Fn(&str, &Value, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, noted) = (Arc::new(answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, noted) = (Arc::clone(&answer), Arc::clone(&noted));
                // A connection that breaks is the client's business.
                std::thread::spawn(move || serve(stream, &*answer, &noted).unwrap_or_default());
            }
        });
        Self { endpoint, asked }
    }

    /// The bodies of all requests of `path`, in their order.
    pub(crate) fn asked(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(own, _)| own == path).map(|(_, body)| body.clone()).collect()
    }
}

fn serve(
    stream: TcpStream,
    answer: &dyn Fn(&str, &Value, usize) -> Answer,
    asked: &Mutex<Vec<(String, Value)>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some((path, body)) = request(&mut reader)? {
        let before = {
            let mut asked = asked.lock().unwrap();
            asked.push((path.clone(), body.clone()));
            asked.iter().filter(|(own, _)| *own == path).count() - 1
        };
        let (status, body) = answer(&path, &body, before);
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all((head + &body).as_bytes())?;
    }
    Ok(())
}

fn request(reader: &mut impl BufRead) -> std::io::Result<Option<(String, Value)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, serde_json::from_slice(&body).unwrap_or(Value::Null))))
}
