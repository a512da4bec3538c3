//! Whose work it is: what shares are counted by.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use headwater_types::Priority;

/// The names by which work is counted, from the outermost: client, job, call.
pub(super) const LEVELS: usize = 3;

/// Work of one call, which is one with all other work of its job, of its client, and of its priority. Clones are the
/// same flow.
#[derive(Clone)]
pub struct Flow(Arc<Names>);

/// Whether somebody still has a flow.
#[derive(Debug)]
pub(super) struct Alive(Weak<Names>);

struct Names {
    priority: Priority,
    path: [Arc<str>; LEVELS],
}

/// Calls so far, so that each has a name of its own.
static CALLS: AtomicU64 = AtomicU64::new(0);

// === impl Flow ===

impl Flow {
    /// A call of a client's job. All calls of a client that name no job (an empty name) are one job.
    pub fn new(priority: Priority, client: &str, job: &str) -> Self {
        let call = CALLS.fetch_add(1, Ordering::Relaxed).to_string();
        Self(Arc::new(Names { priority, path: [client.into(), job.into(), call.into()] }))
    }

    /// Work that belongs to no client.
    pub fn alone(priority: Priority) -> Self {
        Self::new(priority, "", "")
    }

    /// Its priority.
    pub fn priority(&self) -> Priority {
        self.0.priority
    }

    /// The client's name; empty for work that belongs to none.
    pub fn client(&self) -> &str {
        &self.0.path[0]
    }

    pub(super) fn path(&self) -> &[Arc<str>; LEVELS] {
        &self.0.path
    }

    pub(super) fn alive(&self) -> Alive {
        Alive(Arc::downgrade(&self.0))
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

// === impl Alive ===

impl Alive {
    pub(super) fn is(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [client, job, call] = &self.path;
        write!(f, "call {call} of {client:?} {job:?} ({})", self.priority)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
