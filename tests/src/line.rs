//! A line between a client and a server that goes dead, and comes to life again.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A line that can be cut as a network is: nothing comes through, nothing is closed, and nobody is told.
pub struct Line {
    address: String,
    server: Arc<Mutex<String>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    /// Bytes a second of each connection and direction; 0 is without limit.
    rate: AtomicU64,
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
        let (server, state) = (Arc::new(Mutex::new(server.to_owned())), Arc::new(State::default()));
        let (behind, of_all) = (Arc::clone(&server), Arc::clone(&state));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (behind, state) = (Arc::clone(&behind), Arc::clone(&of_all));
                thread::spawn(move || join(&client, &behind, &state));
            }
        });
        Ok(Self { address, server, state })
    }

    /// Where clients find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Lets nothing through from now on, of connections that are open and of new ones.
    pub fn cut(&self) {
        self.state.is_cut.store(true, Ordering::SeqCst);
    }

    /// Lets so many bytes a second through from now on, of each connection and each way.
    pub fn slow_to(&self, bytes_per_second: u64) {
        self.state.rate.store(bytes_per_second, Ordering::SeqCst);
    }

    /// Lets everything through again, also what was sent meanwhile.
    pub fn mend(&self) {
        self.state.is_cut.store(false, Ordering::SeqCst);
    }

    /// Leads new connections to a server at another address.
    pub fn lead_to(&self, server: &str) {
        server.clone_into(&mut self.server.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn join(client: &TcpStream, server: &Mutex<String>, state: &Arc<State>) {
    wait(state);
    let server = server.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Ok(server) = TcpStream::connect(server) else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let back = (server.try_clone(), client.try_clone());
    if let (Ok(from), Ok(to)) = back {
        let state = Arc::clone(state);
        thread::spawn(move || drop(pass(&from, &to, &state)));
    }
    drop(pass(client, &server, state));
}

/// Passes on what comes, while the line is whole, until one end closes.
fn pass(mut from: &TcpStream, mut to: &TcpStream, state: &State) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        wait(state);
        linger(state, read);
        if read == 0 {
            return to.shutdown(Shutdown::Both);
        }
        if let Err(error) = to.write_all(&buffer[..read]) {
            return from.shutdown(Shutdown::Both).and(Err(error));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
fn wait(state: &State) {
    while state.is_cut.load(Ordering::SeqCst) {
        thread::sleep(LOOK);
    }
}

/// Takes as long as so many bytes take on a slow line.
#[expect(clippy::disallowed_methods, reason = "a thread of its own, which has nothing else to do")]
fn linger(state: &State, bytes: usize) {
    let rate = state.rate.load(Ordering::SeqCst);
    if rate > 0 {
        thread::sleep(Duration::from_secs_f64(bytes as f64 / rate as f64));
    }
}
