//! Which one kind a sample is kept in, where the cache may choose.
//!
//! A sample may be kept in one of several kinds, each of which saves so many seconds at the next use and takes so many
//! bytes; all samples together have to fit. That is a multiple-choice knapsack. Its relaxation gives a byte a price
//! (the Lagrange multiplier of the size; Sinha and Zoltners, "The multiple-choice knapsack problem", Operations
//! Research 27, 1979): each sample takes the kind with the most seconds left once its bytes are paid. Where everything
//! fits the price is 0. At the price that just fits, samples of one size would all change kind at once: as large a
//! share of them is taken at the price just below as fills the cache.
//!
//! What is known of the samples is what was asked for lately: their stored bytes, of which everything else is a line.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use headwater_cache::KindName;

use super::costs::Offered;
use super::kinds::KindSet;

/// Prices by the kinds between which a request may choose.
#[derive(Debug, Default)]
pub(super) struct Prices(Mutex<HashMap<KindSet, Market>>);

/// What was asked for lately, and the price that came of it.
#[derive(Debug, Default)]
struct Market {
    /// Stored bytes of samples, the oldest of them at `next` once there are [`REMEMBERED`].
    sizes: Vec<u64>,
    next: usize,
    price: Price,
    /// Samples since the price was worked out.
    since: usize,
}

/// Two prices of a byte in seconds, and the share of samples for which the lower one holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Price {
    high: f64,
    low: f64,
    share_of_low: f64,
}

/// Sizes that are remembered: their mean is within 3 % of the samples' where those differ by half of it.
const REMEMBERED: usize = 512;
/// Samples after which the price is worked out anew.
const AGAIN: usize = 256;
/// Steps of halving the range of the price.
const STEPS: usize = 40;

/// A sample of a dataset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Its place among the samples.
    pub(super) place: u64,
    /// Its stored bytes.
    pub(super) stored: u64,
    /// How many samples there are.
    pub(super) samples: usize,
}

type Offers = [Option<Offered>; KindName::ALL.len()];

// === impl Prices ===

impl Prices {
    /// The kind for a sample, where all samples share so many bytes; `None` where there is none to choose. A kind that
    /// was never made is chosen first, to see what it costs.
    pub(super) fn choose(
        &self,
        may: KindSet,
        sample: Asked,
        size: u64,
        offered: impl Fn(u64) -> Offers,
    ) -> Option<KindName> {
        let offers = offered(sample.stored);
        let unknown = offers.iter().flatten().rfind(|offer| offer.seconds.is_none() || offer.bytes.is_none());
        if let Some(unknown) = unknown {
            return Some(unknown.kind);
        }
        if offers.iter().flatten().count() < 2 {
            return offers.iter().flatten().next().map(|offer| offer.kind);
        }
        let mut markets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let market = markets.entry(may).or_default();
        market.ask(sample.stored);
        if market.since >= AGAIN.min(market.sizes.len().div_ceil(2)) {
            let per_sample = size as f64 / sample.samples.max(1) as f64;
            market.price = solve(&market.sizes, per_sample, &offered);
            market.since = 0;
        }
        let price = market.price.of(sample.place);
        best(&offers, price).map(|(offer, _)| offer.kind)
    }
}

// === impl Market ===

impl Market {
    fn ask(&mut self, stored: u64) {
        self.since += 1;
        match self.sizes.get_mut(self.next) {
            Some(oldest) => *oldest = stored,
            None => self.sizes.push(stored),
        }
        self.next = (self.next + 1) % REMEMBERED;
    }
}

// === impl Price ===

impl Price {
    /// The price for the sample of a place: the same at every use, so that it stays in its kind.
    fn of(self, place: u64) -> f64 {
        // Fibonacci hashing (Knuth 6.4) spreads places that are close to each other.
        let spread = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        if (spread as f64 / (1_u64 << 53) as f64) < self.share_of_low { self.low } else { self.high }
    }
}

/// The offer with the most seconds left at this price, and these seconds.
fn best(offers: &Offers, price: f64) -> Option<(Offered, f64)> {
    let left = |offer: &Offered| offer.seconds.unwrap_or_default() - price * offer.bytes.unwrap_or_default();
    let offers = offers.iter().flatten().map(|offer| (*offer, left(offer)));
    // Of equals the first, which takes the least work to make.
    offers.reduce(|best, other| if other.1 > best.1 { other } else { best })
}

