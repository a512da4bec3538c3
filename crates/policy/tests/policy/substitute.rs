//! What is substituted, over whole epochs: whatever is cached, and wherever an epoch is resumed.

use headwater_policy::substitute::Substitution;
use proptest::prelude::*;

/// What stands in each place of a share from `begin` on, in parts of so many places.
fn run(low: &[bool], used: &[bool], cached: &[bool], part: usize) -> Vec<Option<u32>> {
    let mut share = Substitution::new(low, used);
    let mut chosen = Vec::new();
    while chosen.len() < low.len() {
        let (begin, end) = (chosen.len() as u32, (chosen.len() + part).min(low.len()) as u32);
        let asked = share.asks(begin..end);
        // What was not asked is not known.
        let is_cached = |place: u32| asked.binary_search(&place).is_ok() && cached[place as usize];
        chosen.extend((begin..end).map(|place| share.choose(place, is_cached)));
    }
    chosen
}

fn used(chosen: &[Option<u32>], length: usize) -> Vec<bool> {
    let mut used = vec![false; length];
    chosen.iter().flatten().for_each(|place| used[*place as usize] = true);
    used
}

proptest! {
    /// Nothing of high importance, nothing twice, nothing that is not cached, nothing that is behind; and all that
    /// stands in its own place is cached, of high importance, or had no substitute.
    #[test]
    fn only_what_is_low_and_cached_stands_in_the_place_of_what_is_low_and_absent(
        share in prop::collection::vec((any::<bool>(), any::<bool>()), 0..200), part in 1_usize..50,
    ) {
        let (low, cached): (Vec<_>, Vec<_>) = share.into_iter().unzip();
        let chosen = run(&low, &[], &cached, part);
        let mut seen = vec![false; low.len()];
        for (place, chosen) in chosen.iter().enumerate() {
            if let Some(other) = chosen {
                let other = *other as usize;
                prop_assert!(low[place] && !cached[place] && low[other] && cached[other] && other > place);
                prop_assert!(!std::mem::replace(&mut seen[other], true));
            } else {
                let ahead = (place + 1..low.len()).any(|other| low[other] && cached[other] && !seen[other]);
                prop_assert!(!low[place] || cached[place] || !ahead);
            }
        }
    }

    /// What is chosen does not depend on how many places are chosen at a time, nor on where an epoch was resumed.
    #[test]
    fn an_epoch_that_is_resumed_goes_on_as_it_would_have(
        share in prop::collection::vec((any::<bool>(), any::<bool>()), 1..200),
        (part, cut) in (1_usize..50, 0_usize..200),
    ) {
        let (low, cached): (Vec<_>, Vec<_>) = share.into_iter().unzip();
        let (whole, cut) = (run(&low, &[], &cached, 1), cut.min(low.len()));
        prop_assert_eq!(&run(&low, &[], &cached, part), &whole);
        let used = used(&whole[..cut], low.len());
        let rest = run(&low[cut..], &used[cut..], &cached[cut..], part);
        let shifted: Vec<_> = rest.iter().map(|place| place.map(|place| place + cut as u32)).collect();
        prop_assert_eq!(&shifted[..], &whole[cut..]);
    }
}
