use futures::task::noop_waker;
use headwater_image::Parts;
use headwater_pipeline::MemoryBudget;
use headwater_types::{ByteCount, DType, Position, Priority, SampleIndex, Shape, Way};
use tokio::sync::Semaphore;

use super::*;
use crate::allowance::Allowance;

const LARGE: usize = 1 << 20;

struct Stage {
    budget: MemoryBudget,
    outbox: Arc<Outbox>,
}

impl Stage {
    fn new() -> Self {
        let metrics = Arc::new(Metrics::new(&Arc::default()));
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let counts = metrics.samples(&"photos".parse().unwrap());
        let open = OpenStream::new(&metrics, (counts, CallTrace::default()), place);
        let outbox = Arc::new(Outbox::new(
            Account::alone(Priority::Normal),
            Peer::new(None),
            Allowance::default().share(),
            open,
        ));
        Self { budget: MemoryBudget::new(ByteCount::mebibytes(64)), outbox }
    }

    async fn sample(&self, payload: Vec<u8>) -> Prepared {
        let permit = self.budget.acquire(&self.outbox.account, payload.len().into()).await.unwrap();
        let parts = Parts {
            way: Way::ENCODED,
            dtype: DType::U8,
            shape: Shape::vector(u32::try_from(payload.len()).unwrap()),
            source: None,
            origin: Position::default(),
            bytes: payload.into(),
        };
        let failed =
            Prepared::failed(SampleIndex(7), headwater_types::SampleFailure::new(headwater_types::FailureKind::Io, ""));
        Prepared { outcome: Ok(Finished { parts, permit }), ..failed }
    }

    async fn push(&self, position: u32, payload: Vec<u8>) {
        let mut batch = Batch::new();
        batch.push(position, self.sample(payload).await, Vec::new());
        self.outbox.push(batch);
    }

    fn next(&self) -> Option<Bytes> {
        match self.outbox.poll(&mut Context::from_waker(&noop_waker())) {
            Poll::Ready(Some(Next::Bytes(bytes))) => Some(bytes),
            _ => None,
        }
    }

    /// Everything that the network gets while it takes all at once.
    fn drain(&self) -> Vec<u8> {
        std::iter::from_fn(|| self.next().map(|bytes| bytes.to_vec())).flatten().collect()
    }

    fn held(&self) -> usize {
        self.budget.in_use().as_usize()
    }
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251) as u8).collect()
}

#[tokio::test]
async fn small_messages_are_counted_until_the_network_drops_them() {
    let stage = Stage::new();
    for position in 0..4 {
        stage.push(position, noise(200_000)).await;
    }
    let underway: Vec<_> = std::iter::from_fn(|| stage.next()).collect();
    assert_eq!(underway.len(), 2, "no more than the network needs is given to it");
    assert_eq!(stage.held(), 800_000);
    drop(underway);
    assert_eq!(stage.held(), 400_000);
    stage.drain();
    assert_eq!(stage.held(), 0);
}

#[tokio::test]
async fn of_a_large_sample_the_network_has_a_few_pieces() {
    let stage = Stage::new();
    stage.push(0, noise(LARGE)).await;
    let underway: Vec<_> = std::iter::from_fn(|| stage.next()).collect();
    let bytes: usize = underway.iter().map(Bytes::len).sum();
    assert!(bytes <= UNDERWAY_IN_PIECES + PIECE, "{bytes}");
    assert_eq!(stage.held(), LARGE);
}

#[tokio::test]
async fn what_was_given_up_in_the_middle_goes_on_at_the_same_byte() {
    let (stage, whole) = (Stage::new(), Stage::new());
    whole.push(3, noise(LARGE)).await;
    stage.push(3, noise(LARGE)).await;
    stage.push(4, noise(9)).await;
    let mut sent: Vec<u8> = [stage.next().unwrap(), stage.next().unwrap()].concat();
    stage.outbox.shed();
    assert_eq!((stage.held(), stage.next()), (0, None));
    assert_eq!(stage.outbox.take_shed(), Some(vec![3, 4]));
    assert!(stage.outbox.is_read(), "the network waits for it");
    assert!(stage.outbox.restore(4, stage.sample(noise(9)).await).is_some(), "it is not the one");
    assert!(stage.outbox.restore(3, stage.sample(noise(LARGE)).await).is_none());
    sent.extend(stage.drain());
    assert_eq!(sent, whole.drain());
}