/// The price at which samples of these sizes take so many bytes each on average.
fn solve(sizes: &[u64], per_sample: f64, offered: &impl Fn(u64) -> Offers) -> Price {
    let all: Vec<_> = sizes.iter().map(|stored| offered(*stored)).collect();
    // Samples for which nothing is left are not kept.
    let taken = |price: f64| {
        let kept = all.iter().filter_map(|offers| best(offers, price).filter(|(_, left)| *left > 0.0));
        kept.map(|(offer, _)| offer.bytes.unwrap_or_default()).sum::<f64>() / all.len().max(1) as f64
    };
    if taken(0.0) <= per_sample {
        return Price::default();
    }
    let density = |offer: &Offered| offer.seconds.unwrap_or_default() / offer.bytes.unwrap_or_default().max(1.0);
    let (mut low, mut high) = (0.0, all.iter().flatten().flatten().map(density).fold(0.0, f64::max));
    for _ in 0..STEPS {
        let middle = 0.5 * (low + high);
        *(if taken(middle) <= per_sample { &mut high } else { &mut low }) = middle;
    }
    let (most, least) = (taken(low), taken(high));
    let share_of_low = if most > least { ((per_sample - least) / (most - least)).clamp(0.0, 1.0) } else { 0.0 };
    Price { high, low, share_of_low }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored bytes take 5 ms to read and as much as they are; pixels take 25 ms to bring back, and twice the bytes.
    fn offered(stored: u64) -> Offers {
        let offer = |kind, seconds: f64, bytes: f64| {
            Some(Offered { kind, seconds: Some(seconds), bytes: Some(bytes * stored as f64) })
        };
        [offer(KindName::Encoded, 0.020, 1.0), None, offer(KindName::Resized, 0.025, 2.0), None]
    }

    /// How many of the last thousand samples are kept in each kind. They come shuffled, and differ in size by so much.
    fn shares(size: u64, spread: u64) -> [usize; 2] {
        let (prices, may) = (Prices::default(), [KindName::Encoded, KindName::Resized].into_iter().collect());
        let mut counts = [0; 2];
        for asked in 0..3000 {
            let place = asked * 619 % 1000;
            let sample = Asked { place, stored: 100_000 + spread * place, samples: 1000 };
            let kind = prices.choose(may, sample, size, offered);
            if asked >= 2000 {
                counts[usize::from(kind == Some(KindName::Resized))] += 1;
            }
        }
        counts
    }

    #[test]
    fn where_all_fits_the_most_seconds_win_and_where_little_does_the_most_seconds_a_byte() {
        assert_eq!(shares(1 << 40, 7), [0, 1000]);
        assert_eq!(shares(10_000_000, 7), [1000, 0]);
    }

    /// All fit as stored bytes, and half of them as pixels: whether they are of about one size or of just one.
    #[test]
    fn between_both_a_share_of_the_samples_fills_what_is_left() {
        for (spread, mean) in [(7, 103_500), (0, 100_000)] {
            let [encoded, resized] = shares(1000 * mean * 3 / 2, spread);
            assert!((400..600).contains(&encoded) && (400..600).contains(&resized), "{encoded} {resized}");
        }
    }

    #[test]
    fn what_was_never_made_is_made_first_and_an_only_kind_is_taken() {
        let (prices, may) = (Prices::default(), [KindName::Encoded].into_iter().collect());
        let sample = Asked { place: 0, stored: 10, samples: 10 };
        let unknown = |stored| {
            let mut offers = offered(stored);
            offers[2] = Some(Offered { kind: KindName::Resized, seconds: None, bytes: None });
            offers
        };
        assert_eq!(prices.choose(may, sample, 0, unknown), Some(KindName::Resized));
        let only = |stored| [offered(stored)[0], None, None, None];
        assert_eq!(prices.choose(may, sample, 0, only), Some(KindName::Encoded));
        assert_eq!(prices.choose(may, sample, 0, |_| [None; 4]), None);
    }
}
