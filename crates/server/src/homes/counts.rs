//! What came of asking the homes of samples.

use std::sync::atomic::{AtomicU64, Ordering};

/// What came of a sample whose home is another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The home gave it, or said what is wrong with its photo.
    Given,
    /// The home could not give this sample.
    Failed,
    /// The home has too many streams or connections.
    Busy,
    /// The home did not give it in time.
    Slow,
    /// The connection to the home broke, or there was none.
    Unreachable,
    /// The home refused the call, as one that lists its datasets anew may.
    Refused,
    /// What the home said cannot be.
    Broken,
    /// The home was not asked, since it did not answer a moment ago.
    Resting,
}

/// Counts from the server's start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    came: [AtomicU64; Came::ALL.len()],
    answered: AtomicU64,
}

// === impl Came ===

impl Came {
    pub(crate) const ALL: [Self; 8] = [
        Self::Given,
        Self::Failed,
        Self::Busy,
        Self::Slow,
        Self::Unreachable,
        Self::Refused,
        Self::Broken,
        Self::Resting,
    ];

    /// The name in metrics and for programs: the same in every release.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Slow => "slow",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Broken => "broken",
            Self::Resting => "resting",
        }
    }
}

// === impl Counts ===

impl Counts {
    /// Counts samples whose home is another server.
    pub(crate) fn add(&self, came: Came, samples: usize) {
        self.came[came as usize].fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// Counts samples of which this server is the home, for others that ask.
    pub(crate) fn answer(&self, samples: usize) {
        self.answered.fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// Samples whose home is another server, by what came of them.
    pub(crate) fn of(&self, came: Came) -> u64 {
        self.came[came as usize].load(Ordering::Relaxed)
    }

    /// Samples that other servers asked for.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}
