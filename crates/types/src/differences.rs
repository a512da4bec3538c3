//! What differs between two generations of a dataset: which samples went, which came, and which are others.

use std::ops::Range;

/// Differences between an earlier and a later generation. All ranges are ascending, apart from each other and not
/// empty. Samples that are in both keep their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Samples that are gone: indices of the earlier generation.
    pub removed: Vec<Range<u64>>,
    /// Samples that are new: indices of the later generation.
    pub added: Vec<Range<u64>>,
    /// Samples whose object or label is another, under the same key: indices of the later generation.
    pub replaced: Vec<Range<u64>>,
}

/// Where samples of an earlier generation are in a later one.
#[derive(Clone, Debug)]
pub struct Mapping {
    removed: Vec<Range<u64>>,
    /// In step with the removed ranges: samples that stay before each, and samples that are gone up to its end.
    removed_up_to: Vec<(u64, u64)>,
    /// Of each added range: samples before it that stayed, and samples that were added up to its end.
    added: Vec<(u64, u64)>,
}

/// Why ranges are no differences.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DifferencesError {
    /// Ranges that are empty, overlap, touch or are not in order.
    #[error("its ranges are not in order, or one is empty")]
    Disordered,
    /// A range past the last sample.
    #[error("its ranges go past the last sample")]
    PastTheEnd,
    /// What stays of the earlier generation is not what the later one has beside what came.
    #[error("{0} samples stay of the earlier generation, and the later one has {1} beside the new ones")]
    Unequal(u64, u64),
}

// === impl Differences ===

impl Differences {
    /// Checks differences between generations of so many samples.
    ///
    /// # Errors
    /// Ranges that cannot be.
    pub fn check(&self, earlier: u64, later: u64) -> Result<(), DifferencesError> {
        for (ranges, samples) in [(&self.removed, earlier), (&self.added, later), (&self.replaced, later)] {
            let in_order = ranges.windows(2).all(|pair| pair[0].end < pair[1].start);
            if !in_order || ranges.iter().any(|range| range.is_empty()) {
                return Err(DifferencesError::Disordered);
            }
            if ranges.last().is_some_and(|range| range.end > samples) {
                return Err(DifferencesError::PastTheEnd);
            }
        }
        let (stay, old) = (earlier - count(&self.removed), later - count(&self.added));
        if stay == old { Ok(()) } else { Err(DifferencesError::Unequal(stay, old)) }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.replaced.is_empty()
    }

    /// What differs between the earlier generation and the one that `next` leads to. A sample that went and came again
    /// is both removed and added.
    pub fn then(&self, next: &Self) -> Self {
        let (on, before) = (next.mapping(), self.reversed().mapping());
        let is_new = |ranges: &[Range<u64>], index: u64| {
            let behind = ranges.partition_point(|range| range.end <= index);
            ranges.get(behind).is_some_and(|range| range.contains(&index))
        };
        let removed = each(&next.removed).filter(|index| !is_new(&self.added, *index));
        let removed = each(&self.removed).chain(removed.filter_map(|index| before.get(index)));
        let added = each(&next.added).chain(each(&self.added).filter_map(|index| on.get(index)));
        let added = in_ranges(added.collect());
        let replaced = each(&next.replaced).chain(each(&self.replaced).filter_map(|index| on.get(index)));
        let replaced = replaced.filter(|index| !is_new(&added, *index)).collect();
        Self { removed: in_ranges(removed.collect()), replaced: in_ranges(replaced), added }
    }

    /// The way back, where replaced samples do not count.
    fn reversed(&self) -> Self {
        Self { removed: self.added.clone(), added: self.removed.clone(), replaced: Vec::new() }
    }

    /// Where samples of the earlier generation are in the later one.
    pub fn mapping(&self) -> Mapping {
        let stays_before = |ranges: &[Range<u64>]| {
            let mut gone = 0;
            let before = ranges.iter().map(|range| {
                let before = range.start - gone;
                gone += range.end - range.start;
                (before, gone)
            });
            before.collect()
        };
        Mapping {
            removed: self.removed.clone(),
            removed_up_to: stays_before(&self.removed),
            added: stays_before(&self.added),
        }
    }
}

// === impl Mapping ===

impl Mapping {
    /// The index in the later generation of a sample of the earlier one; `None` for a sample that is gone.
    pub fn get(&self, earlier: u64) -> Option<u64> {
        let behind = self.removed.partition_point(|range| range.end <= earlier);
        if self.removed.get(behind).is_some_and(|range| range.contains(&earlier)) {
            return None;
        }
        let removed = behind.checked_sub(1).map_or(0, |last| self.removed_up_to[last].1);
        let place = earlier - removed;
        let behind = self.added.partition_point(|(before, _)| *before <= place);
        Some(place + behind.checked_sub(1).map_or(0, |last| self.added[last].1))
    }
}

