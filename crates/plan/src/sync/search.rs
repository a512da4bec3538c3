//! The number of steps of the slowest worker.

/// Every number up to this one is tried; beyond, rounding down to whole steps loses less than a part in four thousand.
const EACH: u32 = 4096;

/// What a number of steps comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trial {
    /// Whether it is enough.
    pub(super) suffices: bool,
    /// Steps a second of all workers.
    pub(super) steps_per_second: f64,
}

/// The smallest number from 1 to `most` that suffices; where none does, the one of the most steps a second, of several
/// the smallest.
///
/// Utilisation over the number of steps is no straight way up, because a fast worker's steps are rounded down: each
/// number up to 4,096 is tried in turn. From there on it is one within a part in four thousand: the number is doubled
/// until one suffices, and halved in. That is at most some 4,200 trials, of one division a worker.
pub(super) fn search(most: u32, trial: impl Fn(u32) -> Trial) -> u32 {
    let (mut best, mut fastest, mut failed) = (1, f64::NEG_INFINITY, 0);
    for steps in trials(most) {
        let Trial { suffices, steps_per_second } = trial(steps);
        if suffices {
            return if steps <= EACH { steps } else { bisect(failed, steps, |steps| trial(steps).suffices) };
        }
        if steps_per_second > fastest {
            (best, fastest) = (steps, steps_per_second);
        }
        failed = steps;
    }
    best
}

/// Each number, then doubled ones; the last is `most`.
fn trials(most: u32) -> impl Iterator<Item = u32> {
    let doubled = std::iter::successors(Some(EACH), |steps| steps.checked_mul(2)).skip(1).filter(move |s| *s < most);
    let last = (most > EACH).then_some(most);
    (1..=most.clamp(1, EACH)).chain(doubled).chain(last)
}

fn bisect(mut failed: u32, mut enough: u32, suffices: impl Fn(u32) -> bool) -> u32 {
    while enough - failed > 1 {
        let middle = failed.midpoint(enough);
        if suffices(middle) { enough = middle } else { failed = middle }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(least: u32) -> impl Fn(u32) -> Trial {
        move |steps| Trial { suffices: steps >= least, steps_per_second: f64::from(steps.min(700)) }
    }

    #[test]
    fn the_smallest_that_suffices_is_found_wherever_it_is() {
        for least in [1, 2, 4095, 4096, 4097, 8192, 1_000_003, u32::MAX] {
            assert_eq!(search(u32::MAX, from(least)), least);
        }
    }

    #[test]
    fn where_none_suffices_the_fastest_is_taken_and_the_smallest_of_several() {
        assert_eq!((search(500, from(501)), search(1, from(2)), search(100_000, from(100_001))), (500, 1, 700));
    }

    #[test]
    fn the_most_is_tried_and_nothing_beyond() {
        for most in [1, 2, 4096, 4097, 8192, 10_000] {
            assert_eq!(trials(most).max(), Some(most));
        }
    }
}
