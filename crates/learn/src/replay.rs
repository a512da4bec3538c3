//! Features of all runs so far, within a bound on memory.
//!
//! While everything fits, everything is kept. Past that, memory is a class-balanced reservoir: Chrysakis and Moens,
//! "Online continual learning from imbalanced data", ICML 2020, algorithm 1. Classes that are small keep all they have,
//! and each of the others an equal number, drawn uniformly from all that it has shown, so that the first run counts as
//! much as the last. A plain reservoir would all but lose a rare class; a window over the last features, all the
//! earlier runs.
//!
//! Invariant: never more features than fit the bound (while they arrive, their buffer grows by doubling: what it
//! reserves ahead is not touched); the same features in the same order, with the same seed, leave the same memory.

use headwater_types::{ByteCount, ClassId, Seed};
use ndarray::ArrayView1;

use crate::error::LearnError;
use crate::features::FeatureSet;
use crate::moments::Moments;
use crate::random::{Generator, Purpose};

/// A bounded [`FeatureSet`], with the [`Moments`] of all that was ever pushed.
pub struct Replay {
    set: FeatureSet,
    moments: Moments,
    capacity: usize,
    classes: Vec<Class>,
    generator: Generator,
}

/// What is known of one class.
#[derive(Clone, Debug, Default)]
struct Class {
    /// The positions of the class' features in the set.
    kept: Vec<usize>,
    /// The number of the class' features so far, kept or not.
    seen: u64,
    /// Whether the class was ever a largest one of a full memory: from then on it has its share.
    has_share: bool,
}

// === impl Replay ===

impl Replay {
    /// An empty memory of at most `limit` bytes for features of `dim` numbers in `classes` classes.
    pub fn new(dim: usize, classes: usize, limit: ByteCount, seed: Seed) -> Result<Self, LearnError> {
        // A feature, and its place in its class.
        let one = FeatureSet::bytes_of_one(dim).saturating_add(size_of::<usize>());
        let capacity = limit.as_usize() / one;
        if capacity < classes.max(1) {
            let needed = ByteCount::from(one.saturating_mul(classes.max(1)));
            return Err(LearnError::ReplayMemory { limit, needed });
        }
        Ok(Self {
            set: FeatureSet::new(dim, classes),
            moments: Moments::new(dim),
            capacity,
            classes: vec![Class::default(); classes],
            generator: Generator::new(Purpose::Replay, seed, 0),
        })
    }

    /// What is kept, to train on.
    pub fn set(&self) -> &FeatureSet {
        &self.set
    }

    /// The moments of all that was pushed, kept or not.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Most features that are kept.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Number of features that were pushed, kept or not.
    pub fn seen(&self) -> u64 {
        self.moments.count()
    }

    /// Takes a feature, in place of another where memory is full. A feature that is refused changes nothing.
    pub fn push(&mut self, feature: &[f32], label: ClassId) -> Result<(), LearnError> {
        self.set.check(feature, label)?;
        self.moments.add(feature);
        let class = label.0 as usize;
        self.classes[class].seen += 1;
        if self.set.len() < self.capacity {
            self.classes[class].kept.push(self.set.len());
            return self.set.push(feature, label);
        }
        if let Some(place) = self.make_place(class) {
            self.set.replace(place, &ArrayView1::from(feature), label);
            self.classes[class].kept.push(place);
        }
        Ok(())
    }

    /// Takes over another memory: the result is as if both had been filled as one. For features that were gathered
    /// beside a training on the earlier ones.
    ///
    /// Each class keeps a uniform sample of what it has shown in both: as many of each side as a draw without
    /// replacement from the two populations gives, as far as they were kept.
    pub fn absorb(&mut self, other: &Self) -> Result<(), LearnError> {
        if other.set.dim() != self.set.dim() {
            return Err(LearnError::Dimension { expected: self.set.dim(), actual: other.set.dim() });
        }
        if other.classes.len() != self.classes.len() {
            return Err(LearnError::Classes { expected: self.classes.len(), actual: other.classes.len() });
        }
        self.moments.merge(&other.moments);
        let shares = self.shares(other);
        let (mut free, mut arriving) = (Vec::new(), Vec::new());
        for ((ours, theirs), share) in self.classes.iter_mut().zip(&other.classes).zip(shares) {
            let mut candidates = theirs.kept.clone();
            let taken = divide(share, [ours, theirs], &mut self.generator);
            ours.has_share |= theirs.has_share || share < ours.kept.len() + candidates.len();
            ours.seen += theirs.seen;
            draw_out(&mut ours.kept, share - taken, &mut free, &mut self.generator);
            draw_out(&mut candidates, taken, &mut Vec::new(), &mut self.generator);
            arriving.extend(candidates);
        }
        for index in arriving {
            let label = other.set.labels()[index];
            let place = free.pop().unwrap_or(self.set.len());
            if place < self.set.len() {
                self.set.replace(place, &other.set.row(index), label);
            } else {
                self.set.append(&other.set.row(index), label)?;
            }
            self.classes[label.0 as usize].kept.push(place);
        }
        Ok(())
    }

