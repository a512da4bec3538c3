//! The greeting of a connection: TLS where the server speaks it, and the first words of HTTP/2.

use std::io;

use headwater_access::ServerTls;
use tokio::net::TcpStream;

use crate::handshake::{Unheard, hear};
use crate::transport::Transport;

/// Why a connection was not greeted.
#[derive(Debug)]
pub(crate) enum Ungreeted {
    Unheard(Unheard),
    /// The TLS handshake failed.
    Tls(io::Error),
}

/// The first byte of HTTP/2, which is the `P` of its preface. TLS begins with another.
const PLAIN: u8 = b'P';

/// Greets a peer, and gives its first words. A peer that speaks plain text to a server with TLS is heard too, so that
/// it can be told.
pub(crate) async fn greet(stream: TcpStream, tls: Option<&ServerTls>) -> Result<(Transport, Vec<u8>), Ungreeted> {
    let mut stream = match tls {
        Some(tls) if first(&stream).await? != PLAIN => {
            Transport::Tls(Box::new(tls.accept(stream).await.map_err(Ungreeted::Tls)?))
        }
        _ => Transport::Plain(stream),
    };
    let said = hear(&mut stream).await.map_err(Ungreeted::Unheard)?;
    Ok((stream, said))
}

/// The first byte that the peer says, which is still to be read.
async fn first(stream: &TcpStream) -> Result<u8, Ungreeted> {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) => Ok(first[0]),
        _ => Err(Ungreeted::Unheard(Unheard::Gone)),
    }
}
