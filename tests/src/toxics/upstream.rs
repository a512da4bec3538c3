//! The store behind the proxy, asked once for each answer: it is never changed, and slower than all that is tried on
//! it.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

/// A store, and what it has answered.
#[derive(Debug)]
pub struct Upstream {
    authority: String,
    answers: Mutex<HashMap<String, Answer>>,
}

/// The lines of the head but for those of the connection, and the body.
pub(super) type Answer = Arc<(String, Vec<u8>)>;

// === impl Upstream ===

impl Upstream {
    /// The store at this address, `http://HOST:PORT`.
    pub fn new(address: &str) -> Self {
        let authority = address.trim_start_matches("http://").to_owned();
        Self { authority, answers: Mutex::default() }
    }

    /// The answer to this request, whose target is its path and query.
    pub(super) fn ask(&self, target: &str, range: Option<&str>) -> Result<Answer> {
        let key = format!("{target} {}", range.unwrap_or_default());
        if let Some(answer) = self.answers().get(&key) {
            return Ok(Arc::clone(answer));
        }
        let mut stream = TcpStream::connect(&self.authority)?;
        let range = range.map(|range| format!("Range: {range}\r\n")).unwrap_or_default();
        let signed = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
            SignedHeaders=host, Signature=0";
        write!(
            stream,
            "GET {target} HTTP/1.1\r\nHost: {}\r\n{range}{signed}\r\nConnection: close\r\n\r\n",
            self.authority
        )?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all)?;
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").context("no head")?;
        let head = String::from_utf8_lossy(&all[..end + 2]).into_owned();
        let of_connection = |line: &&str| !line.to_ascii_lowercase().starts_with("connection:");
        let head: String = head.split_inclusive("\r\n").filter(of_connection).collect();
        let answer = Arc::new((head, all[end + 4..].to_vec()));
        self.answers().insert(key, Arc::clone(&answer));
        Ok(answer)
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
