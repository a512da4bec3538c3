//! Which samples are measured: spread over servers and sizes, so that few stand for all.

use crate::order::Random;

/// An order of these samples of which every beginning is spread evenly through them: sorted by server and size, a
/// beginning of any length has of each server and of each size about its share. So each way can be measured on as many
/// as it takes, the same ones first.
///
/// It is van der Corput's sequence (1935), begun at random: 1/2, 1/4, 3/4, 1/8 and so on, of the whole.
pub(crate) fn spread(sorted: &[usize], random: &mut Random) -> Vec<usize> {
    let count = sorted.len();
    let begin = random.below(count as u64) as usize;
    let bits = count.next_power_of_two().trailing_zeros();
    let reversed = |number: usize| if bits == 0 { 0 } else { number.reverse_bits() >> (usize::BITS - bits) };
    let places = (0..1_usize << bits).map(reversed).filter(|&place| place < count);
    places.map(|place| sorted[(place + begin) % count]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_is_spread_and_the_whole_has_each_sample_once() {
        let sorted: Vec<_> = (0..1000).rev().collect();
        let order = spread(&sorted, &mut Random::new(7));
        for length in [20, 33, 100, 399, 777] {
            for tenth in 0..10 {
                let there = order[..length].iter().filter(|&&place| place / 100 == tenth).count();
                let share = length / 10;
                assert!(there.abs_diff(share) <= 2 + share / 5, "{there} of {length} in {tenth}");
            }
        }
        let mut all = order;
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1000));
        for few in 0..4 {
            assert_eq!(spread(&sorted[..few], &mut Random::new(1)).len(), few);
        }
    }
}
