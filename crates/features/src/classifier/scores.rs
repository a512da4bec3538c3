//! The output in which a model gives its scores, and the best of them.

use headwater_onnx::ModelFacts;
use headwater_onnx::head::{LOGITS, PROBS};
use headwater_types::failure::check_scores;
use headwater_types::{SampleFailure, Scored};

/// The best classes of a sample, or why there is none.
pub type Labels = Result<Vec<Scored>, SampleFailure>;

/// An output of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScoresOutput {
    /// Probabilities, which sum up to 1.
    Probs,
    /// What probabilities are made of, by the softmax.
    Logits,
}

/// The output of a model that has its scores: `probs`, or else `logits`.
pub(super) fn choose(facts: &ModelFacts) -> Option<ScoresOutput> {
    let has = |output: &ScoresOutput| facts.outputs.iter().any(|given| given.name == output.name());
    [ScoresOutput::Probs, ScoresOutput::Logits].into_iter().find(has)
}

// === impl ScoresOutput ===

impl ScoresOutput {
    /// The output of this name, if it is one of scores.
    pub(super) fn named(name: &str) -> Option<Self> {
        [Self::Probs, Self::Logits].into_iter().find(|output| output.name() == name)
    }

    /// What the output is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Probs => PROBS,
            Self::Logits => LOGITS,
        }
    }

    /// The best classes of each row of so many values; of a row whose scores are not finite, that it has none.
    pub(super) fn best(self, rows: &[f32], classes: usize, most: usize) -> Vec<Labels> {
        let best = |scores: &[f32]| check_scores(scores).map(|()| Scored::best(scores, most));
        let of_row = |row: &[f32]| match self {
            Self::Probs => best(row),
            Self::Logits => best(&softmax(row)),
        };
        rows.chunks_exact(classes.max(1)).map(of_row).collect()
    }
}

/// Probabilities that sum up to 1. The largest value is taken off all, so that none is too large for its exponential.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|exponential| exponential / sum).collect()
}

#[cfg(test)]
mod tests {
    use headwater_types::{ClassId, FailureKind};

    use super::*;

    #[test]
    fn logits_become_probabilities_however_large_they_are() {
        let best = ScoresOutput::Logits.best(&[1000.0, 1000.0, 0.0, 3.0, 1.0, 3.0], 3, 2);
        let third = 1.0 / (2.0 + (-2.0_f32).exp());
        for (best, expected) in best.iter().zip([[(0, 0.5), (1, 0.5)], [(0, third), (2, third)]]) {
            let close = |(scored, (class, score)): (&Scored, (u32, f32))| {
                scored.class == ClassId(class) && (scored.score - score).abs() <= f32::EPSILON
            };
            let best = best.as_ref().unwrap();
            assert!(best.len() == 2 && best.iter().zip(expected).all(close), "{best:?} {expected:?}");
        }
    }

    #[test]
    fn probabilities_are_taken_as_they_are() {
        let best = ScoresOutput::Probs.best(&[0.25, 0.75], 2, 1);
        assert_eq!(best, [Ok(vec![Scored { class: ClassId(1), score: 0.75 }])]);
    }

    #[test]
    fn scores_that_are_not_finite_are_a_failure_of_their_sample_alone() {
        for output in [ScoresOutput::Probs, ScoresOutput::Logits] {
            let best = output.best(&[0.5, 0.5, f32::NAN, 0.5, f32::INFINITY, 0.5, 0.25, 0.75], 2, 1);
            let kinds: Vec<_> = best.iter().map(|best| best.as_ref().map_err(|failure| failure.kind).err()).collect();
            assert_eq!(kinds, [None, Some(FailureKind::NotFinite), Some(FailureKind::NotFinite), None]);
        }
        // A class that is masked has the probability 0.
        let masked = ScoresOutput::Logits.best(&[f32::NEG_INFINITY, 1.0], 2, 2);
        assert_eq!(masked[0].as_ref().unwrap()[1], Scored { class: ClassId(0), score: 0.0 });
    }
}
