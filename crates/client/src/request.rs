//! What is asked of a dataset: which samples, how far, with which randomness.

use std::ops::Range;
use std::sync::Arc;

use headwater_types::{Address, Cut, Epoch, ModelName, PixelCoding, Recipe, SampleIndex, Seed};

use crate::live::LivePlan;

/// Which samples, how far, in which order.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Which samples. An index named twice is delivered twice: as the same bits, or as the address of each place says.
    pub indices: Indices,
    /// What is done to them. May be `None` at the cut `encoded`, and where `model` gives the recipe.
    pub recipe: Option<Recipe>,
    /// How far the servers take them.
    pub cut: CutChoice,
    /// How pixels may be coded on the wire, at the u8 cuts.
    pub pixels: PixelChoice,
    /// Whether the cuts `tensor` and `normalized` must travel as floats. Where not, servers send them as the u8 pixels of
    /// `flipped`: a quarter of the bytes, from which a [`Finisher`](crate::Finisher) makes the same tensor.
    pub floats: bool,
    /// The addresses of the samples' randomness.
    pub addresses: Addresses,
    /// The model, for the cut `features`.
    pub model: Option<ModelName>,
    /// Whether samples come in the order in which they were asked for, or as they arrive. In order, servers whose
    /// samples come later wait once the window is full.
    pub ordered: bool,
    /// Whether servers say of each sample how much CPU time it took ([`Sample::cpu`](crate::Sample)).
    pub measure_cpu: bool,
}

/// Indices into the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// From the first up to, not including, the second.
    Range(Range<u64>),
    /// These, in this order.
    List(Arc<[SampleIndex]>),
}

/// The addresses of the randomness of a request's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// All samples have the same address.
    All(Address),
    /// Each sample has an epoch of its own, and all have one seed.
    Each {
        /// The run's seed.
        seed: Seed,
        /// One epoch for each of the request's `indices`, in their order: a sample that is asked for twice may have two crops.
        /// The servers must be new enough for it ([`ClientError::NoSampleEpochs`](crate::ClientError)).
        epochs: Arc<[Epoch]>,
    },
}

/// One for all samples, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// The same for all.
    All(T),
    /// Sample `i`'s stands at position `i`, as in a plan: one for each sample of the dataset.
    PerSample(Arc<[T]>),
    /// As in this plan at the moment when the sample is asked for; for cuts and codings together.
    Live(LivePlan),
}

/// What a [`Choice`] is of.
pub trait Chosen: Copy {
    #[doc(hidden)]
    fn of(way: (Cut, PixelCoding)) -> Self;
}

/// How far samples are taken.
pub type CutChoice = Choice<Cut>;

/// How their pixels may be coded.
pub type PixelChoice = Choice<PixelCoding>;

// === impl FetchRequest ===

impl FetchRequest {
    /// Features of these samples from a model, as they arrive.
    pub fn features(indices: impl Into<Indices>, model: ModelName) -> Self {
        Self {
            indices: indices.into(),
            recipe: None,
            cut: CutChoice::All(Cut::Features),
            pixels: PixelChoice::All(PixelCoding::Raw),
            floats: true,
            addresses: Address::default().into(),
            model: Some(model),
            ordered: false,
            measure_cpu: false,
        }
    }
}

// === impl Indices ===

impl Indices {
    /// How many.
    pub fn len(&self) -> u64 {
        match self {
            Self::Range(range) => range.end.saturating_sub(range.start),
            Self::List(indices) => indices.len() as u64,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Each of them, in order.
    pub fn to_vec(&self) -> Vec<SampleIndex> {
        match self {
            Self::Range(range) => range.clone().map(SampleIndex).collect(),
            Self::List(indices) => indices.to_vec(),
        }
    }

    /// Whether any of those between these is such.
    pub(crate) fn any_in(&self, held: Range<u64>, predicate: impl Fn(u64) -> bool) -> bool {
        match self {
            Self::Range(range) => (range.start.max(held.start)..range.end.min(held.end)).any(predicate),
            Self::List(indices) => {
                let mut held = indices.iter().map(|index| index.0).filter(|index| held.contains(index));
                held.any(predicate)
            }
        }
    }

    /// The largest index.
    pub(crate) fn max(&self) -> Option<u64> {
        match self {
            Self::Range(range) => (!range.is_empty()).then(|| range.end - 1),
            Self::List(indices) => indices.iter().map(|index| index.0).max(),
        }
    }
}

impl From<Range<u64>> for Indices {
    fn from(range: Range<u64>) -> Self {
        Self::Range(range)
    }
}

impl From<Vec<SampleIndex>> for Indices {
    fn from(indices: Vec<SampleIndex>) -> Self {
        Self::List(indices.into())
    }
}

impl FromIterator<SampleIndex> for Indices {
    fn from_iter<I: IntoIterator<Item = SampleIndex>>(indices: I) -> Self {
        Self::List(indices.into_iter().collect())
    }
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

// === impl Choice ===

impl<T: Chosen> Choice<T> {
    /// The sample's; a table that is too short was refused before.
    pub(crate) fn of(&self, index: u64) -> Option<T> {
        match self {
            Self::Live(plan) => plan.tables().of(index).map(T::of),
            Self::All(one) => Some(*one),
            Self::PerSample(table) => table.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// How many there are, where there is one for each.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::All(_) => None,
            Self::PerSample(table) => Some(table.len() as u64),
            Self::Live(plan) => Some(plan.tables().cuts.len() as u64),
        }
    }

    pub(crate) fn any(&self, predicate: impl Fn(T) -> bool) -> bool {
        match self {
            Self::All(one) => predicate(*one),
            Self::PerSample(table) => table.iter().any(|one| predicate(*one)),
            Self::Live(plan) => {
                let tables = plan.tables();
                tables.cuts.iter().zip(&*tables.pixels).any(|(&cut, &pixels)| predicate(T::of((cut, pixels))))
            }
        }
    }
}

impl Chosen for Cut {
    fn of((cut, _): (Cut, PixelCoding)) -> Self {
        cut
    }
}

impl Chosen for PixelCoding {
    fn of((_, pixels): (Cut, PixelCoding)) -> Self {
        pixels
    }
}

impl<T> From<T> for Choice<T> {
    fn from(one: T) -> Self {
        Self::All(one)
    }
}
