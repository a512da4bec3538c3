//! Whose memory it is: a stream's, of a connection's, of a client's. By what each holds, memory that is short is shared fairly.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use headwater_types::ByteCount;

/// The account of one stream. Clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Stream>);

/// What a stream's samples wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Memory that others hold.
    Memory,
    /// The store.
    Store,
}

/// A sample waits, until this is dropped.
#[derive(Debug)]
#[must_use = "a wait ends when this is dropped"]
pub(crate) struct Waiting {
    account: Account,
    what: Waits,
}

/// Everybody who has had memory and is still there.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<Vec<Weak<Share>>>);

/// What one party holds in all budgets together.
struct Share {
    name: String,
    held: AtomicU64,
}

struct Stream {
    /// The client's, the connection's, and the stream's own: in this order they are compared.
    shares: [Arc<Share>; 3],
    /// Samples that wait, by what for.
    waiting: [AtomicUsize; 2],
}

// === impl Accounts ===

impl Accounts {
    /// An account for a stream. Those of one client, and of one connection of a client, are known by their names.
    pub fn open(&self, client: &str, connection: &str) -> Account {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|share| share.strong_count() > 0);
        let mut share = |name: &str| {
            if let Some(share) = known.iter().filter_map(Weak::upgrade).find(|share| share.name == name) {
                return share;
            }
            let share = Share::new(name);
            known.push(Arc::downgrade(&share));
            share
        };
        Account::new([share(client), share(connection), Share::new("")])
    }
}

// === impl Account ===

impl Account {
    /// Of somebody who shares memory with nobody.
    pub fn alone() -> Self {
        Self::new([(); 3].map(|()| Share::new("")))
    }

    fn new(shares: [Arc<Share>; 3]) -> Self {
        Self(Arc::new(Stream { shares, waiting: Default::default() }))
    }

    /// The client's name.
    pub fn client(&self) -> &str {
        &self.0.shares[0].name
    }

    /// The connection's name.
    pub fn connection(&self) -> &str {
        &self.0.shares[1].name
    }

    /// What the stream holds.
    pub fn held(&self) -> ByteCount {
        ByteCount::new(self.0.shares[2].held.load(Ordering::Relaxed))
    }

    /// What samples of the stream wait for now; memory before anything else.
    pub fn waits(&self) -> Option<Waits> {
        let waiting = |what: &Waits| self.0.waiting[*what as usize].load(Ordering::Relaxed) > 0;
        [Waits::Memory, Waits::Store].into_iter().find(waiting)
    }

    /// From now on a sample waits for this.
    pub(crate) fn begin(&self, what: Waits) -> Waiting {
        self.0.waiting[what as usize].fetch_add(1, Ordering::Relaxed);
        Waiting { account: self.clone(), what }
    }

    /// Who holds less comes first: by client, then by connection, then by stream.
    pub(crate) fn precedence(&self) -> [u64; 3] {
        [0, 1, 2].map(|level| self.0.shares[level].held.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, bytes: u64) {
        for share in &self.0.shares {
            share.held.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn subtract(&self, bytes: u64) {
        for share in &self.0.shares {
            share.held.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.held(), self.connection())
    }
}

// === impl Share ===

impl Share {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), held: AtomicU64::new(0) })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.held.load(Ordering::Relaxed))
    }
}

// === impl Waits ===

impl Waits {
    /// For programs: the same in every release.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.account.0.waiting[self.what as usize].fetch_sub(1, Ordering::Relaxed);
    }
}
