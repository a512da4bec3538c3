//! One request made again until it is answered: how long between two tries, and when it is enough.

use headwater_types::Backoff;
use headwater_types::caps::{S3_GARBLED_OBJECTS, S3_GARBLED_PAGES, S3_HOPELESS_TRIES};
use headwater_types::patience::{
    S3_FIRST_ANSWER, S3_FIRST_PAUSE, S3_HOPELESS, S3_LONGEST_PAUSE, S3_PAGE_WAIT, S3_SILENCE, STORE_WAIT,
};
use tokio::time::{Duration, Instant, sleep, timeout_at};

use super::fault::{Again, Fault};
use super::link::Link;

/// The tries of one request.
pub(super) struct Tries<'a> {
    link: &'a Link,
    began: Instant,
    patience: Duration,
    /// Whether the request is for an object. Other objects then show whether the store gives any.
    is_object: bool,
    backoff: Backoff,
    /// The number of objects that had come when the request began.
    came: u64,
    tries: u32,
    /// The tries whose fault says something of the object.
    failed: u32,
    garbled: u32,
}

/// Why a request is not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The answer is final.
    Final,
    /// The store gives other objects, and not this one.
    Hopeless,
    /// The time is up.
    Late,
}

// === impl Tries ===

impl<'a> Tries<'a> {
    /// The tries of a request for an object.
    pub(super) fn of_object(link: &'a Link) -> Self {
        Self::new(link, STORE_WAIT, true)
    }

    /// The tries of a request for a page of a listing.
    pub(super) fn of_page(link: &'a Link) -> Self {
        Self::new(link, S3_PAGE_WAIT, false)
    }

    fn new(link: &'a Link, patience: Duration, is_object: bool) -> Self {
        let backoff = Backoff::new(S3_FIRST_PAUSE, S3_LONGEST_PAUSE, link.seed());
        let (began, came) = (Instant::now(), link.came());
        Self { link, began, patience, is_object, backoff, came, tries: 0, failed: 0, garbled: 0 }
    }

    /// The number of tries so far, and the time since the first.
    pub(super) fn so_far(&self) -> (u32, Duration) {
        (self.tries, self.began.elapsed())
    }

    /// Makes the request until it is answered; else gives the fault of the last try.
    pub(super) async fn until_answered<T, F: Future<Output = Result<T, Fault>>>(
        mut self,
        what: &str,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Fault> {
        let mut end = self.first().await;
        let mut last = Fault::Silent(S3_SILENCE);
        while end.is_ok() {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(fault) => {
                    end = self.again(what, &fault).await;
                    last = fault;
                }
            }
        }
        Err(last)
    }

    /// Waits until the store wants to be asked at all.
    pub(super) async fn first(&self) -> Result<(), End> {
        timeout_at(self.deadline(), self.link.quota.rested()).await.map_err(|_elapsed| End::Late)
    }

    /// Waits for the next try after this fault, or says why there is none.
    pub(super) async fn again(&mut self, what: &str, fault: &Fault) -> Result<(), End> {
        self.tries += 1;
        if let Some(time) = fault.retry_after() {
            self.link.quota.rest(time);
        }
        match fault.again() {
            Again::Never => return Err(End::Final),
            Again::Few => {
                self.garbled += 1;
                let (most, end) = match self.is_object {
                    true => (S3_GARBLED_OBJECTS, End::Hopeless),
                    false => (S3_GARBLED_PAGES, End::Final),
                };
                if self.garbled >= most {
                    return Err(end);
                }
            }
            Again::Long => self.failed += u32::from(!fault.is_throttling()),
        }
        if self.is_hopeless().await {
            return Err(End::Hopeless);
        }
        self.link.warn(what, fault);
        let pause = self.backoff.pause();
        let deadline = self.deadline();
        let turn = async {
            sleep(pause).await;
            self.link.quota.rested().await;
            self.link.quota.token().await;
        };
        // Who would be late anyway does not wait for it.
        if self.link.quota.resting().is_some_and(|until| until > deadline) {
            return Err(End::Late);
        }
        timeout_at(deadline, turn).await.map_err(|_elapsed| End::Late)
    }

    fn deadline(&self) -> Instant {
        let patience = if self.link.has_answered() { self.patience } else { self.patience.min(S3_FIRST_ANSWER) };
        self.began + patience
    }

    /// Whether the store gives others while it does not give this one.
    async fn is_hopeless(&self) -> bool {
        if !self.is_object || self.failed < S3_HOPELESS_TRIES || self.began.elapsed() < S3_HOPELESS {
            return false;
        }
        self.link.came() > self.came.saturating_add(u64::from(S3_HOPELESS_TRIES)) || self.link.is_well().await
    }
}
