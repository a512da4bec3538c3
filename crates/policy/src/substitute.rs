//! Which sample stands in the place of another that is not cached: substitution (iCache, HPCA'23), made honest.
//!
//! ```text
//! place:   0  1  2  3  4  5  6  7  8        . of high importance, or of none that is known
//!          .  l  .  l  .  l  l  .  l        l of low importance
//!             └───── absent ──▶ the first that is cached of 6 8 3 5: from the middle of what is ahead, around
//! ```
//!
//! A sample of low importance that is not cached is left out, and another of low importance is given in its place. That
//! one is cached, stands further ahead in the same share of the epoch, and comes at its own place too. So no sample is
//! given more than twice in an epoch: once at its own place and once in another's. No sample is used twice, of high
//! importance none is left out or used, and where no substitute is found, the sample comes itself.
//!
//! Substitutes are looked for from the middle of what is ahead, so that both times lie far apart. They are never
//! behind: so what will be chosen depends only on what is left, on which of it was used, and on what is cached. An
//! epoch is resumed from the first two.

use std::ops::Range;

/// Samples that are looked at for one that stands in another's place. More find one where little is cached; they are
/// asked for in one request, of some bytes each.
const REACH: usize = 4096;

/// The places of one share of an epoch, of which nobody else takes any.
#[derive(Clone, Debug)]
pub struct Substitution {
    /// Those of low importance, in order.
    low: Vec<u32>,
    /// Whether each of these was used in another's place.
    used: Vec<bool>,
    reach: usize,
}

// === impl Substitution ===

impl Substitution {
    /// A share: which of its places are of low importance, and which were used before.
    pub fn new(low: &[bool], used: &[bool]) -> Self {
        let is_used = |place: usize| used.get(place).copied().unwrap_or_default();
        let places = || low.iter().enumerate().filter(|(_, low)| **low).map(|(place, _)| place);
        Self {
            used: places().map(is_used).collect(),
            low: places().map(|place| u32::try_from(place).unwrap_or(u32::MAX)).collect(),
            reach: REACH,
        }
    }

    /// The places of which must be known whether they are cached, to choose for these: those of low importance among
    /// them, and what may stand in their place. In order.
    pub fn asks(&self, places: Range<u32>) -> Vec<u32> {
        let here = self.at(places.start)..self.at(places.end);
        let mut asked = vec![false; self.low.len()];
        for number in here {
            asked[number] = true;
            self.ahead(number).for_each(|other| asked[other] = true);
        }
        asked.iter().zip(&self.low).filter(|(asked, _)| **asked).map(|(_, place)| *place).collect()
    }

    /// What stands in this place: `None` where its own sample comes. Of what is used nothing is chosen again.
    pub fn choose(&mut self, place: u32, is_cached: impl Fn(u32) -> bool) -> Option<u32> {
        let number = self.low.binary_search(&place).ok().filter(|_| !is_cached(place))?;
        let found = self.ahead(number).find(|other| is_cached(self.low[*other]))?;
        self.used[found] = true;
        Some(self.low[found])
    }

    /// Those that are not used and may stand in the place of this one, in the order in which they are taken.
    fn ahead(&self, number: usize) -> impl Iterator<Item = usize> + use<'_> {
        let first = number + 1;
        let middle = first + self.low.len().saturating_sub(first) / 2;
        let around = (middle..self.low.len()).chain(first..middle).take(self.reach);
        around.filter(|other| !self.used[*other])
    }

    /// The number of the first one at this place or behind it.
    fn at(&self, place: u32) -> usize {
        self.low.partition_point(|low| *low < place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: [bool; 9] = [false, true, false, true, false, true, true, false, true];

    #[test]
    fn the_first_that_is_cached_is_taken_from_the_middle_of_what_is_ahead() {
        let mut share = Substitution::new(&LOW, &[false; 9]);
        assert_eq!(share.asks(0..1), Vec::<u32>::new());
        assert_eq!(share.asks(1..2), [1, 3, 5, 6, 8]);
        // Of 6, 8, 3, 5.
        let cached = |place: u32| [3, 8, 2].contains(&place);
        assert_eq!(share.choose(0, cached), None, "of high importance");
        assert_eq!(share.choose(1, cached), Some(8));
        assert_eq!(share.choose(3, cached), None, "it is cached");
        assert_eq!(share.choose(5, cached), None, "8 is used, 3 is behind");
        assert_eq!(share.asks(5..7), [5, 6]);
    }

    #[test]
    fn what_was_used_before_is_not_used_again() {
        let mut used = [false; 9];
        used[8] = true;
        let mut share = Substitution::new(&LOW, &used);
        assert_eq!(
            [1, 3, 5, 6, 8].map(|place| share.choose(place, |place| place != 1)),
            [Some(6), None, None, None, None]
        );
        assert_eq!([3, 5, 6, 8].map(|place| share.choose(place, |place| place == 6)), [None; 4]);
    }

    #[test]
    fn no_more_than_what_is_within_reach_is_looked_at() {
        let mut share = Substitution { reach: 2, ..Substitution::new(&LOW, &[]) };
        assert_eq!(share.asks(1..2), [1, 6, 8]);
        assert_eq!(share.choose(1, |place| place == 3), None);
    }
}
