//! Where a sample's time went.

use std::time::{Duration, Instant};

use headwater_types::CpuSeconds;

/// Wall time of each stage of one sample; zero for a stage that it did not go through.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageTimes {
    /// Waiting: for memory, for a CPU worker, for a place in a batch.
    pub queue: Duration,
    /// Reading from the store.
    pub fetch: Duration,
    /// Encoded bytes to RGB.
    pub decode: Duration,
    /// Crop, resize, flip, to-tensor, normalise.
    pub transform: Duration,
    /// The model's run, of the whole batch in which the sample was.
    pub infer: Duration,
    /// CPU time of the CPU workers and of the model's workers, beside the wall times; `None` unless it was asked for.
    pub cpu: Option<CpuSeconds>,
}

/// A stage of a sample's way: the fields of [`StageTimes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting.
    Queue,
    /// Reading.
    Fetch,
    /// Decoding.
    Decode,
    /// Running the recipe.
    Transform,
    /// Running the model.
    Infer,
}

/// When a sample was in a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// The stage.
    pub stage: Stage,
    /// When it began,
    pub began: Instant,
    /// and when it ended.
    pub ended: Instant,
}

/// The times of a sample on its way; and where they lay, where somebody follows the sample.
#[derive(Debug)]
pub(crate) struct Track {
    times: StageTimes,
    marks: Option<Vec<Mark>>,
}

/// Most marks of a sample: no way has more than half of it.
const MOST_MARKS: usize = 16;
/// What takes less is marked nowhere: a wait that was none is no span that anybody looks for.
const LEAST_MARK: Duration = Duration::from_micros(1);

// === impl StageTimes ===

impl StageTimes {
    fn of(&mut self, stage: Stage) -> &mut Duration {
        match stage {
            Stage::Queue => &mut self.queue,
            Stage::Fetch => &mut self.fetch,
            Stage::Decode => &mut self.decode,
            Stage::Transform => &mut self.transform,
            Stage::Infer => &mut self.infer,
        }
    }
}

// === impl Stage ===

impl Stage {
    /// The stage's name, as metrics have it too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Fetch => "fetch",
            Self::Decode => "decode",
            Self::Transform => "transform",
            Self::Infer => "infer",
        }
    }
}

// === impl Track ===

impl Track {
    /// The times of a sample at the start of its way.
    pub(crate) fn new(measure_cpu: bool) -> Self {
        // A sample that no worker touches took none of their time, which is not the same as an unknown time.
        let times = StageTimes { cpu: measure_cpu.then(CpuSeconds::default), ..StageTimes::default() };
        Self { times, marks: None }
    }

    /// From now on it is noted where the times lie.
    pub(crate) fn follow(&mut self) {
        self.marks = Some(Vec::new());
    }

    /// Forgets the times so far, and not where they lay.
    pub(crate) fn start_again(&mut self, measure_cpu: bool) {
        self.times = Self::new(measure_cpu).times;
    }

    /// Adds the time that this takes, unless it fails.
    ///
    /// # Errors
    /// Those of the work.
    pub(crate) async fn during<T, E>(
        &mut self,
        stage: Stage,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let value = work.await;
        match &value {
            Ok(_) => self.since(stage, began),
            Err(_) => self.mark(stage, (began, Instant::now())),
        }
        value
    }

    /// Adds the time since this moment.
    pub(crate) fn since(&mut self, stage: Stage, began: Instant) {
        let ended = Instant::now();
        *self.times.of(stage) += ended.saturating_duration_since(began);
        self.mark(stage, (began, ended));
    }

    /// Adds times that were measured elsewhere, one after the other, of which the last has just ended.
    pub(crate) fn add<const N: usize>(&mut self, stages: [(Stage, Duration); N]) {
        let total = stages.iter().map(|(_, took)| *took).sum();
        let now = Instant::now();
        let mut began = now.checked_sub(total).unwrap_or(now);
        for (stage, took) in stages {
            *self.times.of(stage) += took;
            self.mark(stage, (began, began + took));
            began += took;
        }
    }

    /// Adds CPU time, where it was measured.
    pub(crate) fn add_cpu(&mut self, more: Option<CpuSeconds>) {
        if let Some(CpuSeconds(more)) = more {
            self.times.cpu = Some(CpuSeconds(more + self.times.cpu.unwrap_or_default().0));
        }
    }

    /// What it took to make what there is of what was read.
    pub(crate) fn made(&self) -> Duration {
        self.times.decode + self.times.transform + self.times.infer
    }

    /// The times, and where they lay.
    pub(crate) fn end(self) -> (StageTimes, Vec<Mark>) {
        (self.times, self.marks.unwrap_or_default())
    }

    fn mark(&mut self, stage: Stage, (began, ended): (Instant, Instant)) {
        if let Some(marks) = &mut self.marks
            && marks.len() < MOST_MARKS
            && ended.saturating_duration_since(began) >= LEAST_MARK
        {
            marks.push(Mark { stage, began, ended });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stage_counts_only_what_succeeds_and_what_fails_is_marked() {
        let wait = Duration::from_millis(1);
        let ends = |outcome: Result<u8, u8>| async move {
            tokio::time::sleep(wait).await;
            outcome
        };
        let mut track = Track::new(false);
        track.follow();
        assert_eq!((track.during(Stage::Fetch, ends(Err(1))).await, track.times.fetch), (Err(1), Duration::ZERO));
        assert_eq!(track.during(Stage::Fetch, ends(Ok(2))).await, Ok(2));
        let (times, marks) = track.end();
        assert!(times.fetch >= wait && times.cpu.is_none());
        assert!(marks.len() == 2 && marks[0].ended <= marks[1].began, "{marks:?}");
    }

    #[test]
    fn what_was_measured_elsewhere_lies_one_after_the_other() {
        let (mut track, second) = (Track::new(true), Duration::from_secs(1));
        track.follow();
        track.add([(Stage::Queue, second), (Stage::Decode, 2 * second), (Stage::Transform, Duration::ZERO)]);
        assert_eq!(track.made(), 2 * second);
        let (times, marks) = track.end();
        assert_eq!((times.queue, times.decode, times.cpu), (second, 2 * second, Some(CpuSeconds::default())));
        let [queue, decode] = marks[..] else { panic!("nothing that took no time: {marks:?}") };
        assert_eq!((queue.stage, decode.stage, queue.ended), (Stage::Queue, Stage::Decode, decode.began));
        let mut unfollowed = Track::new(false);
        unfollowed.add([(Stage::Infer, second)]);
        assert!(unfollowed.end().1.is_empty());
    }
}
