//! Where features come from: storage servers, or a folder that an extraction has filled.

use futures::{StreamExt as _, TryStreamExt as _};
use headwater_extraction::{Arrivals, Servers, SourceError};
use headwater_learn::Runs;
use headwater_tables::features::{FeatureFolder, FeatureProvenance};

/// Storage servers, or a folder that an extraction has filled.
#[derive(Debug)]
pub enum FeatureSource {
    /// Storage servers, which extract the features as they are asked for.
    Servers(Servers),
    /// A folder that holds every feature.
    Folder(FeatureFolder),
}

// === impl FeatureSource ===

impl FeatureSource {
    /// What the features are features of.
    pub fn provenance(&self) -> &FeatureProvenance {
        match self {
            Self::Servers(servers) => servers.provenance(),
            Self::Folder(folder) => folder.provenance(),
        }
    }

    /// The features of one run, always in the same order.
    ///
    /// # Errors
    /// [`SourceError`]: the servers cannot be asked for them.
    pub fn run(&self, runs: &Runs, run: u32) -> Result<Arrivals, SourceError> {
        match self {
            Self::Servers(servers) => servers.features(runs.samples(run).collect::<Vec<_>>(), true),
            Self::Folder(folder) => {
                let runs = runs.clone();
                let order = std::iter::once_with(move || runs.samples(run).collect::<Vec<_>>()).flatten();
                Ok(folder.stream(order).map_err(SourceError::from).boxed())
            }
        }
    }

    /// The servers, where features come from servers.
    pub fn servers(&self) -> Option<&Servers> {
        match self {
            Self::Servers(servers) => Some(servers),
            Self::Folder(_) => None,
        }
    }
}
