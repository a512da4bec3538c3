//! Memory as a resource that is asked for: promise 3.
//!
//! There are two budgets, for encoded bytes and for what is made of them. A sample holds encoded bytes while it waits
//! for the second, and never the other way round, so that samples cannot wait for each other in a circle.
//!
//! Where it is short, who holds least is served first: the client that holds least, of its connections the one that holds least, and
//! of its streams. Who is next waits for as much as it needs, and nobody passes it, so that large samples come as surely as small ones.
//! (First come, first served would give a stream with many samples in its window as much more of the memory.)

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_types::{ByteCount, FailureKind, SampleFailure};
use tokio::sync::{Notify, oneshot};

use crate::account::{Account, Waits};

/// A number of bytes that samples in flight may take together.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Ledger>);

/// Granted memory; given back when dropped. Travels inside the value that it protects.
#[must_use = "dropping a permit gives the memory back"]
pub struct Permit {
    ledger: Arc<Ledger>,
    account: Account,
    bytes: u64,
}

struct Ledger {
    total: u64,
    state: Mutex<State>,
    /// Somebody has begun to wait.
    short: Notify,
}

#[derive(Default)]
struct State {
    used: u64,
    /// Of each account whose samples wait, those samples.
    queues: Vec<Queue>,
}

struct Queue {
    account: Account,
    samples: VecDeque<Wanted>,
}

struct Wanted {
    bytes: u64,
    grant: oneshot::Sender<Permit>,
}

// === impl MemoryBudget ===

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(total: ByteCount) -> Self {
        Self(Arc::new(Ledger { total: total.get(), state: Mutex::default(), short: Notify::new() }))
    }

    /// Waits until so many bytes are free, and nobody who holds less waits too.
    ///
    /// # Errors
    /// `LimitExceeded` for more than the whole budget, which would wait for ever.
    pub async fn acquire(&self, account: &Account, bytes: ByteCount) -> Result<Permit, SampleFailure> {
        if bytes > self.total() {
            let message = format!(
                "needs {bytes} of memory, more than the {} that samples may take together: raise --memory",
                self.total()
            );
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let granted = match self.0.ask(account, bytes.get()) {
            Ok(permit) => return Ok(permit),
            Err(granted) => granted,
        };
        let _waiting = account.begin(Waits::Memory);
        let stopping = |_| SampleFailure::new(FailureKind::Unavailable, "the server is stopping");
        granted.await.map_err(stopping)
    }

    /// Bytes granted and not yet given back.
    pub fn in_use(&self) -> ByteCount {
        ByteCount::new(self.0.lock().used)
    }

    /// The whole budget.
    pub fn total(&self) -> ByteCount {
        ByteCount::new(self.0.total)
    }

    /// Bytes that are waited for, beyond what is free; `None` where nobody waits.
    pub fn shortage(&self) -> Option<ByteCount> {
        let state = self.0.lock();
        let wanted =
            |queue: &Queue| queue.samples.iter().filter(|wanted| wanted.is_wanted()).map(|wanted| wanted.bytes).sum();
        let wanted: u64 = state.queues.iter().map(wanted).fold(0, u64::saturating_add);
        let free = self.0.total.saturating_sub(state.used);
        (wanted > 0).then(|| ByteCount::new(wanted.min(self.0.total).saturating_sub(free)))
    }

    /// Waits until somebody waits.
    pub async fn short(&self) {
        self.0.short.notified().await;
    }
}

// === impl Ledger ===

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit, or what will bring it.
    fn ask(self: &Arc<Self>, account: &Account, bytes: u64) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.lock();
        if state.queues.is_empty() && self.has(&state, bytes) {
            return Ok(self.grant(&mut state, account.clone(), bytes));
        }
        let (grant, granted) = oneshot::channel();
        let wanted = Wanted { bytes, grant };
        match state.queues.iter_mut().find(|queue| queue.account.is(account)) {
            Some(queue) => queue.samples.push_back(wanted),
            None => state.queues.push(Queue { account: account.clone(), samples: VecDeque::from([wanted]) }),
        }
        drop(state);
        // Those that waited may be gone.
        self.serve();
        self.short.notify_one();
        Err(granted)
    }

    fn has(&self, state: &State, bytes: u64) -> bool {
        state.used.saturating_add(bytes) <= self.total
    }

    fn grant(self: &Arc<Self>, state: &mut State, account: Account, bytes: u64) -> Permit {
        state.used += bytes;
        account.add(bytes);
        Permit { ledger: Arc::clone(self), account, bytes }
    }

    fn give_back(self: &Arc<Self>, account: &Account, bytes: u64) {
        if bytes == 0 {
            return;
        }
        account.subtract(bytes);
        let waited_for = {
            let mut state = self.lock();
            state.used -= bytes;
            !state.queues.is_empty()
        };
        if waited_for {
            self.serve();
        }
    }

    /// Grants to whoever is next, for as long as there is enough.
    fn serve(self: &Arc<Self>) {
        while let Some((wanted, permit)) = self.next() {
            // Who does not wait any more drops it here, where nothing is locked.
            let _ = wanted.grant.send(permit);
        }
    }

    fn next(self: &Arc<Self>) -> Option<(Wanted, Permit)> {
        let mut state = self.lock();
        for queue in &mut state.queues {
            while queue.samples.front().is_some_and(|wanted| !wanted.is_wanted()) {
                queue.samples.pop_front();
            }
        }
        state.queues.retain(|queue| !queue.samples.is_empty());
        let (at, _) = state.queues.iter().enumerate().min_by_key(|(_, queue)| queue.account.precedence())?;
        let bytes = state.queues[at].samples.front()?.bytes;
        if !self.has(&state, bytes) {
            return None;
        }
        let wanted = state.queues[at].samples.pop_front()?;
        let account = state.queues[at].account.clone();
        if state.queues[at].samples.is_empty() {
            state.queues.swap_remove(at);
        }
        let permit = self.grant(&mut state, account, wanted.bytes);
        Some((wanted, permit))
    }
}

// === impl Wanted ===

impl Wanted {
    /// Whether the sample still waits for it.
    fn is_wanted(&self) -> bool {
        !self.grant.is_closed()
    }
}

// === impl Permit ===

impl Permit {
    /// How much.
    pub fn bytes(&self) -> ByteCount {
        ByteCount::new(self.bytes)
    }

    /// Gives back what is more than so many bytes.
    pub fn shrink_to(&mut self, bytes: ByteCount) {
        let excess = self.bytes.saturating_sub(bytes.get());
        self.bytes -= excess;
        self.ledger.give_back(&self.account, excess);
    }

    /// Takes a part of it, of so many bytes or of what is left.
    pub fn split(&mut self, bytes: ByteCount) -> Self {
        let bytes = bytes.get().min(self.bytes);
        self.bytes -= bytes;
        Self { ledger: Arc::clone(&self.ledger), account: self.account.clone(), bytes }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.ledger.give_back(&self.account, self.bytes);
    }
}

#[cfg(test)]
mod tests;
