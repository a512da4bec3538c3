//! What is asked of a run's labels: how many of each class, which are of one, which are uncertain.

use std::cmp::Ordering;

use headwater_types::ClassId;

use super::Standing;

/// In which order samples of a class come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The highest score first; of one score in the order of the listing.
    ByScore,
    /// In the order of the listing.
    BySample,
}

impl Standing {
    /// How many samples are of each class by their best label, of those whose score is at least this. It ends with the
    /// largest class that there is.
    pub fn counts(&self, min_score: f32) -> Vec<u64> {
        let mut counts = Vec::new();
        for (_, class, _) in self.best().filter(|(_, _, score)| *score >= min_score) {
            let class = class as usize;
            if class >= counts.len() {
                counts.resize(class + 1, 0);
            }
            counts[class] += 1;
        }
        counts
    }

    /// The first samples that are of a class by their best label, of those whose score is at least this.
    pub fn of_class(&self, class: ClassId, min_score: f32, order: Order, limit: usize) -> Vec<u64> {
        let of_class = self.best().filter(|(_, best, score)| *best == class.0 && *score >= min_score);
        match order {
            Order::BySample => of_class.map(|(sample, ..)| sample).take(limit).collect(),
            Order::ByScore => first(of_class, limit, |one, other| other.total_cmp(&one)),
        }
    }

    /// The samples of the lowest best scores, the lowest first; of one score in the order of the listing.
    pub fn uncertain(&self, limit: usize) -> Vec<u64> {
        first(self.best(), limit, |one, other| one.total_cmp(&other))
    }
}

/// The first samples by score, then by index.
fn first(
    samples: impl Iterator<Item = (u64, u32, f32)>,
    limit: usize,
    order: impl Fn(f32, f32) -> Ordering,
) -> Vec<u64> {
    let mut scored: Vec<(f32, u64)> = samples.map(|(sample, _, score)| (score, sample)).collect();
    let by = |one: &(f32, u64), other: &(f32, u64)| order(one.0, other.0).then(one.1.cmp(&other.1));
    if limit < scored.len() {
        scored.select_nth_unstable_by(limit, by);
        scored.truncate(limit);
    }
    scored.sort_unstable_by(by);
    scored.into_iter().map(|(_, sample)| sample).collect()
}
