//! How well a head does on features that it is shown.

use headwater_types::ClassId;
use ndarray::{ArrayRef1, Axis, Slice};

use crate::error::LearnError;
use crate::features::FeatureSet;
use crate::head::Head;
use crate::parameters::Parameters;
use crate::softmax::cross_entropy;

/// A head's result on a set of at least one feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Share of features whose class has the largest logit, 0 to 1.
    pub top1: f64,
    /// Share of features whose class is among the five largest logits.
    pub top5: f64,
    /// Number of features.
    pub count: usize,
    /// The results for each class, in order of class.
    pub classes: Vec<ClassMetrics>,
}

/// A head's result on one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassMetrics {
    /// Features of this class.
    pub count: usize,
    /// Features of this class that the head took for it.
    pub correct: usize,
}

/// How weights did on some features: counts and sums, which add up over several sets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Features.
    pub samples: u64,
    /// Those whose class has the largest logit.
    pub correct: u64,
    /// Sum of their cross-entropies, in nats.
    pub loss: f64,
}

/// Rows that are evaluated at once: enough for the matrix product, little memory.
const ROWS_AT_ONCE: usize = 1024;

// === impl Head ===

impl Head {
    /// The class with the largest logit, for features f32 `[n, dim]` row by row; the first of equals.
    pub fn predict(&self, features: &[f32]) -> Result<Vec<ClassId>, LearnError> {
        let logits = self.logits(features)?;
        Ok(logits.chunks_exact(self.classes()).map(|row| ClassId(largest(row) as u32)).collect())
    }

    /// The head's result on these features; `None` where there are none. A tie counts against the head.
    pub fn evaluate(&self, set: &FeatureSet) -> Result<Option<Metrics>, LearnError> {
        self.evaluate_first(set, None)
    }

    /// The head's result on the first of these features, at most so many; `None` where there are none.
    pub fn evaluate_first(&self, set: &FeatureSet, most: Option<u64>) -> Result<Option<Metrics>, LearnError> {
        self.check(set)?;
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let count = set.len().min(most);
        if count == 0 {
            return Ok(None);
        }
        let network = self.folded();
        let (mut loss, mut top5) = (0.0, 0_usize);
        let mut classes = vec![ClassMetrics::default(); set.classes()];
        let (rows, labels) = (set.view(), &set.labels()[..count]);
        let rows = rows.slice_axis(Axis(0), Slice::from(..count));
        for (rows, labels) in rows.axis_chunks_iter(Axis(0), ROWS_AT_ONCE).zip(labels.chunks(ROWS_AT_ONCE)) {
            for (logits, label) in network.logits(&rows).rows().into_iter().zip(labels) {
                loss += cross_entropy(&logits, *label);
                let rank = rank(&logits, *label);
                let class = &mut classes[label.0 as usize];
                class.count += 1;
                class.correct += usize::from(rank == 0);
                top5 += usize::from(rank < 5);
            }
        }
        let correct = classes.iter().map(|class| class.correct).sum::<usize>();
        let share = |part: usize| part as f64 / count as f64;
        Ok(Some(Metrics { loss: loss / count as f64, top1: share(correct), top5: share(top5), count, classes }))
    }

    /// How the head would do with these weights on the first of these features, at most so many.
    ///
    /// # Errors
    /// Weights or features of another head.
    pub fn score(&self, weights: &Parameters, set: &FeatureSet, most: Option<u64>) -> Result<Score, LearnError> {
        let mut head = self.clone();
        head.set_parameters(weights)?;
        let Some(metrics) = head.evaluate_first(set, most)? else { return Ok(Score::default()) };
        let correct = metrics.classes.iter().map(|class| class.correct as u64).sum();
        Ok(Score { samples: metrics.count as u64, correct, loss: metrics.loss * metrics.count as f64 })
    }

    /// Whether a set is one of this head's features and classes.
    pub(crate) fn check(&self, set: &FeatureSet) -> Result<(), LearnError> {
        if set.dim() != self.dim() {
            return Err(LearnError::Dimension { expected: self.dim(), actual: set.dim() });
        }
        if set.classes() != self.classes() {
            return Err(LearnError::Classes { expected: self.classes(), actual: set.classes() });
        }
        Ok(())
    }
}

/// How many other classes have a logit at least as large.
fn rank(logits: &ArrayRef1<f32>, label: ClassId) -> usize {
    let own = logits[label.0 as usize];
    logits.iter().filter(|&&logit| logit >= own).count().saturating_sub(1)
}

fn largest(logits: &[f32]) -> usize {
    let better = |best: usize, (index, &logit): (usize, &f32)| if logit > logits[best] { index } else { best };
    logits.iter().enumerate().fold(0, better)
}

#[cfg(test)]
mod tests {
    use headwater_types::Seed;

    use super::*;
    use crate::head::HeadKind;

    /// A head whose logits are its features.
    fn identity(classes: usize) -> Head {
        let mut head = Head::new(HeadKind::Softmax, classes, classes, Seed(0)).unwrap();
        head.network_mut().layers[0].weight.diag_mut().fill(1.0);
        head
    }

    #[test]
    fn metrics_count_what_the_logits_say() {
        let mut set = FeatureSet::new(6, 6);
        for (feature, label) in [
            ([9.0, 5.0, 4.0, 3.0, 2.0, 1.0], 0),
            ([9.0, 5.0, 4.0, 3.0, 2.0, 1.0], 4),
            ([9.0, 5.0, 4.0, 3.0, 2.0, 1.0], 5),
            ([0.0, 7.0, 0.0, 0.0, 0.0, 0.0], 1),
        ] {
            set.push(&feature, ClassId(label)).unwrap();
        }
        let metrics = identity(6).evaluate(&set).unwrap().unwrap();
        assert_eq!((metrics.top1, metrics.top5, metrics.count), (0.5, 0.75, 4));
        let counts: Vec<_> = metrics.classes.iter().map(|class| (class.correct, class.count)).collect();
        assert_eq!(counts, [(1, 1), (1, 1), (0, 0), (0, 0), (0, 1), (0, 1)]);
        let features = set.view();
        let losses = features.rows().into_iter().zip(set.labels()).map(|(row, label)| cross_entropy(&row, *label));
        assert!((metrics.loss - losses.sum::<f64>() / 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_head_that_knows_nothing_gets_no_credit() {
        let head = Head::new(HeadKind::Softmax, 2, 3, Seed(0)).unwrap();
        let mut set = FeatureSet::new(2, 3);
        assert_eq!(head.evaluate(&set).unwrap(), None);
        set.push(&[1.0, 2.0], ClassId(0)).unwrap();
        let metrics = head.evaluate(&set).unwrap().unwrap();
        assert_eq!(metrics.top1, 0.0);
        assert!((metrics.loss - 3_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn a_prediction_is_the_largest_logit_and_the_first_of_equals() {
        let rows = [1.0, 3.0, 2.0, 5.0, 5.0, 0.0];
        assert_eq!(identity(3).predict(&rows).unwrap(), [ClassId(1), ClassId(0)]);
        assert!(identity(3).predict(&rows[..4]).is_err());
        assert_eq!(largest(&[0.0]), 0);
    }

    #[test]
    fn sets_of_another_model_are_refused() {
        let head = identity(3);
        assert_eq!(head.evaluate(&FeatureSet::new(2, 3)), Err(LearnError::Dimension { expected: 3, actual: 2 }));
        assert_eq!(head.evaluate(&FeatureSet::new(3, 2)), Err(LearnError::Classes { expected: 3, actual: 2 }));
    }
}
