//! What is asked of a dataset: which samples, how far, with which randomness.

use std::ops::Range;
use std::sync::Arc;

use headwater_types::{Address, Epoch, ModelName, Recipe, SampleIndex, Seed, Way};

use crate::live::{LivePlan, way_at};

/// Which samples, how far, in which order.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// Which samples. An index named twice is delivered twice: as the same bits, or as the address of each place says.
    pub indices: Indices,
    /// What is done to them. May be `None` at the cut `encoded`, and where `model` gives the recipe.
    pub recipe: Option<Recipe>,
    /// How samples travel.
    pub ways: Ways,
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

/// The ways of a request's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ways {
    /// All samples travel one way.
    All(Way),
    /// Sample `i` travels the way at position `i`, as in a plan: the table has a way for each sample of the dataset.
    PerSample(Arc<[Way]>),
    /// Each sample travels the way that the plan says at the moment when the sample is asked for.
    Live(LivePlan),
}

// === impl FetchRequest ===

impl FetchRequest {
    /// Features of these samples from a model, as they arrive.
    pub fn features(indices: impl Into<Indices>, model: ModelName) -> Self {
        Self {
            indices: indices.into(),
            recipe: None,
            ways: Way::FEATURES.into(),
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

    /// Whether the predicate holds for some index among those that are held.
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

// === impl Ways ===

impl Ways {
    /// The way of this sample of the dataset; a table that is too short was refused before.
    pub(crate) fn of(&self, index: u64) -> Option<Way> {
        match self {
            Self::All(one) => Some(*one),
            Self::PerSample(ways) => way_at(ways, index),
            Self::Live(plan) => way_at(&plan.ways(), index),
        }
    }

    /// How many ways there are, where each sample has its own.
    pub(crate) fn len(&self) -> Option<u64> {
        match self {
            Self::All(_) => None,
            Self::PerSample(ways) => Some(ways.len() as u64),
            Self::Live(plan) => Some(plan.ways().len() as u64),
        }
    }

    /// Whether some sample may be asked for as features, now or later.
    pub(crate) fn may_take_features(&self) -> bool {
        match self {
            Self::All(one) => *one == Way::FEATURES,
            Self::PerSample(ways) => ways.contains(&Way::FEATURES),
            Self::Live(plan) => plan.may_take_features(),
        }
    }

    /// Whether some sample may be asked for at a cut that a recipe leads to, now or later.
    pub(crate) fn may_take_pixels(&self) -> bool {
        let is_of_a_recipe = |way: Way| way != Way::FEATURES && way != Way::ENCODED;
        match self {
            Self::All(one) => is_of_a_recipe(*one),
            Self::PerSample(ways) => ways.iter().any(|way| is_of_a_recipe(*way)),
            Self::Live(_) => true,
        }
    }
}

impl From<Way> for Ways {
    fn from(one: Way) -> Self {
        Self::All(one)
    }
}
