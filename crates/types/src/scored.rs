//! A class, and how sure a model is of it.

use std::cmp::Ordering;

use crate::ids::ClassId;

/// A class that a model gave to a sample, and its score.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scored {
    /// The class.
    pub class: ClassId,
    /// The model's probability of the class, from 0 to 1.
    pub score: f32,
}

// === impl Scored ===

impl Scored {
    /// Which of two is the better label: the one of the higher score, and of equal scores the one of the lower class.
    pub fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.class.cmp(&other.class))
    }

    /// The best classes of these scores, which stand in the order of the classes: at most so many, the best first.
    pub fn best(scores: &[f32], most: usize) -> Vec<Self> {
        let mut best: Vec<Self> = Vec::with_capacity(most + 1);
        for (class, score) in (0..).map(ClassId).zip(scores) {
            let scored = Self { class, score: *score };
            if best.len() == most && best.last().is_none_or(|last| scored.order(last) != Ordering::Less) {
                continue;
            }
            let place = best.partition_point(|other| other.order(&scored) == Ordering::Less);
            best.insert(place, scored);
            best.truncate(most);
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_of_equal_scores_the_lower_class() {
        let best = |scores: &[f32], most| -> Vec<u32> {
            Scored::best(scores, most).iter().map(|scored| scored.class.0).collect()
        };
        assert_eq!(best(&[0.1, 0.4, 0.1, 0.4], 3), [1, 3, 0]);
        assert_eq!(best(&[0.5, 0.2, 0.3], 9), [0, 2, 1]);
        assert_eq!(best(&[0.5, 0.2], 0), [0; 0]);
        assert_eq!(best(&[], 2), [0; 0]);
    }
}
