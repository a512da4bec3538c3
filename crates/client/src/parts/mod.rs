//! Whether what servers serve is each sample once: a sample that comes twice in an epoch, or never, is an error nobody sees.
//!
//! Servers that have found the same listing must serve all its parts, 1/N to N/N, once each. Servers with listings of their own
//! (each complete by itself) are datasets one behind the other; unless the listings are largely the same, which happens to copies of
//! one folder that have drifted apart. Parts that are missing may be insisted on ([`allow_partial`]); what would come twice, never.
//!
//! [`allow_partial`]: crate::ClientOptions::allow_partial

use std::collections::BTreeMap;
use std::fmt;

use headwater_types::{Digest, Partition as Part};

use crate::address::ServerAddress;
use crate::partition::Partition;

/// Parts that do not make a dataset.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PartsError {
    /// One part, or everything, from two servers.
    #[error(
        "servers {first} and {second} both serve {} of the same {samples} samples, which would come twice: start each with a \
         part of its own (--partition 1/2, --partition 2/2), or leave one of them out; equal servers do not stand in for each \
         other yet",
        Named(*part)
    )]
    Doubled {
        /// The part that both have.
        part: Part,
        /// A server.
        first: ServerAddress,
        /// Another.
        second: ServerAddress,
        /// Samples of the whole listing.
        samples: u64,
    },
    /// Parts of different numbers of parts: some samples twice, some perhaps never.
    #[error(
        "servers divide the same {samples} samples differently, and {served} would come, some twice or never: {holders}; \
         start all with --partition K/N of one N, each with a K of its own"
    )]
    Unlike {
        /// Who serves which part.
        holders: Holders,
        /// Samples that the servers serve together.
        served: u64,
        /// Samples of the whole listing.
        samples: u64,
    },
    /// A part that nobody serves.
    #[error(
        "{0}: name the servers of those parts too, or insist on what is there with --allow-partial (in Python \
         allow_partial=True)"
    )]
    Missing(Missing),
    /// Listings that are not the same, but nearly.
    #[error(
        "servers {first} ({} of {} samples) and {second} ({} of {}) have found different photos, though about {} % of the smaller \
         listing are in both, by name and size: some would come twice, or never; give both the same photos, such as by \
         rsync -a --delete, and each a part of its own (--partition 1/2, --partition 2/2), or leave one of them out",
        Named(parts.0), samples.0, Named(parts.1), samples.1, (shared * 100.0).round()
    )]
    Drifted {
        /// A server.
        first: ServerAddress,
        /// Another.
        second: ServerAddress,
        /// Their parts.
        parts: (Part, Part),
        /// The samples of their whole listings.
        samples: (u64, u64),
        /// The share of the smaller listing that is in the other, 0 to 1: estimated.
        shared: f64,
    },
}

/// Parts of a listing that nobody serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// The first of them.
    pub parts: Vec<Part>,
    /// How many there are.
    pub count: u64,
    /// Who serves which of the others.
    pub holders: Holders,
    /// Who serves other listings.
    pub strangers: Holders,
    /// Samples that are served.
    pub served: u64,
    /// Samples of the whole listing.
    pub samples: u64,
}

/// Servers and their parts of one listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders(pub Vec<(ServerAddress, Part)>);

/// What is right, but worth a word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Remark {
    Partial(Missing),
    Shared { first: ServerAddress, second: ServerAddress, shared: f64 },
}

/// The share of the smaller of two listings from which on they are copies that have drifted apart. Numbered photos
/// of different origin have the same name and by chance the same size too: of uncompressed small ones some in a hundred.
const DRIFTED: f64 = 0.1;
/// Parts that are named in a message; of others it says how many.
const NAMED: usize = 8;

/// Looks at what all servers serve together.
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
        missing.strangers = Holders::of(held.iter().copied().filter(|other| other.listing.digest != digest));
        if !allow_partial {
            return Err(PartsError::Missing(missing));
        }
        remarks.push(Remark::Partial(missing));
    }
    Ok(remarks)
}

/// Two servers with different listings: nearly the same ones, or a little in common.
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

/// Servers of the same listing: whether they have its parts once each, and which are missing.
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
    let holders = Holders::of(servers.iter().copied());
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

/// A part as people call it.
struct Named(Part);

// === impl Holders ===

impl Holders {
    fn of<'a>(partitions: impl Iterator<Item = &'a Partition>) -> Self {
        Self(partitions.map(|partition| (partition.address.clone(), partition.part)).collect())
    }
}

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (address, part)) in self.0.iter().take(NAMED).enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{address} has {}", Named(*part))?;
        }
        match self.0.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

// === impl Missing ===

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.parts.iter().map(ToString::to_string).collect();
        write!(f, "{} of {} samples are served: {}, and nobody has ", self.served, self.samples, self.holders)?;
        write!(f, "{}", parts.join(", "))?;
        if self.count > parts.len() as u64 {
            write!(f, " and {} more", self.count - parts.len() as u64)?;
        }
        if !self.strangers.0.is_empty() {
            write!(f, " of these photos ({} of others)", self.strangers)?;
        }
        Ok(())
    }
}

// === impl Remark ===

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partial(missing) => write!(f, "going on with a part of the dataset, as was asked for: {missing}"),
            Self::Shared { first, second, shared } => {
                let percent = (shared * 100.0).ceil();
                write!(
                    f,
                    "servers {first} and {second} have some photos of the same name and size, about {percent} %: "
                )?;
                f.write_str("if they are the same photos, those come twice")
            }
        }
    }
}

// === impl Named ===

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Part::ALL => f.write_str("everything (1/1)"),
            part => write!(f, "{part}"),
        }
    }
}

#[cfg(test)]
mod tests;
