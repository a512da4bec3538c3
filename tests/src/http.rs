//! One HTTP request, as a probe, a scraper or a driver of a browser sends it.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The whole answer to a GET, its status line and headers included.
///
/// # Errors
/// Nobody listens, or the connection ends in the middle.
pub fn get(address: &str, path: &str) -> Result<String> {
    get_with(address, path, &[])
}

/// The same, with further lines in the request's head.
///
/// # Errors
/// As [`get`].
pub fn get_with(address: &str, path: &str, lines: &[&str]) -> Result<String> {
    let further = lines.iter().fold(String::new(), |all, line| all + line + "\r\n");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{further}\r\n");
    exchange(address, request.as_bytes())
}

/// The JSON in the answer to a GET.
///
/// # Errors
/// As [`get`], or the answer is no success or no JSON.
pub fn get_json(address: &str, path: &str) -> Result<Value> {
    // Of 1.0, so that the body comes in one piece.
    json(&exchange(address, format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes())?)
}

/// The JSON in the answer to a request with JSON in it.
///
/// # Errors
/// As [`get_json`].
pub fn send_json(method: &str, address: &str, path: &str, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n");
    json(&exchange(address, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())?)
}

/// Text as a part of a path's query.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        match byte.is_ascii_alphanumeric() {
            true => escaped.push(byte.into()),
            // Writing to memory cannot fail.
            false => drop(write!(escaped, "%{byte:02X}")),
        }
        escaped
    })
}

fn exchange(address: &str, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    let (mut answer, mut piece) = (Vec::new(), [0; 16 * 1024]);
    // To its end, or as far as it says it goes: the driver of a browser closes no connection.
    while !is_whole(&answer) {
        match stream.read(&mut piece)? {
            0 => break,
            read => answer.extend_from_slice(&piece[..read]),
        }
    }
    Ok(String::from_utf8(answer)?)
}

/// Whether an answer says how long it is, and is as long.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.is_some_and(|length| answer.len() >= end + 4 + length)
}

fn json(answer: &str) -> Result<Value> {
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!("{head}: {body}");
    }
    serde_json::from_str(body).with_context(|| format!("no JSON: {body}"))
}
