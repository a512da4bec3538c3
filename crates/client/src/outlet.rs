//! Where samples wait for the reader: bounded in bytes, and put in order where that was asked for.
//!
//! In order, room must never run out for the sample that the reader waits for. So the chunk that holds it may fill a
//! second window (a server answers a call in any order); past that, its worker hangs up and asks for one sample at a
//! time.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::counters::Counting;
use crate::error::ClientError;
use crate::sample::Sample;

/// Samples that wait for the reader.
#[derive(Debug)]
pub(crate) struct Outlet {
    ordered: bool,
    window: u64,
    total: u64,
    state: Mutex<OutletState>,
    /// Notified of every change that may make room.
    pub(crate) room: Notify,
    counting: Arc<Counting>,
}

#[derive(Debug, Default)]
struct OutletState {
    /// The samples that wait: by position where ordered, by arrival where not.
    ready: BTreeMap<u64, Sample>,
    bytes: u64,
    arrived: u64,
    /// How many samples the reader has; where ordered, also the position that it waits for.
    given: u64,
    error: Option<ClientError>,
    ended: bool,
    reader: Option<Waker>,
}

/// What became of a sample.
#[derive(Debug)]
pub(crate) enum Put {
    /// The sample waits for the reader.
    Done,
    /// There is no room now: wait for [`Outlet::room`].
    Full(Box<Sample>),
    /// There is no room, and waiting would not help: the reader waits for an earlier sample of the same chunk.
    Overflow,
}

/// Bytes that a sample takes besides its payload.
const OVERHEAD: u64 = 256;

// === impl Outlet ===

impl Outlet {
    pub(crate) fn new(total: u64, window: u64, ordered: bool, counting: Arc<Counting>) -> Self {
        Self { ordered, window, total, state: Mutex::default(), room: Notify::new(), counting }
    }

    fn lock(&self) -> MutexGuard<'_, OutletState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether samples are put in order.
    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// Takes a sample if there is room. `earliest`: the first position of its chunk that has not been put, its own
    /// included.
    pub(crate) fn put(&self, position: u64, earliest: u64, sample: Sample) -> Put {
        let mut state = self.lock();
        let size = size_of(&sample);
        let privileged = self.ordered && earliest == state.given;
        let awaited = if self.ordered { position == state.given } else { state.ready.is_empty() };
        let limit = if privileged { self.window.saturating_mul(2) } else { self.window };
        if !awaited && state.bytes.saturating_add(size) > limit {
            return if privileged { Put::Overflow } else { Put::Full(Box::new(sample)) };
        }
        let place = if self.ordered { position } else { state.arrived };
        state.ready.insert(place, sample);
        state.bytes += size;
        state.arrived += 1;
        wake(state);
        Put::Done
    }

    /// Ends the stream, after what is ready, with this error.
    pub(crate) fn fail(&self, error: ClientError) {
        let mut state = self.lock();
        state.error.get_or_insert(error);
        wake(state);
    }

    /// No more will be put. A sample that is missing now is a fault of this crate.
    pub(crate) fn close(&self) {
        let missing = self.total - self.lock().arrived;
        if missing > 0 {
            self.fail(ClientError::Internal(format!("{missing} samples were never asked for")));
        }
    }

