//! Memory as a resource that is asked for: samples in flight take at most what was set aside for them.
//!
//! There are two budgets, for encoded bytes and for what is made of them. A sample holds encoded bytes while it waits
//! for the second budget, and never the other way round, so that samples cannot wait for each other in a circle.

mod ledger;

use std::sync::Arc;

use headwater_types::{ByteCount, FailureKind, SampleFailure};

use crate::account::{Account, Waits};
use crate::failure::stopping;
use ledger::Ledger;

pub use ledger::Permit;

/// A number of bytes that samples in flight may take together. Clones are the same budget.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Ledger>);

// === impl MemoryBudget ===

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(total: ByteCount) -> Self {
        Self(Arc::new(Ledger::new(total.get())))
    }

    /// Waits until so many bytes are free and no account that goes before this one waits too.
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
        granted.await.map_err(|_| stopping())
    }

    /// Bytes granted and not yet given back.
    pub fn in_use(&self) -> ByteCount {
        ByteCount::new(self.0.used())
    }

    /// The whole budget.
    pub fn total(&self) -> ByteCount {
        ByteCount::new(self.0.total())
    }

    /// Bytes that samples wait for, beyond what is free; `None` where none waits.
    pub fn shortage(&self) -> Option<ByteCount> {
        self.0.shortage().map(ByteCount::new)
    }

    /// Waits until a sample begins to wait.
    pub async fn short(&self) {
        self.0.short().await;
    }
}

#[cfg(test)]
mod tests;
