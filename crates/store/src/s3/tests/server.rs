//! HTTP servers that answer as a test says.

use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// Answers requests one after the other, as `say` has it by the head of each and by its number, until the test ends.
pub(super) fn serving(say: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let stream = stream.unwrap();
            let head = head(&stream);
            write(stream, &say(&head, number));
        }
    });
    format!("http://{address}")
}

/// As [`serving`], but each connection is answered by itself, after a time.
pub(super) fn serving_side_by_side(say: impl Fn(&str) -> (Duration, Vec<u8>) + Send + Sync + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let say = Arc::new(say);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, say) = (stream.unwrap(), Arc::clone(&say));
            std::thread::spawn(move || {
                let (time, answer) = say(&head(&stream));
                std::thread::park_timeout(time);
                write(stream, &answer);
            });
        }
    });
    format!("http://{address}")
}

/// An answer with this status, these headers (each with its line break) and this body.
pub(super) fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let (body, close) = (body.as_ref(), "Connection: close");
    let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n{close}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The lines of a request up to its body.
fn head(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn write(mut stream: TcpStream, answer: &[u8]) {
    // A client that has gone is none of the server's business.
    let _ = stream.write_all(answer);
}
