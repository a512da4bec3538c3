//! What is done to one answer.

use std::io::Write;
use std::net::TcpStream;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

/// What is done to one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing.
    Pass,
    /// Another answer in its place.
    Instead {
        /// Status, and headers each with its line's end.
        status: u16,
        headers: &'static str,
        body: &'static str,
    },
    /// The connection ends in the middle of the body.
    Half,
    /// The body is half, and whole by its length.
    Truncated,
    /// Nothing ever comes.
    Hang,
    /// A few bytes a second.
    Drip,
    /// The length is said to be so many more.
    Longer(i64),
}

/// How long a connection is held that never gives anything: longer than anybody waits.
const HELD: Duration = Duration::from_secs(150);

// === impl Act ===

impl Act {
    /// Answers with this, or with what this makes of it.
    pub(super) fn answer(&self, stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Pass => whole(stream, head, body),
            Self::Instead { status, headers, body } => {
                let head = format!("HTTP/1.1 {status} Toxic\r\nContent-Length: {}\r\n{headers}", body.len());
                whole(stream, &head, body.as_bytes())
            }
            Self::Half => whole(stream, head, &body[..body.len() / 2]),
            Self::Truncated => {
                let half = &body[..body.len() / 2];
                whole(stream, &with_length(head, half.len() as i64), half)
            }
            Self::Longer(more) => whole(stream, &with_length(head, body.len() as i64 + more), body),
            Self::Hang => hold(stream),
            Self::Drip => {
                whole(stream, head, &[])?;
                for bytes in body.chunks(2) {
                    stream.write_all(bytes)?;
                    park_timeout(Duration::from_millis(200));
                }
                Ok(())
            }
        }
    }
}

fn whole(stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)
}

/// Until the other side is gone.
fn hold(stream: &TcpStream) -> std::io::Result<()> {
    let began = Instant::now();
    stream.set_nonblocking(true)?;
    while began.elapsed() < HELD && !matches!(stream.peek(&mut [0]), Ok(0)) {
        park_timeout(Duration::from_millis(200));
    }
    Ok(())
}

/// A head that says another length.
fn with_length(head: &str, length: i64) -> String {
    let others = head.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    others.collect::<String>() + &format!("Content-Length: {}\r\n", length.max(0))
}
