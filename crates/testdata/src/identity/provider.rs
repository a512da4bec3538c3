//! A server on this machine that answers as an OpenID provider does, or as one that is in no order.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::key::SigningKey;

/// A provider; it ends when it is dropped.
pub struct TestProvider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// One question that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The header `authorization`, where there was one.
    pub token: Option<String>,
}

#[derive(Default)]
struct State {
    /// Instead of the configuration.
    configuration: Option<String>,
    keys: String,
    /// Instead of 200.
    status: Option<u16>,
    delay: Duration,
    asked: Vec<Asked>,
}

/// Where the keys lie.
const KEYS: &str = "/keys";

// === impl TestProvider ===

impl TestProvider {
    /// Starts one with these keys.
    ///
    /// # Errors
    /// No port, or no thread.
    pub fn start(keys: &[&SigningKey]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (state, ends) = (Arc::<Mutex<State>>::default(), Arc::<AtomicBool>::default());
        let (shown, until) = (Arc::clone(&state), Arc::clone(&ends));
        let thread = std::thread::Builder::new().name("identity provider".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                // Whoever hangs up has its reasons.
                let _ = stream.and_then(|stream| answer(stream, address, &shown));
            }
        })?;
        let provider = Self { address, state, ends, thread: Some(thread) };
        provider.show(keys);
        Ok(provider)
    }

    /// Its URL, which stands in its tokens as `iss`.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its keys are.
    pub fn keys(&self) -> String {
        format!("{}{KEYS}", self.issuer())
    }

    /// Shows these keys from now on.
    pub fn show(&self, keys: &[&SigningKey]) {
        self.show_text(SigningKey::document(keys));
    }

    /// Shows this in place of keys.
    pub fn show_text(&self, document: impl Into<String>) {
        self.state().keys = document.into();
    }

    /// Shows this as its configuration.
    pub fn configure(&self, document: impl Into<String>) {
        self.state().configuration = Some(document.into());
    }

    /// Answers everything with this status from now on; `None`: as it should.
    pub fn fail(&self, status: Option<u16>) {
        self.state().status = status;
    }

    /// Takes so long for each answer.
    pub fn delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// How often keys were asked for.
    pub fn times(&self) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == KEYS).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn answer(mut stream: TcpStream, address: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            read => head.extend_from_slice(&piece[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let token = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("authorization").then(|| value.trim().to_owned())
    });
    let (status, body, delay) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.asked.push(Asked { path: path.clone(), token });
        let body = match path.as_str() {
            KEYS => Some(state.keys.clone()),
            path if path.ends_with("/.well-known/openid-configuration") => Some(state.configuration(address)),
            _ => None,
        };
        (state.status.unwrap_or(if body.is_some() { 200 } else { 404 }), body.unwrap_or_default(), state.delay)
    };
    wait(delay);
    let further = if status == 302 { format!("Location: http://{address}{KEYS}\r\n") } else { String::new() };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{further}Connection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

#[expect(clippy::disallowed_methods, reason = "a thread of a test's own server, with nothing to be woken by")]
fn wait(delay: Duration) {
    std::thread::sleep(delay);
}

// === impl State ===

impl State {
    fn configuration(&self, address: SocketAddr) -> String {
        let usual = || {
            let issuer = format!("http://{address}");
            json!({"issuer": issuer, "jwks_uri": format!("{issuer}{KEYS}"), "response_types_supported": ["code"]})
                .to_string()
        };
        self.configuration.clone().unwrap_or_else(usual)
    }
}
