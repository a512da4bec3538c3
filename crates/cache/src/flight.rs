//! One brings what many ask for: whoever asks first for an absent entry leads, and the others follow.
//!
//! Invariant: of those that ask for a key at a time, one leads. A leader that fails, dies or is cancelled lets its
//! followers go with nothing, and the first of them to ask again leads. Followers get what was brought from the leader
//! itself, so that an entry which the cache does not keep is brought once too.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use headwater_types::Digest;

use crate::entry::Entry;

/// Flights under way, by the digests of their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flights(Arc<Mutex<HashMap<Digest, Arc<Landing>>>>);

/// What somebody who asks is to do.
#[derive(Debug)]
pub enum Flight {
    /// Bring the entry.
    Lead(Lead),
    /// Wait for who brings it.
    Follow(Follow),
}

/// The right, and the duty, to bring an entry. Dropped without [`Self::land`], it has failed.
#[derive(Debug)]
pub struct Lead {
    flights: Flights,
    key: Digest,
    landing: Arc<Landing>,
}

/// Waits for an entry: in async code as a future, on a thread by [`Self::wait`]. `None` where the leader failed: ask
/// again.
#[derive(Debug)]
pub struct Follow(Arc<Landing>);

/// Where followers wait.
#[derive(Debug, Default)]
struct Landing(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// What came of it, once it has ended.
    landed: Option<Option<Entry>>,
    wakers: Vec<Waker>,
}

/// Wakes a thread.
struct Unpark(Thread);

// === impl Flights ===

impl Flights {
    pub(crate) fn join(&self, key: Digest) -> Flight {
        let mut flights = lock(&self.0);
        if let Some(landing) = flights.get(&key) {
            return Flight::Follow(Follow(Arc::clone(landing)));
        }
        let landing = Arc::<Landing>::default();
        flights.insert(key, Arc::clone(&landing));
        Flight::Lead(Lead { flights: self.clone(), key, landing })
    }
}

// === impl Lead ===

impl Lead {
    /// Gives followers what was brought. Whoever asks from now on finds it in the cache, if it was put there before.
    pub fn land(self, entry: Entry) {
        self.landing.end(Some(entry));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        lock(&self.flights.0).remove(&self.key);
        self.landing.end(None);
    }
}

// === impl Follow ===

impl Follow {
    /// Waits on this thread.
    pub fn wait(mut self) -> Option<Entry> {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(entry) => return entry,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}

impl Future for Follow {
    type Output = Option<Entry>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = lock(&self.0.0);
        if let Some(landed) = &waiting.landed {
            return Poll::Ready(landed.clone());
        }
        // A follower that is polled again has replaced its waker: the old one wakes it in vain, once.
        if !waiting.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

// === impl Landing ===

impl Landing {
    /// Ends the flight, if it has not ended yet.
    fn end(&self, entry: Option<Entry>) {
        let mut waiting = lock(&self.0);
        waiting.landed.get_or_insert(entry);
        let wakers = std::mem::take(&mut waiting.wakers);
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }
}

// === impl Unpark ===

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A thread that panicked has left nothing half done under either lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry::Bytes(b"photo".as_slice().into())
    }

    fn lead(flights: &Flights) -> Option<Lead> {
        match flights.join(Digest::of(b"key")) {
            Flight::Lead(lead) => Some(lead),
            Flight::Follow(_) => None,
        }
    }

    fn follow(flights: &Flights) -> Follow {
        match flights.join(Digest::of(b"key")) {
            Flight::Follow(follow) => follow,
            Flight::Lead(_) => panic!("there is a leader already"),
        }
    }

    #[test]
    fn one_leads_and_all_others_get_what_it_brings() {
        let flights = Flights::default();
        let leader = lead(&flights).unwrap();
        assert!(matches!(flights.join(Digest::of(b"other")), Flight::Lead(_)));
        std::thread::scope(|scope| {
            let followers: Vec<_> = (0..4).map(|_| follow(&flights)).map(|one| scope.spawn(|| one.wait())).collect();
            leader.land(entry());
            followers.into_iter().for_each(|follower| assert_eq!(follower.join().unwrap(), Some(entry())));
        });
        assert!(lead(&flights).is_some(), "the flight has ended");
    }

    #[test]
    fn a_leader_that_fails_or_panics_lets_the_next_lead() {
        let flights = Flights::default();
        for panics in [false, true] {
            let leader = lead(&flights).unwrap();
            let follower = follow(&flights);
            let failed = std::thread::spawn(move || {
                let _lead = leader;
                assert!(!panics, "as an origin's code might");
            });
            assert_eq!(failed.join().is_err(), panics);
            assert_eq!(follower.wait(), None);
        }
        assert!(lead(&flights).is_some());
    }

    #[test]
    fn a_follower_is_a_future_that_wakes_each_that_polled_it() {
        struct Count(std::sync::atomic::AtomicU32);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        let flights = Flights::default();
        let (leader, mut follower) = (lead(&flights).unwrap(), follow(&flights));
        let count = Arc::new(Count(0.into()));
        let waker = Waker::from(Arc::clone(&count));
        let mut context = Context::from_waker(&waker);
        for _ in 0..3 {
            assert_eq!(Pin::new(&mut follower).poll(&mut context), Poll::Pending);
        }
        leader.land(entry());
        assert_eq!(count.0.load(std::sync::atomic::Ordering::Relaxed), 1);
        assert_eq!(Pin::new(&mut follower).poll(&mut context), Poll::Ready(Some(entry())));
    }
}
