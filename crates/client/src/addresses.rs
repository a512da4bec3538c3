//! Seed and epoch of a request's samples.

use std::sync::Arc;

use headwater_types::{Address, Epoch, Seed};

/// The addresses of the randomness of a request's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// All samples have the same address.
    All(Address),
    /// Each sample has an epoch of its own, and all have one seed.
    Each {
        /// The run's seed.
        seed: Seed,
        /// One epoch for each of the request's `indices`, in their order: a sample that is asked for twice may have two
        /// crops. The servers must be new enough for it ([`ClientError::NoSampleEpochs`](crate::ClientError)).
        epochs: Arc<[Epoch]>,
    },
}

// === impl Addresses ===

impl Addresses {
    /// The address of the sample at this place of the request; a list that is too short was refused before.
    pub(crate) fn at(&self, position: u64) -> Option<Address> {
        match self {
            Self::All(one) => Some(*one),
            Self::Each { seed, epochs } => {
                let epoch = epochs.get(usize::try_from(position).ok()?).copied()?;
                Some(Address { seed: *seed, epoch })
            }
        }
    }

    /// The seed, which all samples share.
    pub(crate) fn seed(&self) -> Seed {
        match self {
            Self::All(Address { seed, .. }) | Self::Each { seed, .. } => *seed,
        }
    }

    /// How many epochs there are, where each sample has its own.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::All(_) => None,
            Self::Each { epochs, .. } => Some(epochs.len() as u64),
        }
    }

    /// Whether samples differ in their address.
    pub(crate) fn differ(&self) -> bool {
        match self {
            Self::All(_) => false,
            Self::Each { epochs, .. } => epochs.windows(2).any(|pair| pair[0] != pair[1]),
        }
    }
}

impl From<Address> for Addresses {
    fn from(one: Address) -> Self {
        Self::All(one)
    }
}
