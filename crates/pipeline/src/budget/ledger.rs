//! Who has a budget's memory, and who waits for it.
//!
//! Where memory is short, the account that goes first by [`Account::precedence`] is served first. A sample that is next
//! waits for as much as it needs, and no other passes it, so that large samples come as surely as small ones. (First
//! come, first served would give a stream with many samples in its window as much more of the memory.)

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_types::ByteCount;
use tokio::sync::{Notify, oneshot};

use crate::account::Account;

/// Granted memory, given back when dropped. A permit travels inside the value that it protects.
#[must_use = "dropping a permit gives the memory back"]
pub struct Permit {
    ledger: Arc<Ledger>,
    account: Account,
    bytes: u64,
}

/// The books of one budget.
pub(super) struct Ledger {
    total: u64,
    state: Mutex<State>,
    /// Notified when a sample begins to wait.
    short: Notify,
}

#[derive(Default)]
struct State {
    used: u64,
    /// Accounts whose samples wait.
    queues: Vec<Queue>,
}

/// The waiting samples of one account.
struct Queue {
    account: Account,
    samples: VecDeque<Wanted>,
}

struct Wanted {
    bytes: u64,
    grant: oneshot::Sender<Permit>,
}

// === impl Ledger ===

impl Ledger {
    pub(super) fn new(total: u64) -> Self {
        Self { total, state: Mutex::default(), short: Notify::new() }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are granted.
    pub(super) fn used(&self) -> u64 {
        self.lock().used
    }

    /// Bytes that samples wait for, beyond what is free; `None` where none waits.
    pub(super) fn shortage(&self) -> Option<u64> {
        let state = self.lock();
        let wanted =
            |queue: &Queue| queue.samples.iter().filter(|wanted| wanted.is_wanted()).map(|wanted| wanted.bytes).sum();
        let wanted: u64 = state.queues.iter().map(wanted).fold(0, u64::saturating_add);
        let free = self.total.saturating_sub(state.used);
        (wanted > 0).then(|| wanted.min(self.total).saturating_sub(free))
    }

    /// Waits until a sample begins to wait.
    pub(super) async fn short(&self) {
        self.short.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit, or the channel that will bring it.
    pub(super) fn ask(self: &Arc<Self>, account: &Account, bytes: u64) -> Result<Permit, oneshot::Receiver<Permit>> {
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
        // The samples that waited before may be gone.
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

    /// Grants to the samples that are next, for as long as there is enough.
    fn serve(self: &Arc<Self>) {
        while let Some((wanted, permit)) = self.next() {
            // The permit of a sample that does not wait any more is dropped here, where nothing is locked.
            let _ = wanted.grant.send(permit);
        }
    }

    /// The sample that is next, with its permit; `None` where none waits or there is too little for it.
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
    /// Whether the sample still waits.
    fn is_wanted(&self) -> bool {
        !self.grant.is_closed()
    }
}

// === impl Permit ===

impl Permit {
    /// Bytes that it grants.
    pub fn bytes(&self) -> ByteCount {
        ByteCount::new(self.bytes)
    }

    /// Gives back what is more than so many bytes.
    pub fn shrink_to(&mut self, bytes: ByteCount) {
        let excess = self.bytes.saturating_sub(bytes.get());
        self.bytes -= excess;
        self.ledger.give_back(&self.account, excess);
    }

    /// Splits off a permit of so many bytes, or of what is left where that is less.
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