    /// Makes place for a feature of this class in a full memory, or says that the feature is to be dropped.
    fn make_place(&mut self, class: usize) -> Option<usize> {
        if self.classes[class].has_share {
            let Class { kept, seen, .. } = &mut self.classes[class];
            let stays = self.generator.unit() * *seen as f64 <= kept.len() as f64;
            return stays.then(|| kept.swap_remove(self.generator.below(kept.len())));
        }
        let largest = self.classes.iter().map(|class| class.kept.len()).max()?;
        let mut victim = None;
        for (index, class) in self.classes.iter_mut().enumerate().filter(|(_, class)| class.kept.len() == largest) {
            class.has_share = true;
            victim = Some(index);
        }
        if self.classes[class].has_share {
            return self.make_place(class);
        }
        let kept = &mut self.classes[victim?].kept;
        Some(kept.swap_remove(self.generator.below(kept.len())))
    }

    /// How many features each class keeps of what two memories hold of it: all of the small ones, and as near to equal
    /// numbers of the others as the capacity allows.
    fn shares(&self, other: &Self) -> Vec<usize> {
        let held = self.classes.iter().zip(&other.classes).map(|(a, b)| a.kept.len() + b.kept.len());
        let mut shares: Vec<usize> = held.collect();
        let mut smallest_first: Vec<usize> = (0..shares.len()).collect();
        smallest_first.sort_by_key(|&class| shares[class]);
        let mut places = self.capacity;
        for (done, class) in smallest_first.into_iter().enumerate() {
            shares[class] = shares[class].min(places / (shares.len() - done));
            places -= shares[class];
        }
        shares
    }
}

/// How many of `share` features are taken from the second of two strata, by drawing without replacement from what both
/// have shown; a stratum that keeps too few gives what it has.
fn divide(share: usize, [ours, theirs]: [&Class; 2], generator: &mut Generator) -> usize {
    let (mut ours_left, mut theirs_left) = (ours.seen as f64, theirs.seen as f64);
    let mut taken = 0;
    for drawn in 0..share {
        let from_theirs = generator.unit() * (ours_left + theirs_left) < theirs_left;
        if (from_theirs && taken < theirs.kept.len()) || drawn - taken == ours.kept.len() {
            taken += 1;
            theirs_left -= 1.0;
        } else {
            ours_left -= 1.0;
        }
    }
    taken
}

