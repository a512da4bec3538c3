//! A limit on what a dataset's connections receive together: a token bucket, kept as the moment up to which its rate is
//! spent.
//!
//! Who has received bytes is told when they would have come over a link of that rate, and reads nothing before then. So
//! connections share the rate by turns, whoever is served first, and one that has nothing to read holds nothing. A
//! reader that wakes late is not held up for it: the next bytes count from when the last were due, not from when they
//! were read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use headwater_types::{BitsPerSecond, ByteCount};
use tokio::time::Instant;

/// How late a reader may wake, or how long the link may have been idle, without losing what it could have received:
/// longer than threads wait for a busy core, and short beside anything that is measured.
const BURST: Duration = Duration::from_millis(25);
/// Bytes of one read, as time of the link.
const READ: Duration = Duration::from_millis(4);
/// Bounds of one read: what a system call is worth, and what HTTP/2 reads at a time.
const READ_BYTES: [f64; 2] = [1_024.0, 65_536.0];

/// A handle on the limit. Clones are the same limit.
#[derive(Clone, Debug)]
pub struct Throttle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bucket: Mutex<TokenBucket>,
}

/// The token bucket.
#[derive(Debug)]
struct TokenBucket {
    /// Bytes per second.
    rate: f64,
    /// When the link will have brought everything that was read.
    spent: Instant,
    /// Connections that wait, to be woken when the rate changes.
    waiting: HashMap<u64, Waker>,
    /// Connections so far.
    connections: u64,
}

/// One connection's view of the limit.
#[derive(Debug)]
pub(crate) struct Share {
    throttle: Throttle,
    number: u64,
    /// When the link will have brought what this connection has read.
    due: Instant,
}

// === impl Throttle ===

impl Throttle {
    /// A limit for all connections together.
    pub(crate) fn new(rate: BitsPerSecond) -> Self {
        let bucket =
            TokenBucket { rate: rate.get() / 8.0, spent: Instant::now(), waiting: HashMap::new(), connections: 0 };
        Self(Arc::new(Shared { bucket: Mutex::new(bucket) }))
    }

    /// The rate.
    pub fn bandwidth(&self) -> Option<BitsPerSecond> {
        BitsPerSecond::new(self.lock().rate * 8.0)
    }

    /// Another rate, from now on.
    pub fn set(&self, rate: BitsPerSecond) {
        let mut state = self.lock();
        let (new, now) = (rate.get() / 8.0, Instant::now());
        // What is still on its way comes at the new rate.
        let left = state.spent.saturating_duration_since(now).as_secs_f64() * state.rate / new;
        if left > 0.0 {
            state.spent = now + Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX / 4);
        }
        state.rate = new;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// A further connection.
    pub(crate) fn share(&self) -> Share {
        let mut state = self.lock();
        state.connections += 1;
        Share { throttle: self.clone(), number: state.connections, due: state.spent.min(Instant::now()) }
    }

    /// What the link brings in so long.
    pub(crate) fn bytes_in(&self, time: Duration) -> ByteCount {
        ByteCount::new((self.lock().rate * time.as_secs_f64()) as u64)
    }

    fn lock(&self) -> MutexGuard<'_, TokenBucket> {
        self.0.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Share ===

impl Share {
    /// Most bytes to read now; or until when to wait before asking again, unless the waker is called before.
    pub(crate) fn may_read(&mut self, waker: &Waker) -> Result<usize, Instant> {
        let mut state = self.throttle.lock();
        // Sooner than it was said, where the rate has grown meanwhile.
        self.due = self.due.min(state.spent);
        if self.due > Instant::now() {
            state.waiting.insert(self.number, waker.clone());
            return Err(self.due);
        }
        state.waiting.remove(&self.number);
        let [least, most] = READ_BYTES;
        Ok((state.rate * READ.as_secs_f64()).clamp(least, most) as usize)
    }

    /// Counts bytes that were read.
    pub(crate) fn have_read(&mut self, bytes: usize) {
        let mut state = self.throttle.lock();
        let took = Duration::try_from_secs_f64(bytes as f64 / state.rate).unwrap_or(Duration::MAX / 4);
        let earliest = Instant::now().checked_sub(BURST);
        let begun = earliest.map_or(state.spent, |earliest| state.spent.max(earliest));
        state.spent = begun.checked_add(took).unwrap_or(begun);
        self.due = state.spent;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.throttle.lock().waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep_until};

    use super::*;

    fn mbps(mega: f64) -> BitsPerSecond {
        BitsPerSecond::new(mega * 1e6).unwrap()
    }

    /// Bytes that connections which always have something to read get in so long.
    async fn receive(throttle: &Throttle, connections: usize, time: Duration) -> Vec<usize> {
        let end = Instant::now() + time;
        let readers: Vec<_> = (0..connections)
            .map(|_| {
                let mut share = throttle.share();
                tokio::spawn(async move {
                    let mut got = 0;
                    while Instant::now() < end {
                        match share.may_read(Waker::noop()) {
                            Ok(bytes) => {
                                share.have_read(bytes);
                                got += bytes;
                            }
                            Err(due) => sleep_until(due.min(end)).await,
                        }
                    }
                    got
                })
            })
            .collect();
        let mut got = Vec::new();
        for reader in readers {
            got.push(reader.await.unwrap());
        }
        got
    }

    #[tokio::test(start_paused = true)]
    async fn connections_together_get_the_rate_and_each_its_share() {
        for connections in [1, 2, 5] {
            for mega in [0.5, 20.0, 100.0, 2_000.0] {
                let throttle = Throttle::new(mbps(mega));
                let got = receive(&throttle, connections, Duration::from_secs(4)).await;
                let all = got.iter().sum::<usize>() as f64;
                let expected = mega * 1e6 / 8.0 * 4.0;
                assert!((all / expected - 1.0).abs() < 0.02, "{connections} at {mega}: {all} of {expected}");
                // A read at 2 Gbps is shorter than a tick of the clock, so that turns are longer than reads there.
                let (even, turns) = (all / connections as f64, mega < 1_000.0);
                assert!(!turns || got.iter().all(|&one| (one as f64 / even - 1.0).abs() < 0.05), "{got:?} at {mega}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_rate_holds_from_the_moment_that_it_is_set() {
        let throttle = Throttle::new(mbps(80.0));
        let changing = throttle.clone();
        let change = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            changing.set(mbps(40.0));
        });
        let got = receive(&throttle, 2, Duration::from_secs(4)).await.iter().sum::<usize>() as f64;
        change.await.unwrap();
        assert!((got / 30e6 - 1.0).abs() < 0.02, "{got}");
        assert_eq!(throttle.bandwidth(), Some(mbps(40.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_at_a_slow_rate_is_woken_for_a_fast_one() {
        let throttle = Throttle::new(BitsPerSecond::new(8.0).unwrap());
        let mut share = throttle.share();
        let bytes = share.may_read(Waker::noop()).unwrap();
        share.have_read(bytes);
        assert!(share.may_read(Waker::noop()).unwrap_err() > Instant::now() + Duration::from_secs(900));
        throttle.set(mbps(8.0));
        advance(Duration::from_millis(2)).await;
        assert!(share.may_read(Waker::noop()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_link_saves_up_no_more_than_a_burst() {
        let throttle = Throttle::new(mbps(8.0));
        advance(Duration::from_secs(60)).await;
        let got = receive(&throttle, 1, Duration::from_secs(1)).await.iter().sum::<usize>();
        assert!((1_000_000..1_035_000).contains(&got), "{got}");
    }
}
