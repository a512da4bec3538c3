//! Samples arrive in any order; a part is in index order. An assembly puts each where it belongs, exactly once.

use std::ops::Range;

use headwater_types::{ClassId, SampleFailure, SampleIndex, SampleKey};

use super::part::{FailedSample, FeatureRow, Part};

/// A part that still waits for samples. It takes this much memory: `range x feature_len x 4` bytes and the keys.
#[derive(Debug)]
pub struct Assembly {
    range: Range<u64>,
    feature_len: usize,
    slots: Vec<Slot>,
    features: Vec<f32>,
    waiting: usize,
}

#[derive(Debug)]
enum Slot {
    Waiting,
    Filled(FeatureRow),
    Failed(FailedSample),
}

/// What was delivered is not what was asked for: a fault of the program, never of a photo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misdelivery {
    /// The sample is outside the range, or already there.
    #[error("sample {0} was delivered without being waited for: please report it")]
    Unexpected(SampleIndex),
    /// A feature came without the key of its sample.
    #[error("sample {0} was delivered without a key: please report it")]
    Keyless(SampleIndex),
    /// The feature has another length than the description of the model says.
    #[error("the feature of sample {index} has {actual} elements where the model's have {expected}")]
    Length {
        /// The sample.
        index: SampleIndex,
        /// Elements of the feature.
        actual: usize,
        /// Elements that the servers announced.
        expected: usize,
    },
}

// === impl Assembly ===

impl Assembly {
    /// A part that waits for every sample of a range.
    pub fn new(range: Range<u64>, feature_len: usize) -> Self {
        let samples = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let slots = std::iter::repeat_with(|| Slot::Waiting).take(samples).collect();
        Self { range, feature_len, slots, features: vec![0.0; samples.saturating_mul(feature_len)], waiting: samples }
    }

    /// A part that waits for the samples that it lacks, and once more for each failed sample of which `again` says so.
    pub fn reopen(part: &Part, feature_len: usize, again: impl Fn(&FailedSample) -> bool) -> Self {
        let mut assembly = Self::new(part.range.clone(), feature_len);
        for (index, row, feature) in part.iter(feature_len) {
            let at = (index.0 - part.range.start) as usize;
            assembly.slots[at] = Slot::Filled(row.clone());
            assembly.feature_mut(at).copy_from_slice(feature);
        }
        for failed in part.failed.iter().filter(|failed| !again(failed)) {
            assembly.slots[(failed.index.0 - part.range.start) as usize] = Slot::Failed(failed.clone());
        }
        assembly.waiting = assembly.slots.iter().filter(|slot| matches!(slot, Slot::Waiting)).count();
        assembly
    }

    /// Puts a feature in its place.
    ///
    /// # Errors
    /// [`Misdelivery`]: the sample is not waited for, or the feature has another length.
    pub fn fill(
        &mut self,
        index: SampleIndex,
        key: SampleKey,
        label: Option<ClassId>,
        feature: &[f32],
    ) -> Result<(), Misdelivery> {
        if feature.len() != self.feature_len {
            return Err(Misdelivery::Length { index, actual: feature.len(), expected: self.feature_len });
        }
        let at = self.claim(index)?;
        self.slots[at] = Slot::Filled(FeatureRow { key, label });
        self.feature_mut(at).copy_from_slice(feature);
        Ok(())
    }

    /// Notes that a sample has no feature, and why.
    ///
    /// # Errors
    /// [`Misdelivery::Unexpected`]: the sample is not waited for.
    pub fn fail(
        &mut self,
        index: SampleIndex,
        key: Option<&SampleKey>,
        failure: &SampleFailure,
    ) -> Result<(), Misdelivery> {
        let at = self.claim(index)?;
        self.slots[at] = Slot::Failed(FailedSample::new(index, key, failure));
        Ok(())
    }