/// Draws elements from `from` into `out` until `left` are left.
fn draw_out(from: &mut Vec<usize>, left: usize, out: &mut Vec<usize>, generator: &mut Generator) {
    while from.len() > left {
        out.push(from.swap_remove(generator.below(from.len())));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Memory for `capacity` features of one number, which is the feature's place in the stream.
    fn memory(capacity: usize, classes: usize, seed: u64) -> Replay {
        let one = FeatureSet::bytes_of_one(1) + size_of::<usize>();
        Replay::new(1, classes, ByteCount::from(capacity * one), Seed(seed)).unwrap()
    }

    fn fill(replay: &mut Replay, labels: impl IntoIterator<Item = u32>, from: usize) {
        for (index, label) in (from..).zip(labels) {
            replay.push(&[index as f32], ClassId(label)).unwrap();
        }
    }

    fn counts(replay: &Replay) -> Vec<usize> {
        let mut counts = vec![0; replay.set().classes()];
        replay.set().labels().iter().for_each(|label| counts[label.0 as usize] += 1);
        counts
    }

    fn values(replay: &Replay) -> Vec<usize> {
        let mut values: Vec<usize> = replay.set().view().iter().map(|&value| value as usize).collect();
        values.sort_unstable();
        values
    }

    /// Every class knows where its features are.
    fn is_consistent(replay: &Replay) -> bool {
        let mut places: Vec<usize> = replay.classes.iter().flat_map(|class| class.kept.clone()).collect();
        places.sort_unstable();
        let right = |(label, class): (usize, &Class)| {
            class.kept.iter().all(|&place| replay.set().labels()[place].0 as usize == label)
        };
        places == (0..replay.set().len()).collect::<Vec<_>>() && replay.classes.iter().enumerate().all(right)
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_features_keep_their_labels(
            labels in prop::collection::vec(0_u32..5, 0..200), more in prop::collection::vec(0_u32..5, 0..200),
            capacity in 5_usize..60, other_capacity in 5_usize..60, seed: u64,
        ) {
            let all: Vec<u32> = labels.iter().chain(&more).copied().collect();
            let mut replay = memory(capacity, 5, seed);
            fill(&mut replay, labels.iter().copied(), 0);
            prop_assert!(is_consistent(&replay));
            prop_assert_eq!(replay.set().len(), labels.len().min(capacity));
            let mut beside = memory(other_capacity, 5, !seed);
            fill(&mut beside, more.iter().copied(), labels.len());
            let held = replay.set().len() + beside.set().len();
            replay.absorb(&beside).unwrap();
            prop_assert!(is_consistent(&replay));
            prop_assert_eq!(replay.set().len(), held.min(capacity));
            prop_assert_eq!(replay.seen(), all.len() as u64);
            for (value, label) in replay.set().view().iter().zip(replay.set().labels()) {
                prop_assert_eq!(all[*value as usize], label.0);
            }
            let mut distinct = values(&replay);
            distinct.dedup();
            prop_assert_eq!(distinct.len(), held.min(capacity));
            // It goes on as a memory that has seen all that.
            fill(&mut replay, more.iter().copied(), 0);
            prop_assert!(is_consistent(&replay));
        }
    }

    #[test]
    fn what_fits_is_kept_in_order() {
        let mut replay = memory(100, 3, 1);
        fill(&mut replay, (0..60).map(|index| index % 3), 0);
        let mut beside = memory(100, 3, 2);
        fill(&mut beside, (0..40).map(|index| index % 2), 60);
        replay.absorb(&beside).unwrap();
        assert_eq!(values(&replay), (0..100).collect::<Vec<_>>());
        assert_eq!(replay.moments().count(), 100);
        assert!((replay.moments().mean()[0] - 49.5).abs() < 1e-9);
    }

    #[test]
    fn rare_classes_keep_all_and_the_others_equal_shares() {
        let mut replay = memory(100, 4, 1);
        // 10 of class 3 early in a stream of 2,000 of the others, in unequal parts.
        fill(
            &mut replay,
            (0..2_010).map(|index| if index % 7 == 0 && index < 70 { 3 } else { [0, 0, 0, 1, 2][index % 5] }),
            0,
        );
        assert_eq!(counts(&replay), [30, 30, 30, 10]);
    }

    #[test]
    fn earlier_runs_stay_represented() {
        // Four runs of 1,000, of the same classes: each is a quarter of what is kept, pushed or absorbed.
        let mut by_run = [[0_usize; 4]; 2];
        for seed in 0..40 {
            let mut pushed = memory(100, 2, seed);
            let mut absorbed = memory(100, 2, seed);
            for run in 0..4 {
                let mut beside = memory(60, 2, seed + 100 * (run as u64 + 1));
                fill(&mut pushed, (0..1_000).map(|index| index % 2), run * 1_000);
                fill(&mut beside, (0..1_000).map(|index| index % 2), run * 1_000);
                absorbed.absorb(&beside).unwrap();
            }
            for (replay, by_run) in [&pushed, &absorbed].into_iter().zip(&mut by_run) {
                assert_eq!(counts(replay), [50, 50]);
                values(replay).iter().for_each(|value| by_run[value / 1_000] += 1);
            }
        }
        // 4,000 kept in all; five standard deviations of a binomial are 137.
        assert!(by_run.iter().flatten().all(|&count| count.abs_diff(1_000) < 137), "{by_run:?}");
    }

    #[test]
    fn memory_for_less_than_one_of_each_class_is_refused() {
        let refused = Replay::new(1000, 10, ByteCount::new(39_000), Seed(0));
        assert!(matches!(refused, Err(LearnError::ReplayMemory { needed, .. }) if needed.get() == 40_120));
        assert!(memory(5, 5, 0).absorb(&memory(5, 4, 0)).is_err());
        let mut replay = memory(5, 5, 0);
        assert!(replay.push(&[f32::NAN], ClassId(0)).is_err() && replay.push(&[0.0], ClassId(5)).is_err());
        assert_eq!((replay.seen(), replay.set().len()), (0, 0));
    }
}
