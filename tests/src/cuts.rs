//! A proxy in front of a server that cuts connections, and counts what goes through it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// A proxy that cuts connections as long as it has cuts left.
pub struct Cuts {
    address: String,
    sent: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
}

// === impl Cuts ===

impl Cuts {
    /// Stands before the server at this address, and cuts so many connections, each after so many bytes towards it.
    ///
    /// # Errors
    /// No port.
    pub fn before(server: &str, cuts: u64, after: u64) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (sent, left) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(cuts)));
        let (server, counted, cuts) = (server.to_owned(), Arc::clone(&sent), Arc::clone(&left));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, counted, cuts) = (server.clone(), Arc::clone(&counted), Arc::clone(&cuts));
                thread::spawn(move || pass(&client, &server, (&counted, &cuts, after)));
            }
        });
        Ok(Self { address, sent, left })
    }

    /// Where clients find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Bytes that clients have sent through it, headers and frames included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Cuts that are still to come.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

fn pass(client: &TcpStream, server: &str, (sent, left, after): (&AtomicU64, &AtomicU64, u64)) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let back = (server.try_clone(), client.try_clone());
    if let (Ok(mut from), Ok(mut to)) = back {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
    let _ = forward((client, &server), (sent, left, after));
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

/// Forwards what the client sends, until it ends or the connection is to be cut.
fn forward(
    (mut client, mut server): (&TcpStream, &TcpStream),
    (sent, left, after): (&AtomicU64, &AtomicU64, u64),
) -> io::Result<()> {
    let (mut buffer, mut through) = (vec![0; 4096], 0);
    loop {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        sent.fetch_add(read as u64, Ordering::Relaxed);
        through += read as u64;
        let cuts = |left: u64| left.checked_sub(1);
        if through >= after && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, cuts).is_ok() {
            return Ok(());
        }
        server.write_all(&buffer[..read])?;
    }
}
