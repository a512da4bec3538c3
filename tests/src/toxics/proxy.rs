//! The proxy itself: a thread for each connection, one request on each.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result};

use super::toxic::{SeenRequest, Strain};
use super::upstream::Upstream;

/// A proxy that listens on loopback; it takes no more connections once it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: Arc<Upstream>,
    strain: Strain,
    /// A part of the path of the object that is chosen.
    chosen: String,
    state: Mutex<ProxyState>,
    is_over: AtomicBool,
}

#[derive(Debug, Default)]
struct ProxyState {
    asked: HashMap<String, u32>,
    reads: u32,
    listings: u32,
    began: Option<Instant>,
    dice: u64,
}

// === impl Proxy ===

impl Proxy {
    /// Starts one; the object whose path ends with `chosen` is the one that the strain may single out.
    ///
    /// # Errors
    /// No port.
    pub fn start(upstream: &Arc<Upstream>, strain: Strain, chosen: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let state = Mutex::new(ProxyState { dice: strain.seed, ..ProxyState::default() });
        let (upstream, chosen) = (Arc::clone(upstream), chosen.to_owned());
        let shared = Arc::new(Shared { upstream, strain, chosen, state, is_over: AtomicBool::new(false) });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&serving);
                // A client that has gone is no fault of the proxy's.
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many reads and listings were asked for.
    pub fn requests(&self) -> (u32, u32) {
        let state = self.shared.state();
        (state.reads, state.listings)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(&self.address);
    }
}

// === impl Shared ===

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let (target, range) = read_head(&stream)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let object = (!query.contains("list-type=2")).then_some(path);
        let act = {
            let mut state = self.state();
            let before = state.asked.entry(target.clone()).or_default();
            *before += 1;
            let before = *before - 1;
            let reads = state.reads;
            *if object.is_some() { &mut state.reads } else { &mut state.listings } += 1;
            if state.began.is_none() && (object.is_some() || self.strain.is_from_the_start()) {
                state.began = Some(Instant::now());
            }
            let since = state.began.map(|began| began.elapsed()).unwrap_or_default();
            let is_chosen = object.is_some_and(|path| path.ends_with(&self.chosen));
            let dice = state.roll();
            self.strain.act(&SeenRequest { object, is_chosen, before, reads, since, dice })
        };
        let answer = self.upstream.ask(&target, range.as_deref())?;
        act.answer(&mut stream, &answer.0, &answer.1)?;
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ProxyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl ProxyState ===

impl ProxyState {
    /// Uniform in [0, 1): SplitMix64.
    fn roll(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

/// The target of a request, and the range that it asks for.
fn read_head(stream: &TcpStream) -> Result<(String, Option<String>)> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let line = lines.next().context("no request")?;
    let target = line.split(' ').nth(1).context("no target")?.to_owned();
    let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let range = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("range").then(|| value.trim().to_owned())
    });
    Ok((target, range))
}
