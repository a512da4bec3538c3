//! Which samples are measured: spread over servers and sizes, so that few stand for all.

use crate::order::Random;

/// Takes `count` of the samples at these places, evenly through their order, beginning at random: systematic sampling. Sorted by
/// size, that takes of each size its share. Places that are `taken` already are passed over.
pub(crate) fn spread(sorted: &[usize], taken: &[bool], count: usize, random: &mut Random) -> Vec<usize> {
    let free: Vec<_> = sorted.iter().copied().filter(|&place| !taken[place]).collect();
    let count = count.min(free.len());
    if count == 0 {
        return Vec::new();
    }
    let step = free.len() as f64 / count as f64;
    let begin = random.below(1 << 32) as f64 / (1_u64 << 32) as f64 * step;
    let at = |number: usize| ((begin + number as f64 * step) as usize).min(free.len() - 1);
    let mut picked: Vec<_> = (0..count).map(|number| free[at(number)]).collect();
    picked.dedup();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pick_is_spread_has_no_sample_twice_and_none_that_was_taken() {
        let sorted: Vec<_> = (0..1000).rev().collect();
        let mut taken = vec![false; 1000];
        let mut random = Random::new(7);
        let first = spread(&sorted, &taken, 100, &mut random);
        assert_eq!(first.len(), 100);
        for tenth in 0..10 {
            let there = first.iter().filter(|&&place| place / 100 == tenth).count();
            assert!((9..=11).contains(&there), "{there} in {tenth}");
        }
        first.iter().for_each(|&place| taken[place] = true);
        let second = spread(&sorted, &taken, 10_000, &mut random);
        assert_eq!(second.len(), 900);
        assert!(second.iter().all(|place| !first.contains(place)));
        assert!(spread(&[], &[], 5, &mut random).is_empty());
    }
}
