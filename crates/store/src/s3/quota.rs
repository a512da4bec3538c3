//! How often a store may be asked again: a bucket of tokens that all requests to it share.
//!
//! Each try after the first takes a token, and each answer brings one and a half: a store that answers half of its
//! requests is asked as fast as it answers, and one that answers none a few times at once and then every other second,
//! however many samples wait for it. Samples that each kept their own time would ask a throttled store a hundred times
//! as often as one that is well (the AWS SDKs' "standard" retry mode has the same bucket).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use headwater_types::caps::{S3_TRIES_A_SECOND, S3_TRIES_EARNED, S3_TRIES_IN_HAND};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

#[derive(Debug)]
pub(super) struct Quota {
    tokens: Mutex<Tokens>,
    /// Requests that wait for a token stand in a row.
    row: tokio::sync::Mutex<()>,
    earned: Notify,
}

/// The tokens that are left, and what else holds for all requests to the store.
#[derive(Debug)]
struct Tokens {
    left: f64,
    /// When `left` was counted.
    at: Instant,
    /// The store wants to be left alone until then.
    rest: Option<Instant>,
}

// === impl Quota ===

impl Quota {
    pub(super) fn new() -> Self {
        let tokens = Tokens { left: S3_TRIES_IN_HAND, at: Instant::now(), rest: None };
        Self { tokens: Mutex::new(tokens), row: tokio::sync::Mutex::default(), earned: Notify::new() }
    }

    /// A request brought what it asked for.
    pub(super) fn answered(&self) {
        let mut tokens = self.lock();
        tokens.left = (tokens.left + S3_TRIES_EARNED).min(S3_TRIES_IN_HAND);
        drop(tokens);
        self.earned.notify_one();
    }

    /// The store wants to be left alone for so long.
    pub(super) fn rest(&self, time: Duration) {
        let mut tokens = self.lock();
        let until = Instant::now() + time;
        tokens.rest = Some(tokens.rest.map_or(until, |rest| rest.max(until)));
    }

    /// Waits until the store may be asked.
    pub(super) async fn rested(&self) {
        while let Some(until) = self.resting() {
            sleep_until(until).await;
        }
    }

    /// Until when the store is left alone.
    pub(super) fn resting(&self) -> Option<Instant> {
        self.lock().rest.filter(|&until| until > Instant::now())
    }

    /// Waits for a token.
    pub(super) async fn token(&self) {
        let _turn = self.row.lock().await;
        loop {
            let taken = self.lock().take();
            let Err(wait) = taken else { return };
            tokio::select! {
                () = self.earned.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tokens ===

impl Tokens {
    /// Takes a token, or says when there may be one.
    fn take(&mut self) -> Result<(), Duration> {
        let now = Instant::now();
        let granted = now.duration_since(self.at).as_secs_f64() * S3_TRIES_A_SECOND;
        (self.left, self.at) = ((self.left + granted).min(S3_TRIES_IN_HAND), now);
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        // A little longer: what is rounded down would wake it for nothing.
        Err(Duration::from_secs_f64((1.0 - self.left) / S3_TRIES_A_SECOND) + Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn tries_within(quota: &Arc<Quota>, time: Duration) -> u32 {
        let (until, mut tries) = (Instant::now() + time, 0);
        while tokio::time::timeout_at(until, quota.token()).await.is_ok() {
            tries += 1;
        }
        tries
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_answers_nothing_is_asked_every_other_second() {
        let quota = Arc::new(Quota::new());
        let tries = tries_within(&quota, Duration::from_secs(60)).await;
        assert!((38..=41).contains(&tries), "{tries}");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_earn_tries_and_a_store_that_comes_back_is_soon_asked_by_all() {
        let quota = Arc::new(Quota::new());
        tries_within(&quota, Duration::from_secs(30)).await;
        let mut asked = 0;
        let began = Instant::now();
        // Each try is answered at once: each brings the next, and half another.
        while began.elapsed() < Duration::from_secs(2) && asked < 200 {
            quota.token().await;
            quota.answered();
            asked += 1;
        }
        assert_eq!(asked, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_holds_for_all() {
        let quota = Quota::new();
        quota.rest(Duration::from_secs(7));
        quota.rest(Duration::from_secs(3));
        let began = Instant::now();
        assert!(quota.resting().is_some());
        quota.rested().await;
        assert_eq!(began.elapsed(), Duration::from_secs(7));
    }
}
