//! A job's account of memory: what the job holds, and what its samples wait for.
//!
//! Memory that is short goes to what clients wait for before what is done ahead of need. Among what clients wait for it
//! goes to the priority that holds least for its weight, and within it to the job that holds least: by client first,
//! then by connection, then by job. CPU workers and places with models are shared by the account's flow.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use headwater_image::Flow;
use headwater_types::{ByteCount, Priority};

/// The account of one job. Clones are the same account.
#[derive(Clone)]
pub struct Account(Arc<Entry>);

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

/// Whose a job is.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The client: the address of a machine.
    pub client: &'a str,
    /// The connection: an address and a port.
    pub connection: &'a str,
    /// The training job, or another name under which the client has several calls; empty where it says none.
    pub job: &'a str,
}

/// The priorities, clients and connections that have accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<Vec<Weak<Share>>>);

/// What one priority, client, connection or job holds in all budgets together.
struct Share {
    name: String,
    held: AtomicU64,
}

struct Entry {
    flow: Flow,
    connection: String,
    /// Shares of the priority, and within it of the client, the connection and the job. They are compared in this
    /// order.
    shares: [Arc<Share>; 4],
    /// Numbers of samples that wait, by what they wait for.
    waiting: [AtomicUsize; 2],
}

// === impl Accounts ===

impl Accounts {
    /// An account for a job of this caller. Jobs of one priority share its share; within it jobs of one client share
    /// its share, and so do those of one connection.
    pub(crate) fn open(&self, priority: Priority, caller: &Caller<'_>) -> Account {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|share| share.strong_count() > 0);
        let mut share = |name: String| {
            if let Some(share) = known.iter().filter_map(Weak::upgrade).find(|share| share.name == name) {
                return share;
            }
            let share = Share::new(name);
            known.push(Arc::downgrade(&share));
            share
        };
        let Caller { client, connection, job } = caller;
        let of_client = share(format!("{priority} {client}"));
        let of_connection = share(format!("{priority} {client} {connection}"));
        let shares = [share(priority.to_string()), of_client, of_connection, Share::new(String::new())];
        Account::new(Flow::new(priority, client, job), (*connection).to_owned(), shares)
    }
}

// === impl Account ===

impl Account {
    /// The account of a job that belongs to no client.
    pub fn alone(priority: Priority) -> Self {
        Self::new(Flow::alone(priority), String::new(), [(); 4].map(|()| Share::new(String::new())))
    }

    fn new(flow: Flow, connection: String, shares: [Arc<Share>; 4]) -> Self {
        Self(Arc::new(Entry { flow, connection, shares, waiting: Default::default() }))
    }

    /// The job's priority.
    pub fn priority(&self) -> Priority {
        self.0.flow.priority()
    }

    /// By what the job's share of CPU workers and of places with models is counted.
    pub fn flow(&self) -> &Flow {
        &self.0.flow
    }

    /// The client's name.
    pub fn client(&self) -> &str {
        self.0.flow.client()
    }

    /// The connection's name.
    pub fn connection(&self) -> &str {
        &self.0.connection
    }

    /// Memory that the job holds.
    pub fn held(&self) -> ByteCount {
        ByteCount::new(self.0.shares[3].held.load(Ordering::Relaxed))
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
    pub(crate) fn precedence(&self) -> (bool, [u64; 4]) {
        let priority = self.priority();
        let mut held = [0, 1, 2, 3].map(|level| self.0.shares[level].held.load(Ordering::Relaxed));
        let lighter = Priority::High.weight() / priority.weight();
        held[0] = held[0].saturating_mul(lighter.into());
        (priority == Priority::Background, held)
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
    fn new(name: String) -> Arc<Self> {
        Arc::new(Self { name, held: AtomicU64::new(0) })
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
