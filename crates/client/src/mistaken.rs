//! What is at an address where no storage server answers: another kind of server is named, so that nobody waits for it.

use std::io;
use std::time::Duration;

use headwater_wire::transport::METRICS_PORT;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::ClientError;
use headwater_discovery::ServerAddress;

/// How long an answer is waited for.
const LOOK: Duration = Duration::from_secs(2);
/// Most bytes of an answer's head.
const MOST: u64 = 16 << 10;

/// Asks in HTTP/1, which a storage server does not speak. Gives the error that says who answers; `None` where nobody
/// does.
pub(crate) async fn look(server: &ServerAddress) -> Option<ClientError> {
    let head = timeout(LOOK, ask(server)).await.ok()?.ok()?;
    let mut lines = head.lines();
    lines.next().filter(|line| line.starts_with("HTTP/1."))?;
    let headers = lines.map_while(|line| line.split_once(':'));
    let mut serving =
        headers.filter(|(name, _)| name.eq_ignore_ascii_case(METRICS_PORT)).map(|(_, value)| value.trim());
    let server = server.clone();
    Some(match serving.next() {
        Some(serving) => ClientError::MetricsPort { server, serving: serving.chars().take(100).collect() },
        None => ClientError::WebServer { server },
    })
}

async fn ask(server: &ServerAddress) -> io::Result<String> {
    let mut stream = TcpStream::connect(server.to_string()).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let (mut answer, mut head) = (stream.take(MOST), Vec::new());
    while !head.ends_with(b"\r\n\r\n") {
        // An answer that ends in the middle is judged by what there is of it.
        match answer.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