    /// The next sample for the reader; `None` at the end, or after the error.
    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<Option<Result<Sample, ClientError>>> {
        let mut state = self.lock();
        let next = state.given;
        let due = state.ready.first_entry().filter(|entry| !self.ordered || *entry.key() == next);
        if let Some(sample) = due.map(OccupiedEntry::remove) {
            state.bytes -= size_of(&sample);
            state.given += 1;
            drop(state);
            self.room.notify_waiters();
            self.counting.sample(&sample);
            return Poll::Ready(Some(Ok(sample)));
        }
        if state.ended || state.given == self.total {
            return Poll::Ready(None);
        }
        if let Some(error) = state.error.take() {
            state.ended = true;
            return Poll::Ready(Some(Err(error)));
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }
}

fn size_of(sample: &Sample) -> u64 {
    sample.payload_bytes() + OVERHEAD
}

fn wake(mut state: MutexGuard<'_, OutletState>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_types::{Address, AgreedLimits, DType, ImageLimits, Position, SampleIndex, Shape, Way};
    use headwater_wire::Delivered;

    use super::*;
    use crate::trace::SampleTrace;

    fn sample(index: u64, bytes: usize) -> Sample {
        let payload = Bytes::from(vec![0; bytes]);
        let shape = Shape::vector(bytes as u32);
        let delivered = Delivered {
            way: Way::ENCODED,
            dtype: DType::U8,
            shape,
            payload,
            source: None,
            origin: Position::default(),
        };
        let (announced, own) = (ImageLimits::default(), ImageLimits::of_clients());
        Sample {
            index: SampleIndex(index),
            address: Address::default(),
            key: None,
            label: None,
            fields: Vec::new(),
            cpu: None,
            limits: AgreedLimits { announced, own },
            outcome: Ok(delivered),
            trace: SampleTrace::default(),
        }
    }

    fn poll(outlet: &Outlet) -> Option<u64> {
        match outlet.poll(&Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(sample))) => Some(sample.index.0),
            Poll::Ready(Some(Err(error))) => panic!("{error}"),
            Poll::Ready(None) => Some(u64::MAX),
            Poll::Pending => None,
        }
    }

    #[test]
    fn in_order_the_awaited_sample_always_finds_room_and_later_ones_wait() {
        let outlet = Outlet::new(4, 1_000, true, Arc::default());
        assert!(matches!(outlet.put(1, 1, sample(1, 700)), Put::Done));
        assert_eq!(poll(&outlet), None);
        assert!(matches!(outlet.put(2, 2, sample(2, 700)), Put::Full(_)), "of a later chunk");
        assert!(matches!(outlet.put(2, 0, sample(2, 700)), Put::Done), "of the awaited chunk: a second window");
        assert!(matches!(outlet.put(3, 0, sample(3, 700)), Put::Overflow), "and no third");
        assert!(matches!(outlet.put(0, 0, sample(0, 5_000)), Put::Done), "however large");
        assert_eq!([poll(&outlet), poll(&outlet), poll(&outlet), poll(&outlet)], [Some(0), Some(1), Some(2), None]);
        assert!(matches!(outlet.put(3, 3, sample(3, 700)), Put::Done));
        assert_eq!([poll(&outlet), poll(&outlet)], [Some(3), Some(u64::MAX)]);
    }

    #[test]
    fn out_of_order_samples_are_given_as_they_came_and_never_more_wait_than_the_window_holds() {
        let outlet = Outlet::new(3, 1_000, false, Arc::default());
        assert!(matches!(outlet.put(2, 0, sample(2, 5_000)), Put::Done), "one may always wait");
        assert!(matches!(outlet.put(0, 0, sample(0, 0)), Put::Full(_)));
        assert_eq!(poll(&outlet), Some(2));
        assert!(matches!(outlet.put(0, 0, sample(0, 0)), Put::Done));
        assert!(matches!(outlet.put(1, 1, sample(1, 0)), Put::Done));
        assert_eq!([poll(&outlet), poll(&outlet), poll(&outlet)], [Some(0), Some(1), Some(u64::MAX)]);
    }

    #[test]
    fn what_is_ready_is_given_before_an_error_and_nothing_after() {
        let outlet = Outlet::new(3, 1_000, false, Arc::default());
        assert!(matches!(outlet.put(0, 0, sample(0, 0)), Put::Done));
        outlet.fail(ClientError::Request("the first error stands"));
        outlet.fail(ClientError::Internal("a second".to_owned()));
        assert_eq!(poll(&outlet), Some(0));
        let error = outlet.poll(&Context::from_waker(Waker::noop()));
        assert!(matches!(error, Poll::Ready(Some(Err(ClientError::Request("the first error stands"))))));
        assert_eq!(poll(&outlet), Some(u64::MAX));
    }

    #[test]
    fn samples_that_nobody_asked_for_are_an_error_and_not_a_wait_without_end() {
        let outlet = Outlet::new(2, 1_000, false, Arc::default());
        assert!(matches!(outlet.put(0, 0, sample(0, 0)), Put::Done));
        outlet.close();
        assert_eq!(poll(&outlet), Some(0));
        let error = outlet.poll(&Context::from_waker(Waker::noop()));
        assert!(matches!(error, Poll::Ready(Some(Err(ClientError::Internal(_))))));
    }
}
