//! Whether what servers serve is each sample once: a sample that comes twice in an epoch, or never, is an error nobody
//! sees.
//!
//! Servers that have found the same listing must serve all its parts, 1/N to N/N, once each. Servers with listings of
//! their own, each complete by itself, are datasets one behind the other. Listings that are largely the same are an
//! error: they are copies of one folder that have drifted apart. A caller may insist on going on without the parts that
//! are missing ([`allow_partial`]), and never on having samples twice.
//!
//! [`allow_partial`]: crate::ClientOptions::allow_partial

use std::collections::BTreeMap;

use headwater_types::Digest;

use crate::partition::Partition;
use crate::parts::error::PartsError;
use crate::parts::holders::{Holders, Missing, NAMED};
use crate::parts::remark::Remark;

/// The share of the smaller of two listings from which on they are copies that have drifted apart. Numbered photos of
/// different origin have the same name and by chance the same size too: of uncompressed small ones some in a hundred.
const DRIFTED: f64 = 0.1;

/// Looks at what all servers serve together: the remarks on a dataset that is in order.
///
/// # Errors
/// Parts that are served twice, divided differently, or missing; listings that have drifted apart.
pub(crate) fn check(partitions: &[Partition], allow_partial: bool) -> Result<Vec<Remark>, PartsError> {
    let held: Vec<_> = partitions.iter().filter(|partition| partition.listing.samples > 0).collect();
    let mut remarks = Vec::new();
    for (place, first) in held.iter().enumerate() {
        for second in &held[place + 1..] {
            remarks.extend(compare(first, second)?);
        }
    }
    let mut listings = BTreeMap::<Digest, Vec<&Partition>>::new();
    for partition in &held {
        listings.entry(partition.listing.digest).or_default().push(partition);
    }
    for of_one in listings.values() {
        let Some(mut missing) = check_listing(of_one)? else { continue };
        let digest = of_one[0].listing.digest;
        missing.strangers = holders(held.iter().copied().filter(|other| other.listing.digest != digest));
        if !allow_partial {
            return Err(PartsError::Missing(missing));
        }
        remarks.push(Remark::Partial(missing));
    }
    Ok(remarks)
}

/// Compares the listings of two servers: a remark where they have a little in common, an error where they have much.
fn compare(first: &Partition, second: &Partition) -> Result<Option<Remark>, PartsError> {
    let shared = first.listing.shared(&second.listing);
    if first.listing.digest == second.listing.digest || shared == 0.0 {
        return Ok(None);
    }
    let (one, other) = (first.address.clone(), second.address.clone());
    if shared < DRIFTED {
        return Ok(Some(Remark::Shared { first: one, second: other, shared }));
    }
    Err(PartsError::Drifted {
        first: one,
        second: other,
        parts: (first.part, second.part),
        samples: (first.listing.samples, second.listing.samples),
        shared,
    })
}

/// Sees to it that servers of the same listing have its parts once each, and says which parts are missing.
fn check_listing(servers: &[&Partition]) -> Result<Option<Missing>, PartsError> {
    let (samples, count) = (servers[0].listing.samples, servers[0].part.count());
    let served = servers.iter().map(|server| server.samples).sum();
    let mut parts = BTreeMap::new();
    for server in servers {
        if let Some(first) = parts.insert(server.part, &server.address) {
            let (first, second) = (first.clone(), server.address.clone());
            return Err(PartsError::Doubled { part: server.part, first, second, samples });
        }
    }
    let holders = holders(servers.iter().copied());
    if servers.iter().any(|server| server.part.count() != count) {
        return Err(PartsError::Unlike { holders, served, samples });
    }
    let missing = u64::from(count) - parts.len() as u64;
    let named = || servers[0].part.all().filter(|part| !parts.contains_key(part)).take(NAMED).collect();
    Ok((missing > 0).then(|| Missing {
        parts: named(),
        count: missing,
        holders,
        strangers: Holders::default(),
        served,
        samples,
    }))
}

fn holders<'a>(partitions: impl Iterator<Item = &'a Partition>) -> Holders {
    Holders(partitions.map(|partition| (partition.address.clone(), partition.part)).collect())
}

#[cfg(test)]
mod tests;
