//! Who serves which part of a listing, and which parts nobody serves.

use std::fmt;

use headwater_types::Partition as Part;

use headwater_discovery::ServerAddress;

/// Parts of a listing that nobody serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    /// The first few parts that are missing.
    pub parts: Vec<Part>,
    /// How many parts are missing.
    pub count: u64,
    /// Who serves which of the other parts.
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

/// Shows a part as people call it.
pub(crate) struct Named(pub(crate) Part);

/// Most parts that a message names; of the others it says how many there are.
pub(crate) const NAMED: usize = 8;

// === impl Holders ===

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

// === impl Named ===

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Part::ALL => f.write_str("everything (1/1)"),
            part => write!(f, "{part}"),
        }
    }
}
