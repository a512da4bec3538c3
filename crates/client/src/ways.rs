//! How a request's samples travel.

use std::sync::Arc;

use headwater_types::Way;

use crate::live::{LivePlan, way_at};

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
            Self::All(one) => one.is_features(),
            Self::PerSample(ways) => ways.iter().any(|way| way.is_features()),
            Self::Live(plan) => plan.may_take_features(),
        }
    }

    /// Whether some sample may be asked for as features that are coded. A live plan has none.
    pub(crate) fn may_be_coded_features(&self) -> bool {
        match self {
            Self::All(one) => *one == Way::FEATURES_LOSSLESS,
            Self::PerSample(ways) => ways.contains(&Way::FEATURES_LOSSLESS),
            Self::Live(plan) => plan.ways().contains(&Way::FEATURES_LOSSLESS),
        }
    }

    /// Whether some sample may be asked for at a cut that a recipe leads to, now or later.
    pub(crate) fn may_take_pixels(&self) -> bool {
        let is_of_a_recipe = |way: Way| !way.is_features() && way != Way::ENCODED;
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
