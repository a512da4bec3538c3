//! The samples of a call that tell most: the slowest, and the first that failed.

use std::time::{Duration, Instant};

use headwater_pipeline::{Mark, Prepared};
use headwater_spans::Span;
use headwater_types::SampleIndex;

/// How many of the slowest are kept,
const SLOWEST: usize = 4;
/// and how many of those that failed.
const FAILED: usize = 2;

/// The samples of a call that have spans of their own.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The slowest first.
    slowest: Vec<Told>,
    failed: Vec<Told>,
}

#[derive(Debug)]
struct Told {
    index: SampleIndex,
    key: Option<String>,
    marks: Vec<Mark>,
    stored: u64,
    payload: usize,
    failure: Option<String>,
}

// === impl Telling ===

impl Telling {
    /// Keeps a sample, where it tells more than another.
    pub(super) fn hear(&mut self, sample: &Prepared) {
        let Some(took) = span_of(&sample.marks).map(|(began, ended)| ended - began) else { return };
        if sample.outcome.is_err() && self.failed.len() < FAILED {
            self.failed.push(Told::new(sample));
            return;
        }
        let place = self.slowest.partition_point(|told| told.took() >= took);
        if place < SLOWEST {
            self.slowest.insert(place, Told::new(sample));
            self.slowest.truncate(SLOWEST);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slowest.len() + self.failed.len()
    }

    /// Makes a span of each, within that of the call.
    pub(super) fn tell(self, call: &Span) {
        self.slowest.into_iter().chain(self.failed).for_each(|told| told.tell(call));
    }
}

// === impl Told ===

impl Told {
    fn new(sample: &Prepared) -> Self {
        let payload = sample.outcome.as_ref().map_or(0, |finished| finished.parts.bytes.len());
        Self {
            index: sample.index,
            key: sample.key.as_ref().map(|key| key.as_str().to_owned()),
            marks: sample.marks.clone(),
            stored: sample.stored.get(),
            payload,
            failure: sample.outcome.as_ref().err().map(ToString::to_string),
        }
    }

    fn took(&self) -> Duration {
        span_of(&self.marks).map(|(began, ended)| ended - began).unwrap_or_default()
    }

    fn tell(self, call: &Span) {
        let Self { index, key, marks, stored, payload, failure } = self;
        let Some(times) = span_of(&marks) else { return };
        let mut sample = call.past("sample", times);
        sample.set("headwater.index", index.0);
        sample.set("headwater.kept", stored == 0);
        sample.set("headwater.stored_bytes", stored);
        sample.set("headwater.payload_bytes", payload);
        if let Some(key) = key {
            sample.set("headwater.key", key);
        }
        if let Some(failure) = failure {
            sample.fail(failure);
        }
        for Mark { stage, began, ended } in marks {
            drop(sample.past(stage.as_str(), (began, ended)));
        }
    }
}

/// From the first of what was noted of a sample to the last; `None` where nothing was.
fn span_of(marks: &[Mark]) -> Option<(Instant, Instant)> {
    let began = marks.iter().map(|mark| mark.began).min()?;
    let ended = marks.iter().map(|mark| mark.ended).max()?;
    Some((began, ended))
}

#[cfg(test)]
mod tests {
    use headwater_pipeline::Stage;
    use headwater_types::{FailureKind, SampleFailure};

    use super::*;

    fn sample(index: u64, milliseconds: u64) -> Prepared {
        let began = Instant::now();
        let failure = SampleFailure::new(FailureKind::Io, "gone");
        let mark = Mark { stage: Stage::Fetch, began, ended: began + Duration::from_millis(milliseconds) };
        Prepared { marks: vec![mark], ..Prepared::failed(SampleIndex(index), failure) }
    }

    #[test]
    fn of_a_thousand_samples_the_slowest_are_told_and_the_first_that_failed() {
        let mut telling = Telling::default();
        for index in 0..1000 {
            // Each another time, in no order.
            telling.hear(&sample(index, 1 + index * 77 % 1000));
        }
        let indices = |told: &[Told]| told.iter().map(|told| told.index.0).collect::<Vec<_>>();
        assert_eq!(indices(&telling.failed), [0, 1]);
        let mut times: Vec<_> = (2..1000).map(|index| (1 + index * 77 % 1000, index)).collect();
        times.sort_unstable_by(|one, other| other.cmp(one));
        let slowest: Vec<_> = times.iter().take(SLOWEST).map(|(_, index)| *index).collect();
        assert_eq!(indices(&telling.slowest), slowest);
        assert_eq!(telling.len(), SLOWEST + FAILED);
    }
}
