//! Things that may happen a thousand times a second and are logged seldom: the first time at once, further times
//! together.

use std::sync::{Mutex, PoisonError};

use headwater_types::caps::LOG_AGAIN;
use tokio::time::Instant;

/// Counts how often something happened, and says when it is time for a line in the log.
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Unsaid>);

#[derive(Debug, Default)]
struct Unsaid {
    times: u64,
    said: Option<Instant>,
}

// === impl Seldom ===

impl Seldom {
    /// Counts once more. Gives how often it happened since the last line, where it is time for another.
    pub(crate) fn again(&self) -> Option<u64> {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.times += 1;
        if unsaid.said.is_some_and(|said| said.elapsed() < LOG_AGAIN) {
            return None;
        }
        unsaid.said = Some(Instant::now());
        Some(std::mem::take(&mut unsaid.times))
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