    /// Whether every sample of the range has come.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0
    }

    /// The part as it is now. Samples that are still waited for are missing from it, and its footer says so.
    pub fn finish(mut self) -> Part {
        let (mut rows, mut failed, mut missing) = (Vec::with_capacity(self.slots.len()), Vec::new(), Vec::new());
        for (at, slot) in std::mem::take(&mut self.slots).into_iter().enumerate() {
            match slot {
                Slot::Filled(row) => {
                    let (from, to) = (at * self.feature_len, rows.len() * self.feature_len);
                    self.features.copy_within(from..from + self.feature_len, to);
                    rows.push(row);
                }
                Slot::Failed(failure) => failed.push(failure),
                Slot::Waiting => missing.push(SampleIndex(self.range.start + at as u64)),
            }
        }
        self.features.truncate(rows.len() * self.feature_len);
        Part { range: self.range, rows, features: self.features, failed, missing }
    }

    fn claim(&mut self, index: SampleIndex) -> Result<usize, Misdelivery> {
        let at = index.0.checked_sub(self.range.start).and_then(|at| usize::try_from(at).ok());
        let at = at.filter(|at| matches!(self.slots.get(*at), Some(Slot::Waiting)));
        let at = at.ok_or(Misdelivery::Unexpected(index))?;
        self.waiting -= 1;
        Ok(at)
    }

    fn feature_mut(&mut self, at: usize) -> &mut [f32] {
        &mut self.features[at * self.feature_len..][..self.feature_len]
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::FailureKind;
    use proptest::prelude::*;

    use super::*;

    fn key(index: u64) -> SampleKey {
        format!("{index}.jpg").parse().unwrap()
    }

    fn broken() -> SampleFailure {
        SampleFailure::new(FailureKind::Malformed, "broken")
    }

    proptest! {
        #[test]
        fn whatever_the_order_of_arrival_a_part_is_in_index_order(
            mut order in Just((10_u64..30).collect::<Vec<_>>()).prop_shuffle(),
            bad in proptest::collection::vec(any::<bool>(), 20),
        ) {
            let mut assembly = Assembly::new(10..30, 2);
            let last = order.pop().unwrap();
            for index in order.into_iter().chain([last]) {
                prop_assert!(!assembly.is_complete());
                let key = key(index);
                if bad[index as usize - 10] {
                    assembly.fail(SampleIndex(index), Some(&key), &broken()).unwrap();
                } else {
                    assembly.fill(SampleIndex(index), key, None, &[index as f32, 0.5]).unwrap();
                }
            }
            prop_assert!(assembly.is_complete());
            let part = assembly.finish();
            prop_assert!(part.is_consistent(2));
            let good: Vec<u64> = (10..30).filter(|i| !bad[*i as usize - 10]).collect();
            prop_assert_eq!(part.iter(2).map(|(index, ..)| index.0).collect::<Vec<_>>(), good);
            for (index, row, feature) in part.iter(2) {
                prop_assert_eq!((&row.key, feature), (&key(index.0), &[index.0 as f32, 0.5][..]));
            }
        }
    }

    #[test]
    fn a_sample_that_comes_twice_or_from_elsewhere_is_refused() {
        let mut assembly = Assembly::new(0..2, 1);
        assembly.fill(SampleIndex(1), key(1), None, &[1.0]).unwrap();
        for index in [1, 2].map(SampleIndex) {
            let refused = assembly.fill(index, key(1), None, &[2.0]);
            assert_eq!(refused, Err(Misdelivery::Unexpected(index)));
        }
        assert!(matches!(assembly.fill(SampleIndex(0), key(0), None, &[]), Err(Misdelivery::Length { .. })));
        assert!(!assembly.is_complete());
    }

    #[test]
    fn a_reopened_part_waits_only_for_what_is_worth_another_try() {
        let mut first = Assembly::new(4..8, 1);
        let gone = SampleFailure::new(FailureKind::Unavailable, "gone");
        first.fill(SampleIndex(4), key(4), Some(ClassId(1)), &[4.0]).unwrap();
        first.fail(SampleIndex(5), None, &gone).unwrap();
        first.fail(SampleIndex(6), Some(&key(6)), &broken()).unwrap();
        first.fill(SampleIndex(7), key(7), None, &[7.0]).unwrap();
        let part = first.finish();

        let mut again = Assembly::reopen(&part, 1, |failed| failed.kind.is_retryable());
        assert!(!again.is_complete());
        assert_eq!(again.fail(SampleIndex(6), None, &broken()), Err(Misdelivery::Unexpected(SampleIndex(6))));
        again.fill(SampleIndex(5), key(5), None, &[5.0]).unwrap();
        assert!(again.is_complete());
        let part = again.finish();
        assert_eq!(part.features, [4.0, 5.0, 7.0]);
        assert_eq!(part.failed.len(), 1);
    }

    #[test]
    fn what_had_not_come_when_it_was_finished_is_missing_and_is_waited_for_again() {
        let mut stopped = Assembly::new(4..8, 1);
        stopped.fill(SampleIndex(6), key(6), None, &[6.0]).unwrap();
        stopped.fail(SampleIndex(5), None, &broken()).unwrap();
        let part = stopped.finish();
        assert!(part.is_consistent(1));
        assert_eq!(part.missing, [4, 7].map(SampleIndex));
        assert_eq!(part.iter(1).map(|(index, _, feature)| (index.0, feature[0])).collect::<Vec<_>>(), [(6, 6.0)]);
        let mut on = Assembly::reopen(&part, 1, |_| false);
        for index in [7, 4] {
            assert!(!on.is_complete());
            on.fill(SampleIndex(index), key(index), None, &[index as f32]).unwrap();
        }
        assert!(on.is_complete());
        assert_eq!(on.finish().features, [4.0, 6.0, 7.0]);
    }
}
