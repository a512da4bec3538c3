//! A job's account of memory: what the job holds, and what its samples wait for.
//!
//! Memory that is short goes to the job of higher priority. Among jobs of one priority it goes to the job that holds
//! least: by client first, then by connection, then by job.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use headwater_types::ByteCount;

/// The account of one job. Clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Entry>);

/// Which jobs go first where memory or CPU workers are short. The first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// A client waits for the job.
    Serving,
    /// The job is done ahead of need, as indexing is.
    Background,
}

/// What a job's samples wait for.
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
pub struct Waiting {
    account: Account,
    what: Waits,
}

/// The clients and connections that have accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<Vec<Weak<Share>>>);

/// What one client, connection or job holds in all budgets together.
struct Share {
    name: String,
    held: AtomicU64,
}

struct Entry {
    priority: Priority,
    /// Shares of the client, the connection and the job. They are compared in this order.
    shares: [Arc<Share>; 3],
    /// Numbers of samples that wait, by what they wait for.
    waiting: [AtomicUsize; 2],
}

// === impl Accounts ===

impl Accounts {
    /// An account for a job of this client on this connection. Jobs of one client share its share, and so do those of
    /// one connection.
    pub(crate) fn open(&self, client: &str, connection: &str) -> Account {
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
        Account::new(Priority::Serving, [share(client), share(connection), Share::new("")])
    }
}

// === impl Account ===

impl Account {
    /// The account of a job that belongs to no client.
    pub fn alone(priority: Priority) -> Self {
        Self::new(priority, [(); 3].map(|()| Share::new("")))
    }

    fn new(priority: Priority, shares: [Arc<Share>; 3]) -> Self {
        Self(Arc::new(Entry { priority, shares, waiting: Default::default() }))
    }

    /// The job's priority.
    pub fn priority(&self) -> Priority {
        self.0.priority
    }

    /// The client's name.
    pub fn client(&self) -> &str {
        &self.0.shares[0].name
    }

    /// The connection's name.
    pub fn connection(&self) -> &str {
        &self.0.shares[1].name
    }

    /// Memory that the job holds.
    pub fn held(&self) -> ByteCount {
        ByteCount::new(self.0.shares[2].held.load(Ordering::Relaxed))
    }

    /// What samples of the job wait for now; memory before anything else.
    pub fn waits(&self) -> Option<Waits> {
        let waiting = |what: &Waits| self.0.waiting[*what as usize].load(Ordering::Relaxed) > 0;
        [Waits::Memory, Waits::Store].into_iter().find(waiting)
    }

    /// Says that a sample waits, from now until the result is dropped.
    pub fn begin(&self, what: Waits) -> Waiting {
        self.0.waiting[what as usize].fetch_add(1, Ordering::Relaxed);
        Waiting { account: self.clone(), what }
    }

    /// The order in which waiting accounts are served: the lowest first.
    pub(crate) fn precedence(&self) -> (Priority, [u64; 3]) {
        (self.0.priority, [0, 1, 2].map(|level| self.0.shares[level].held.load(Ordering::Relaxed)))
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
    /// The name for programs, the same in every release.
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
