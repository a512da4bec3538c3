//! What each sample of a dataset costs at each way: bytes, and CPU seconds on both sides.
//!
//! Invariant: way 0 is `encoded`, which takes no storage CPU, so that a dataset can be served from servers without a
//! core to spare; every number is finite and not negative; the servers' samples follow each other without a gap. A
//! [`ProfileBuilder`] sees to it, whoever fills it.
//!
//! Memory: 20 bytes for each sample and way, and what is known of samples beside: a million samples at eight ways take
//! 160 MB. Payloads are 32-bit numbers there (the largest is an eighth of what fits), while seconds are f64: SOPHON's
//! greedy must come out to the bit.

mod builder;
mod error;
mod facts;
mod server;

use headwater_types::digest::Digester;
use headwater_types::{Digest, Way};

pub use builder::ProfileBuilder;
pub use error::ProfileError;
pub use facts::SampleFacts;
pub use server::Server;

use crate::provenance::Provenance;
use facts::FactTable;

/// What one sample costs at one way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Bytes of the sample's payload.
    pub bytes: u64,
    /// CPU seconds of the server's cores (its CPU workers, and at `features` its inference workers) to make the
    /// payload.
    pub storage_seconds: f64,
    /// CPU seconds of the trainer to make of it what is wanted: the finished tensor, or features.
    pub trainer_seconds: f64,
}

/// A dataset's costs. A [`ProfileBuilder`] makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    provenance: Provenance,
    servers: Vec<Server>,
    ways: Vec<Way>,
    facts: FactTable,
    /// Bytes of payloads, `[samples, ways]`, row by row, as `storage` and `trainer` are.
    bytes: Vec<u32>,
    storage: Vec<f64>,
    trainer: Vec<f64>,
}

/// One sample's costs: each slice has one for each way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProfileRow<'a> {
    pub(crate) bytes: &'a [u32],
    pub(crate) storage: &'a [f64],
    pub(crate) trainer: &'a [f64],
    profile: &'a Profile,
}

// === impl Profile ===

impl Profile {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.ways.len()
    }

    /// Whether the profile has no samples.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Where the profile comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The servers, in the order of their samples.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The ways, in order; the first is [`Way::ENCODED`].
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// The position of this way among [`ways`](Self::ways).
    pub fn position(&self, way: Way) -> Option<usize> {
        self.ways.iter().position(|known| *known == way)
    }

    /// What sample `index` costs at the way at `position`; `None` past the end of either.
    pub fn cost(&self, index: usize, position: usize) -> Option<Cost> {
        (index < self.len() && position < self.ways.len()).then(|| {
            let row = self.row(index);
            Cost {
                bytes: row.bytes[position].into(),
                storage_seconds: row.storage[position],
                trainer_seconds: row.trainer[position],
            }
        })
    }

    /// What is known of sample `index` beside its costs; `None` past the end.
    pub fn facts(&self, index: usize) -> Option<SampleFacts<'_>> {
        (index < self.len()).then(|| self.facts.get(index))
    }

    /// The sample of this key.
    pub fn find(&self, key: &str) -> Option<usize> {
        (0..self.len()).find(|&index| self.facts.get(index).key == Some(key))
    }

    /// Which server has sample `index`: a position in [`servers`](Self::servers).
    pub fn server_of(&self, index: usize) -> Option<usize> {
        let server = self.servers.partition_point(|server| server.end() <= index as u64);
        (server < self.servers.len()).then_some(server)
    }

    /// The BLAKE3 digest of servers, ways, overheads and numbers: profiles of one digest give the same plans. Keys and
    /// dates are not part of it.
    pub fn digest(&self) -> Digest {
        let mut digester = Digester::default();
        for server in &self.servers {
            digester.field(server.address.as_bytes());
            digester.field(&server.first.to_le_bytes()).field(&server.samples.to_le_bytes());
            digester.field(server.digest.as_ref().map_or(&[][..], |digest| digest.as_bytes()));
            for way in &server.lacks {
                digester.field(b"lacks").field(way.to_string().as_bytes());
            }
        }
        for way in &self.ways {
            digester.field(way.to_string().as_bytes());
        }
        let overheads = &self.provenance.overheads;
        for value in [
            overheads.envelope_bytes,
            overheads.envelope_per_byte,
            overheads.receive_seconds,
            overheads.receive_seconds_per_byte,
        ] {
            digester.update(&value.to_le_bytes());
        }
        digest_numbers(&mut digester, &self.bytes, |value| value.to_le_bytes());
        digest_numbers(&mut digester, &self.storage, |value| value.to_le_bytes());
        digest_numbers(&mut digester, &self.trainer, |value| value.to_le_bytes());
        digester.finish()
    }

    pub(crate) fn row(&self, index: usize) -> ProfileRow<'_> {
        let range = index * self.ways.len()..(index + 1) * self.ways.len();
        ProfileRow {
            bytes: &self.bytes[range.clone()],
            storage: &self.storage[range.clone()],
            trainer: &self.trainer[range],
            profile: self,
        }
    }

    /// Whether the server, and whether the trainer, infers samples that travel by the way at `position`: 1 or 0 each.
    /// Where samples become features, the trainer makes those that do not come as such.
    pub(crate) fn inferred(&self, position: usize) -> [f64; 2] {
        let there = self.ways[position].is_features();
        [there, self.provenance.model.is_some() && !there].map(|inferred| f64::from(u8::from(inferred)))
    }

    /// The samples of the server at this place, as positions.
    pub(crate) fn samples_of(&self, server: usize) -> std::ops::Range<usize> {
        // Every sample is in memory, so that its index fits.
        self.servers[server].first as usize..self.servers[server].end() as usize
    }
}

// === impl ProfileRow ===

impl ProfileRow<'_> {
    /// As [`Profile::inferred`].
    pub(crate) fn inferred(&self, position: usize) -> [f64; 2] {
        self.profile.inferred(position)
    }
}

/// Digests numbers as little-endian bytes, without a copy where memory has them so.
fn digest_numbers<T: bytemuck::Pod, const N: usize>(digester: &mut Digester, numbers: &[T], bytes: fn(T) -> [u8; N]) {
    if cfg!(target_endian = "little") {
        digester.update(bytemuck::cast_slice(numbers));
        return;
    }
    for chunk in numbers.chunks(4096) {
        let bytes: Vec<_> = chunk.iter().flat_map(|&number| bytes(number)).collect();
        digester.update(&bytes);
    }
}

#[cfg(test)]
pub(crate) use tests::provenance as test_provenance;

#[cfg(test)]
mod tests;