#[tokio::test]
async fn batches_have_room_until_the_sample_that_they_wait_for_is_there_again() {
    let stage = Stage::new();
    stage.push(3, noise(LARGE)).await;
    drop([stage.next(), stage.next()]);
    stage.outbox.shed();
    assert_eq!(stage.outbox.take_shed(), Some(vec![3]));
    for position in 4..6 {
        stage.push(position, noise(9)).await;
    }
    assert_eq!((stage.next(), stage.outbox.awaited(), stage.outbox.has_room()), (None, Some(3), true));
    stage.outbox.shed();
    assert_eq!(stage.outbox.take_shed(), Some(vec![4, 5]), "place 3 is in work, and still the first to be made");
    assert_eq!(stage.outbox.awaited(), Some(3));
    for position in 4..6 {
        stage.push(position, noise(9)).await;
    }
    assert!(stage.outbox.restore(3, stage.sample(noise(LARGE)).await).is_none());
    assert_eq!((stage.outbox.awaited(), stage.outbox.has_room()), (None, false));
}

#[tokio::test]
async fn a_sample_that_has_changed_meanwhile_is_asked_for_again() {
    let stage = Stage::new();
    stage.push(3, noise(LARGE)).await;
    drop([stage.next(), stage.next()]);
    stage.outbox.shed();
    let mut other = noise(LARGE);
    other[LARGE - 1] ^= 1;
    assert!(stage.outbox.restore(3, stage.sample(other).await).is_none());
    let Poll::Ready(Some(Next::End(status))) = stage.outbox.poll(&mut Context::from_waker(&noop_waker())) else {
        panic!()
    };
    assert_eq!(status.code(), Code::Aborted);
    assert!(headwater_wire::status::is_retryable(&status));
}

#[tokio::test]
async fn a_sample_that_is_made_again_and_again_ends_its_stream() {
    let stage = Stage::new();
    stage.push(0, noise(LARGE)).await;
    drop([stage.next(), stage.next()]);
    for _ in 0..MOST_REMADE {
        stage.outbox.shed();
        assert!(!stage.outbox.is_ended());
        assert!(stage.outbox.restore(0, stage.sample(noise(LARGE)).await).is_none());
    }
    stage.outbox.shed();
    let Poll::Ready(Some(Next::End(status))) = stage.outbox.poll(&mut Context::from_waker(&noop_waker())) else {
        panic!()
    };
    assert!(headwater_wire::status::is_unread(&status), "{status}");
}

#[tokio::test]
async fn a_stream_is_stalled_only_while_something_is_ready_for_its_reader() {
    let stage = Stage::new();
    assert_eq!((stage.next(), stage.outbox.stalled_for()), (None, None));
    stage.push(0, noise(9)).await;
    assert!(stage.outbox.stalled_for().is_some());
    let bytes = stage.next();
    assert!(stage.outbox.stalled_for().is_some(), "the network has it still");
    drop(bytes);
    assert_eq!(stage.outbox.stalled_for(), None);
}

#[tokio::test]
async fn the_end_comes_once_behind_what_was_taken_and_frees_the_rest() {
    let stage = Stage::new();
    stage.push(0, noise(LARGE)).await;
    let taken = stage.next();
    stage.outbox.end(Status::unavailable("over"));
    assert_eq!((stage.held(), stage.outbox.stalled_for()), (0, None));
    let poll = || stage.outbox.poll(&mut Context::from_waker(&noop_waker()));
    assert!(matches!(poll(), Poll::Ready(Some(Next::End(_)))));
    assert!(matches!(poll(), Poll::Ready(None)));
    drop(taken);
}

/// So the watch over all streams finds a peer that does not read its stream's end, and hangs up on it.
#[tokio::test]
async fn a_stream_that_has_ended_is_known_until_its_last_byte_has_gone() {
    let stage = Stage::new();
    stage.push(0, noise(9)).await;
    let taken = stage.next().unwrap();
    stage.outbox.end(Status::unavailable("over"));
    let known = Arc::downgrade(&stage.outbox);
    drop(stage);
    assert!(known.upgrade().is_some_and(|outbox| outbox.unheard_for().is_some()));
    drop(taken);
    assert!(known.upgrade().is_none());
}

#[tokio::test]
async fn a_stream_whose_samples_are_all_in_work_gives_them_up_too() {
    let stage = Stage::new();
    stage.push(0, noise(9)).await;
    let taken = stage.next().unwrap();
    assert_eq!(stage.outbox.take_shed(), None);
    stage.outbox.shed();
    assert_eq!(stage.outbox.take_shed(), Some(Vec::new()), "the driver hears of it, and gives up what it works on");
    assert!(stage.outbox.is_empty() && !stage.outbox.is_read());
    drop(taken);
    assert!(stage.next().is_none() && stage.outbox.is_read());
}
