//! What may happen a thousand times a second, and is said seldom: the first time at once, the others together.

use std::sync::{Mutex, PoisonError};

use headwater_types::caps::LOG_AGAIN;
use tokio::time::Instant;

/// Counts something, and says when it is time to say so.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Untold>);

#[derive(Debug, Default)]
struct Untold {
    times: u64,
    told: Option<Instant>,
}

// === impl Seldom ===

impl Seldom {
    /// It has happened once more: how often since it was last said, where it is to be said again.
    pub(crate) fn again(&self) -> Option<u64> {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.times += 1;
        if untold.told.is_some_and(|told| told.elapsed() < LOG_AGAIN) {
            return None;
        }
        untold.told = Some(Instant::now());
        Some(std::mem::take(&mut untold.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_is_said_at_once_and_the_others_together() {
        let seldom = Seldom::default();
        assert_eq!([(); 5].map(|()| seldom.again()), [Some(1), None, None, None, None]);
        tokio::time::advance(LOG_AGAIN).await;
        assert_eq!([(); 2].map(|()| seldom.again()), [Some(5), None]);
    }
}
