//! Thousands of connections that are no client's: silent ones, ones whose first words drip, HTTP/1, and noise.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::subject::nap;

/// HTTP/2's first words.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// One says its next byte so often.
const DRIP: Duration = Duration::from_millis(200);

/// Connections that are opened one after the other, and each held until the server closes it or this is dropped.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// What a connection says.
enum Manners {
    Nothing,
    /// The preface, byte by byte.
    Drips(usize),
    Http1,
    Noise,
}

// === impl Crowd ===

impl Crowd {
    /// Opens so many connections, evenly within so long.
    pub(crate) fn come(address: &str, connections: usize, within: Duration) -> Self {
        let (stop, opened) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let thread = std::thread::spawn({
            let (stop, opened, address) = (Arc::clone(&stop), Arc::clone(&opened), address.to_owned());
            move || open(&address, (connections, within), &stop, &opened)
        });
        Self { stop, opened, thread: Some(thread) }
    }

    /// How many have been opened so far.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Relaxed)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open(address: &str, (connections, within): (usize, Duration), stop: &AtomicBool, opened: &AtomicUsize) {
    let (started, mut there, mut dripped) = (Instant::now(), Vec::new(), Instant::now());
    for number in 0.. {
        if stop.load(Relaxed) {
            return;
        }
        if number < connections {
            let due = within.mul_f64(number as f64 / connections as f64);
            nap(due.saturating_sub(started.elapsed()));
            if let Ok(socket) = TcpStream::connect(address) {
                there.extend(Manners::of(number).begin(&socket).map(|manners| (socket, manners)));
                opened.fetch_add(1, Relaxed);
            }
        } else {
            nap(DRIP);
        }
        if dripped.elapsed() >= DRIP {
            there.retain_mut(|(socket, manners)| manners.go_on(socket));
            dripped = Instant::now();
        }
    }
}

// === impl Manners ===

impl Manners {
    fn of(number: usize) -> Self {
        match number % 4 {
            0 => Self::Nothing,
            1 => Self::Drips(0),
            2 => Self::Http1,
            _ => Self::Noise,
        }
    }

    /// Says what is said at once; `None` where the server has hung up already.
    fn begin(self, mut socket: &TcpStream) -> Option<Self> {
        socket.set_nonblocking(true).ok()?;
        let words: &[u8] = match self {
            Self::Nothing | Self::Drips(_) => return Some(self),
            Self::Http1 => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            Self::Noise => &[0x5a, 0, 0xff, 0x16, 3, 1, 0, 7, 0x80, 1, 2, 3],
        };
        socket.write_all(words).ok()?;
        Some(self)
    }

    /// Whether the connection is there still, and says its next word.
    fn go_on(&mut self, mut socket: &TcpStream) -> bool {
        if let Self::Drips(said) = self
            && *said < PREFACE.len()
        {
            if socket.write_all(&PREFACE[*said..=*said]).is_err() {
                return false;
            }
            *said += 1;
        }
        let mut answer = [0; 512];
        match std::io::Read::read(&mut socket, &mut answer) {
            Ok(bytes) => bytes > 0,
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}
