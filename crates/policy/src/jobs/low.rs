//! Which samples are of low importance to one job: a bit for each.

use super::losses::Losses;

/// The samples of the lowest losses, as they were when this was made.
#[derive(Clone, Debug)]
pub struct Low {
    bits: Box<[u64]>,
}

// === impl Low ===

impl Low {
    /// This share of the samples of which a loss is known, rounded down: those of the lowest losses, and of equal ones
    /// the first.
    pub fn of(losses: &Losses, share: f64) -> Self {
        let mut known: Vec<(f32, u64)> = losses.all().collect();
        let count = ((known.len() as f64 * share) as usize).min(known.len());
        if count > 0 && count < known.len() {
            known.select_nth_unstable_by(count, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        }
        let mut bits = vec![0_u64; usize::try_from(losses.len().div_ceil(64)).unwrap_or_default()].into_boxed_slice();
        for &(_, sample) in known.iter().take(count) {
            if let Some(word) = usize::try_from(sample / 64).ok().and_then(|word| bits.get_mut(word)) {
                *word |= 1 << (sample % 64);
            }
        }
        Self { bits }
    }

    /// Whether a sample is one of them.
    pub fn has(&self, sample: u64) -> bool {
        let word = usize::try_from(sample / 64).ok().and_then(|word| self.bits.get(word));
        word.is_some_and(|word| word >> (sample % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn low(losses: &[Option<f32>], share: f64) -> Vec<u64> {
        let mut kept = Losses::none(losses.len() as u64);
        for (sample, loss) in (0..).zip(losses) {
            loss.iter().for_each(|loss| assert!(kept.keep(sample, *loss)));
        }
        let low = Low::of(&kept, share);
        (0..losses.len() as u64 + 70).filter(|sample| low.has(*sample)).collect()
    }

    #[test]
    fn the_lowest_of_those_that_are_known_count_and_no_others() {
        let losses = [Some(4.0), None, Some(1.0), Some(3.0), None, Some(2.0), Some(1.0)];
        assert_eq!(low(&losses, 0.2), [2]);
        assert_eq!(low(&losses, 0.5), [2, 6]);
        assert_eq!(low(&losses, 0.79), [2, 5, 6]);
        assert_eq!(low(&losses, 1.0), [0, 2, 3, 5, 6]);
        assert_eq!((low(&losses, 0.19), low(&[None; 3], 0.5), low(&[], 0.5)), (vec![], vec![], vec![]));
    }
}
