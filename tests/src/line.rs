//! A line between a client and a server that goes dead, and comes to life again.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A line that can be cut as a network is: nothing comes through, nothing is closed, and nobody is told.
pub struct Line {
    address: String,
    server: Arc<Mutex<String>>,
    is_cut: Arc<AtomicBool>,
}

/// How often an end looks whether the line is cut.
const LOOK: Duration = Duration::from_millis(20);

// === impl Line ===

impl Line {
    /// Stands before the server at this address.
    ///
    /// # Errors
    /// No port.
    pub fn before(server: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let (server, is_cut) = (Arc::new(Mutex::new(server.to_owned())), Arc::new(AtomicBool::new(false)));
        let (behind, cut) = (Arc::clone(&server), Arc::clone(&is_cut));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (behind, cut) = (Arc::clone(&behind), Arc::clone(&cut));
                thread::spawn(move || join(&client, &behind, &cut));
            }
        });
        Ok(Self { address, server, is_cut })
    }

    /// Where clients find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets nothing through from now on, of connections that are open and of new ones.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    /// Lets everything through again, also what was sent meanwhile.
    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }

    /// Leads new connections to a server at another address.
    pub fn lead_to(&self, server: &str) {
        server.clone_into(&mut self.server.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn join(client: &TcpStream, server: &Mutex<String>, is_cut: &Arc<AtomicBool>) {
    wait(is_cut);
    let server = server.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Ok(server) = TcpStream::connect(server) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let back = (server.try_clone(), client.try_clone());
    if let (Ok(from), Ok(to)) = back {
        let is_cut = Arc::clone(is_cut);
        thread::spawn(move || drop(pass(&from, &to, &is_cut)));
    }
    drop(pass(client, &server, is_cut));
}

/// Passes on what comes, while the line is whole, until one end closes.
fn pass(mut from: &TcpStream, mut to: &TcpStream, is_cut: &AtomicBool) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        wait(is_cut);
        if read == 0 {
            return to.shutdown(Shutdown::Both);
        }
        if let Err(error) = to.write_all(&buffer[..read]) {
            return from.shutdown(Shutdown::Both).and(Err(error));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
fn wait(is_cut: &AtomicBool) {
    while is_cut.load(Ordering::SeqCst) {
        thread::sleep(LOOK);
    }
}
