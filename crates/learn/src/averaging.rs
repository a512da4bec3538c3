//! One set of weights out of those of several workers, which did different numbers of steps on different data.

use std::iter::zip;

use crate::parameters::Parameters;

/// What each worker's way counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Averaging {
    /// By its share of all features, each way divided by the worker's own steps, and the whole multiplied by the mean
    /// number of steps (FedNova: Wang et al., NeurIPS 2020). A worker that does more steps pulls no harder towards its
    /// own data. No way is made longer than the typical one is: where one worker takes a hundred steps and another
    /// takes one, that one step would else be taken for a hundred straight ones, and throw the weights off.
    Normalized,
    /// By the features that it has trained on in the round (FedAvg: McMahan et al. 2017; ESync). Where data differ, the
    /// average leans to the data of those that are fast.
    Samples,
    /// All alike.
    Uniform,
}

/// What one worker brings to a round.
#[derive(Clone, Copy, Debug)]
pub struct Contribution<'c> {
    /// The way from the weights that it was given to those that it sends.
    pub way: &'c Parameters,
    /// Steps that it did.
    pub steps: u32,
    /// Features that it trained on in these.
    pub samples: u64,
    /// Features that it has.
    pub holds: u64,
}

/// The way that the weights of all are to go. `momentum` is that of the local steps, which makes each step longer than
/// one. Sums are in f64 and in the order of the contributions, so that the same ones give the same bits. Without a
/// contribution nothing moves.
pub fn average(contributions: &[Contribution<'_>], averaging: Averaging, momentum: f32) -> Parameters {
    let Some(first) = contributions.first() else { return Parameters::new(Vec::new()) };
    let mut sums = vec![0.0_f64; first.way.len()];
    for (contribution, weight) in zip(contributions, weights(contributions, averaging, momentum)) {
        zip(&mut sums, contribution.way.values()).for_each(|(sum, &value)| *sum += weight * f64::from(value));
    }
    Parameters::new(sums.into_iter().map(|sum| sum as f32).collect())
}

/// By what each way is multiplied.
fn weights(contributions: &[Contribution<'_>], averaging: Averaging, momentum: f32) -> Vec<f64> {
    let shares = |amount: fn(&Contribution<'_>) -> u64| -> Vec<f64> {
        let all: u64 = contributions.iter().map(amount).sum();
        contributions.iter().map(|contribution| amount(contribution) as f64 / all.max(1) as f64).collect()
    };
    match averaging {
        Averaging::Uniform => shares(|_| 1),
        Averaging::Samples => shares(|contribution| contribution.samples),
        Averaging::Normalized => {
            let lengths = contributions.iter().map(|contribution| effective_steps(contribution.steps, momentum));
            let lengths: Vec<f64> = lengths.collect();
            let shares = shares(|contribution| contribution.holds);
            let mean: f64 = zip(&shares, &lengths).map(|(share, length)| share * length).sum();
            let norms: Vec<f64> = contributions.iter().map(|contribution| contribution.way.norm()).collect();
            let typical = median(&norms);
            let stretch =
                |length: f64, norm: f64| (mean / length).min((typical / norm.max(f64::MIN_POSITIVE)).max(1.0));
            let each = zip(shares, zip(lengths, norms));
            each.map(|(share, (length, norm))| share * stretch(length, norm)).collect()
        }
    }
}

/// The middle, or the mean of the two that are.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or_default();
    (at(sorted.len().saturating_sub(1) / 2) + at(sorted.len() / 2)) / 2.0
}

/// How many gradients a way is the sum of, where each step keeps `momentum` of the one before: the j-th of `steps`
/// gradients goes on in all steps behind it, which makes `(1 - m^(steps - j + 1)) / (1 - m)` of it.
pub(crate) fn effective_steps(steps: u32, momentum: f32) -> f64 {
    let (steps, momentum) = (f64::from(steps.max(1)), f64::from(momentum));
    (steps - momentum * (1.0 - momentum.powf(steps)) / (1.0 - momentum)) / (1.0 - momentum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fast worker with few features, and a slow one with many.
    fn two(ways: &[Parameters; 2]) -> [Contribution<'_>; 2] {
        [
            Contribution { way: &ways[0], steps: 8, samples: 512, holds: 100 },
            Contribution { way: &ways[1], steps: 2, samples: 128, holds: 300 },
        ]
    }

    fn ways() -> [Parameters; 2] {
        [Parameters::new(vec![8.0, 0.0]), Parameters::new(vec![0.0, 2.0])]
    }

    #[test]
    fn each_rule_is_what_its_formula_says() {
        let ways = ways();
        let averaged = |averaging| average(&two(&ways), averaging, 0.0).values().to_vec();
        assert_eq!(averaged(Averaging::Uniform), [4.0, 1.0]);
        assert_eq!(averaged(Averaging::Samples), [0.8 * 8.0, 0.2 * 2.0]);
        // One step of each counts a quarter and three quarters; the mean number of steps is 8 / 4 + 2 * 3 / 4.
        assert_eq!(averaged(Averaging::Normalized), [0.25 * 3.5, 0.75 * 3.5]);
        assert!(average(&[], Averaging::Samples, 0.0).is_empty());
    }

    #[test]
    fn equal_workers_average_to_the_mean_by_every_rule() {
        let ways = ways();
        let equal = two(&ways).map(|one| Contribution { steps: 5, samples: 320, holds: 100, ..one });
        for averaging in [Averaging::Uniform, Averaging::Samples, Averaging::Normalized] {
            assert_eq!(average(&equal, averaging, 0.9).values(), [4.0, 1.0], "{averaging:?}");
        }
    }

    #[test]
    fn one_step_is_not_taken_for_a_hundred() {
        let ways = [vec![10.0, 0.0], vec![10.0, 0.0], vec![0.0, 1.0]].map(Parameters::new);
        let steps = [100, 100, 1];
        let one = |(way, steps)| Contribution { way, steps, samples: 1, holds: 100 };
        let contributions: Vec<_> = zip(&ways, steps).map(one).collect();
        let averaged = average(&contributions, Averaging::Normalized, 0.0);
        // FedNova would make 67 of the one step; the typical way is 10 long.
        assert!((averaged.values()[1] - 10.0 / 3.0).abs() < 1e-5, "{averaged:?}");
        assert!((averaged.values()[0] - 2.0 * 0.67 * 10.0 / 3.0).abs() < 1e-5, "{averaged:?}");
    }

    #[test]
    fn momentum_makes_steps_longer() {
        assert_eq!(effective_steps(7, 0.0), 7.0);
        // 1 + 0.5 + 0.25, 1 + 0.5, 1.
        assert!((effective_steps(3, 0.5) - 4.25).abs() < 1e-12);
    }
}
