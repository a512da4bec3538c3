//! The bounded queue before the workers, and how a batch is taken from it.
//!
//! A place is taken before the pixels are made, and given up with the answer. So few samples are decoded ahead, and
//! they are still in the processor's cache when their turn comes. A caller that finds no place waits, and the flow that
//! has had the fewest is next ([`Turns`]).
//!
//! On the CPU a worker takes its share of the samples that are there and never waits for more, so that no core idles
//! while another fills up. On an accelerator a worker takes all it can and waits a little for a full batch, because
//! there a fuller run takes hardly longer.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use headwater_image::{Flow, Turn, Turns};
use headwater_types::{FailureKind, SampleFailure};
use tokio::sync::oneshot;

use crate::job::{InferenceJob, Outcome, Unfinished};

/// Where samples enter the queue. Once it is dropped, workers finish the queued samples and end.
pub(crate) struct Entrance {
    jobs: Sender<InferenceJob>,
    places: Turns,
}

/// Where workers take samples out of the queue.
#[derive(Clone)]
pub(crate) struct Exit {
    jobs: Receiver<InferenceJob>,
    policy: Policy,
}

/// How a batch is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) max_batch: usize,
    /// Workers that share the queued samples; 1 where each takes all it can.
    pub(crate) sharers: usize,
    pub(crate) max_wait: Duration,
}

/// Samples of one model cost about the same: each counts as one.
const SAMPLE: f64 = 1.0;

pub(crate) fn queue(capacity: usize, policy: Policy) -> (Entrance, Exit) {
    let capacity = capacity.max(1);
    let (sender, receiver) = crossbeam_channel::bounded(capacity);
    let entrance = Entrance { jobs: sender, places: Turns::new(capacity, SAMPLE) };
    (entrance, Exit { jobs: receiver, policy })
}

// === impl Entrance ===

impl Entrance {
    /// Waits for a place.
    pub(crate) async fn place(&self, flow: &Flow) -> Turn {
        self.places.take(flow).await
    }

    /// Samples that no worker has taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.jobs.len()
    }

    /// Queues a sample in its place, and gives the channel of its answer.
    pub(crate) fn put(&self, mut place: Turn, sample: Unfinished) -> Result<oneshot::Receiver<Outcome>, SampleFailure> {
        let (answer, receiver) = oneshot::channel();
        place.settle(SAMPLE);
        // There are as many places as the channel holds, so that this never waits.
        let job = InferenceJob { sample, since: Instant::now(), answer, _place: place };
        self.jobs.try_send(job).map_err(|_| stopped())?;
        Ok(receiver)
    }
}

fn stopped() -> SampleFailure {
    SampleFailure::new(FailureKind::Unavailable, "the model's workers have stopped")
}

// === impl Exit ===

impl Exit {
    /// Waits for samples and moves a batch of them into `batch`, which is empty; `false` once there will be no more.
    /// Samples whose callers have gone are dropped and counted in `cancelled`.
    pub(crate) fn take(&self, batch: &mut Vec<InferenceJob>, cancelled: &mut u64) -> bool {
        let mut keep = |job: InferenceJob, batch: &mut Vec<InferenceJob>| {
            if job.answer.is_closed() {
                *cancelled += 1;
            } else {
                batch.push(job);
            }
        };
        while batch.is_empty() {
            let Ok(first) = self.jobs.recv() else { return false };
            keep(first, batch);
        }
        let deadline = Instant::now() + self.policy.max_wait;
        let share = (self.jobs.len() + 1).div_ceil(self.policy.sharers);
        let target = if self.policy.sharers > 1 { share.min(self.policy.max_batch) } else { self.policy.max_batch };
        while batch.len() < target {
            let next = match self.policy.max_wait {
                Duration::ZERO => self.jobs.try_recv().ok(),
                _ => self.jobs.recv_deadline(deadline).ok(),
            };
            match next {
                Some(job) => keep(job, batch),
                None => break,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use headwater_image::{Payload, Rgb8};
    use headwater_types::{Address, ImageLimits, Priority, Size};

    use super::*;

    fn pixels() -> Unfinished {
        let rgb = Rgb8::new(Size { width: 1, height: 1 }, vec![0; 3]).unwrap();
        let (address, key) = (Address::default(), "a".parse().unwrap());
        Unfinished {
            payload: Payload::Flipped(rgb),
            address,
            key,
            limits: ImageLimits::default(),
            measure_cpu: false,
            allow_non_finite: false,
        }
    }

    fn flow() -> Flow {
        Flow::alone(Priority::Normal)
    }

    async fn fill(entrance: &Entrance, count: usize) -> Vec<oneshot::Receiver<Outcome>> {
        let mut answers = Vec::new();
        for _ in 0..count {
            let place = entrance.place(&flow()).await;
            answers.push(entrance.put(place, pixels()).unwrap());
        }
        answers
    }

    fn taken(exit: &Exit) -> (usize, u64) {
        let (mut batch, mut cancelled) = (Vec::new(), 0);
        assert!(exit.take(&mut batch, &mut cancelled));
        (batch.len(), cancelled)
    }

    #[tokio::test]
    async fn workers_share_what_is_queued() {
        let (entrance, exit) = queue(16, Policy { max_batch: 4, sharers: 2, max_wait: Duration::ZERO });
        let _answers = fill(&entrance, 11).await;
        assert_eq!([taken(&exit).0, taken(&exit).0, taken(&exit).0, taken(&exit).0], [4, 4, 2, 1]);
    }

    #[tokio::test]
    async fn an_accelerator_takes_all_it_can_and_does_not_wait_for_ever() {
        let (entrance, exit) = queue(16, Policy { max_batch: 4, sharers: 1, max_wait: Duration::from_millis(1) });
        let _answers = fill(&entrance, 6).await;
        assert_eq!([taken(&exit).0, taken(&exit).0], [4, 2]);
    }

    #[tokio::test]
    async fn those_that_nobody_waits_for_are_skipped() {
        let (entrance, exit) = queue(16, Policy { max_batch: 4, sharers: 1, max_wait: Duration::ZERO });
        let mut answers = fill(&entrance, 5).await;
        drop(answers.drain(..3));
        assert_eq!(taken(&exit), (2, 3));
    }

    #[tokio::test]
    async fn a_full_queue_makes_the_next_one_wait() {
        let (entrance, exit) = queue(2, Policy { max_batch: 1, sharers: 1, max_wait: Duration::ZERO });
        let _answers = fill(&entrance, 2).await;
        let flow = flow();
        let mut third = std::pin::pin!(entrance.place(&flow));
        assert!(futures::poll!(third.as_mut()).is_pending());
        assert_eq!(taken(&exit).0, 1);
        drop(third.await);
    }

    #[tokio::test]
    async fn workers_end_when_the_entrance_is_gone() {
        let (entrance, exit) = queue(2, Policy { max_batch: 1, sharers: 1, max_wait: Duration::ZERO });
        let answers = fill(&entrance, 1).await;
        drop((entrance, answers));
        assert!(!exit.take(&mut Vec::new(), &mut 0));
    }
}
