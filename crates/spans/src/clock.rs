//! When something was, for others: nanoseconds since 1970, out of this process's own clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Two clocks, read at the same moment: spans of one process lie as they did, whatever the system's clock is set to
/// meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    here: Instant,
    /// Nanoseconds since 1970.
    there: u64,
}

// === impl Clock ===

impl Clock {
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { here: Instant::now(), there: u64::try_from(since.as_nanos()).unwrap_or(u64::MAX) }
    }

    /// Nanoseconds since 1970.
    pub(crate) fn nanoseconds(&self, at: Instant) -> u64 {
        let nanoseconds = |later: Instant, earlier| {
            u64::try_from(later.saturating_duration_since(earlier).as_nanos()).unwrap_or(u64::MAX)
        };
        match at >= self.here {
            true => self.there.saturating_add(nanoseconds(at, self.here)),
            false => self.there.saturating_sub(nanoseconds(self.here, at)),
        }
    }
}
