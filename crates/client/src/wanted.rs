//! Samples that are still to come, as they are asked for.

use headwater_types::{Address, Way};
use headwater_wire::{Epochs, Samples, Ways as AskedWays};
use tokio::time::Instant;

/// A sample that is still to come.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The sample's place in the request, from 0.
    pub(crate) position: u64,
    /// The sample's index in the server's partition.
    pub(crate) local: u64,
    /// The way that the sample travels.
    pub(crate) way: Way,
    /// The address of the sample's randomness.
    pub(crate) address: Address,
    /// How often the sample came as a failure that may pass.
    pub(crate) failures: u32,
    /// When the sample first came as a failure that may pass; `None` while it has not.
    pub(crate) failing_since: Option<Instant>,
}

/// What a call asks of a server for these samples.
pub(crate) fn as_asked<'a>(wanted: impl Iterator<Item = &'a Wanted> + Clone) -> (Samples, AskedWays, Epochs) {
    let locals: Vec<u64> = wanted.clone().map(|wanted| wanted.local).collect();
    let first = locals.first().copied().unwrap_or(0);
    let consecutive = (first..).zip(&locals).all(|(expected, &local)| local == expected);
    let samples = if consecutive { Samples::Range { first, count: locals.len() } } else { Samples::List(locals) };
    let ways = AskedWays::of(wanted.clone().map(|wanted| wanted.way).collect());
    (samples, ways, Epochs::of(wanted.map(|wanted| wanted.address.epoch).collect()))
}
