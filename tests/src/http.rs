//! One HTTP request, as a probe or a scraper sends it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use anyhow::Result;

/// The whole answer to a GET, its status line and headers included.
///
/// # Errors
/// Nobody listens, or the connection ends in the middle.
pub fn get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