/// Puts a sample at the end of ascending ranges: into the last one, where it follows on that.
pub fn push_index(ranges: &mut Vec<Range<u64>>, index: u64) {
    match ranges.last_mut() {
        Some(last) if last.end == index => last.end += 1,
        _ => ranges.push(index..index + 1),
    }
}

fn each(ranges: &[Range<u64>]) -> impl Iterator<Item = u64> + '_ {
    ranges.iter().cloned().flatten()
}

/// These indices, in whatever order, as ranges.
fn in_ranges(mut indices: Vec<u64>) -> Vec<Range<u64>> {
    indices.sort_unstable();
    indices.dedup();
    let mut ranges = Vec::new();
    indices.into_iter().for_each(|index| push_index(&mut ranges, index));
    ranges
}

/// How many samples ranges have.
pub fn count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The differences of two sorted lists of keys.
    fn between(earlier: &[u32], later: &[u32]) -> Differences {
        let mut differences = Differences::default();
        let gone = earlier.iter().enumerate().filter(|(_, key)| !later.contains(key));
        gone.for_each(|(index, _)| push_index(&mut differences.removed, index as u64));
        let came = later.iter().enumerate().filter(|(_, key)| !earlier.contains(key));
        came.for_each(|(index, _)| push_index(&mut differences.added, index as u64));
        differences
    }

    #[test]
    fn every_sample_that_stays_is_found_and_no_other() {
        // All pairs of subsets of eight keys.
        let subset = |bits: u32| (0..8).filter(|key| bits >> key & 1 == 1).collect::<Vec<u32>>();
        for (one, other) in (0..256).flat_map(|one| (0..256).map(move |other| (one, other))) {
            let (earlier, later) = (subset(one), subset(other));
            let differences = between(&earlier, &later);
            assert_eq!(differences.check(earlier.len() as u64, later.len() as u64), Ok(()));
            assert_eq!(differences.is_empty(), earlier == later);
            let mapping = differences.mapping();
            for (index, key) in earlier.iter().enumerate() {
                let expected = later.iter().position(|other| other == key).map(|place| place as u64);
                assert_eq!(mapping.get(index as u64), expected, "{earlier:?} {later:?} {index}");
            }
        }
    }

    #[test]
    fn one_step_after_the_other_leads_where_both_together_lead() {
        let subset = |bits: u32| (0..5).filter(|key| bits >> key & 1 == 1).collect::<Vec<u32>>();
        for bits in 0..32_768 {
            let [one, two, three] = [bits & 31, bits >> 5 & 31, bits >> 10].map(subset);
            let mut steps = [between(&one, &two), between(&two, &three)];
            // In each step the first sample that stays is another.
            let stays = |one: &[u32], two: &[u32]| two.iter().position(|key| one.contains(key));
            let [first, second] = [stays(&one, &two), stays(&two, &three)];
            first.into_iter().for_each(|at| push_index(&mut steps[0].replaced, at as u64));
            second.into_iter().for_each(|at| push_index(&mut steps[1].replaced, at as u64));
            let both = steps[0].then(&steps[1]);
            assert_eq!(both.check(one.len() as u64, three.len() as u64), Ok(()));
            let mapping = both.mapping();
            for (index, key) in one.iter().enumerate() {
                let place = two.contains(key).then(|| three.iter().position(|other| other == key)).flatten();
                assert_eq!(mapping.get(index as u64), place.map(|place| place as u64), "{one:?} {two:?} {three:?}");
                let is_other = first.is_some_and(|at| two[at] == *key) || second.is_some_and(|at| three[at] == *key);
                let is_told = |place: usize| both.replaced.iter().any(|range| range.contains(&(place as u64)));
                assert_eq!(place.is_some_and(is_told), place.is_some() && is_other, "{one:?} {two:?} {three:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let of = |removed: &[Range<u64>], added: &[Range<u64>]| Differences {
            removed: removed.to_vec(),
            added: added.to_vec(),
            replaced: Vec::new(),
        };
        #[expect(clippy::single_range_in_vec_init, reason = "lists of ranges that happen to have one")]
        let bad = [
            (of(&[1..1], &[]), DifferencesError::Disordered),
            (of(&[1..2, 2..3], &[]), DifferencesError::Disordered),
            (of(&[3..4, 0..1], &[]), DifferencesError::Disordered),
            (of(&[9..11], &[]), DifferencesError::PastTheEnd),
            (of(&[], &[0..1]), DifferencesError::Unequal(10, 9)),
        ];
        for (differences, error) in bad {
            assert_eq!(differences.check(10, 10), Err(error), "{differences:?}");
        }
    }
}
