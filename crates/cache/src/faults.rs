//! Calls to the disk that fail when a test says so.

use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

/// Counts calls, and fails some.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    calls: u64,
    fault: Option<Fault>,
}

/// Which calls fail, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The call that fails first, of those from now on; the next is 0.
    pub(crate) nth: u64,
    /// Whether all that follow fail too.
    pub(crate) is_lasting: bool,
    pub(crate) error: Errno,
}

// === impl Faults ===

impl Faults {
    /// Counts calls anew, and fails those of this fault.
    pub(crate) fn begin(&self, fault: Option<Fault>) {
        *self.plan() = Plan { calls: 0, fault };
    }

    /// Calls since the last beginning.
    pub(crate) fn calls(&self) -> u64 {
        self.plan().calls
    }

    pub(crate) fn ask(&self) -> Result<(), Errno> {
        let mut plan = self.plan();
        let call = plan.calls;
        plan.calls += 1;
        let fails = |fault: &Fault| call == fault.nth || (fault.is_lasting && call > fault.nth);
        plan.fault.filter(fails).map_or(Ok(()), |fault| Err(fault.error))
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
