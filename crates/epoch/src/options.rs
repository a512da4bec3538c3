//! What is streamed, and what a plan for it may use.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use headwater_client::{ClientOptions, Dataset, Servers};
use headwater_pilot::resources_of;
use headwater_plan::{Allowed, Cores, Plan, Profile, Resources, SamplesPerSecond};
use headwater_types::{Address, BitsPerSecond, DatasetName, Recipe};

use crate::error::EpochError;
use crate::mode::EpochMode;

/// One epoch of a dataset.
#[derive(Clone, Debug)]
pub struct EpochOptions {
    /// The storage servers; the dataset is their partitions in this order.
    pub servers: Servers,
    /// The dataset's name.
    pub dataset: DatasetName,
    /// How the servers are connected to, without a limit on bandwidth.
    pub client: ClientOptions,
    /// What is done to the photos.
    pub recipe: Recipe,
    /// The seed, and the pass over the dataset.
    pub address: Address,
    /// How samples travel.
    pub mode: EpochMode,
    /// The plan, where the mode is to follow one.
    pub plan: Option<EpochPlan>,
    /// What samples cost, where that is known.
    pub profile: Option<Arc<Profile>>,
    /// The time that measuring may take where there is no profile.
    pub profile_time: Option<Duration>,
    /// The ways that a plan may choose; every way of the profile where the list is empty.
    pub allowed: Vec<Allowed>,
    /// Samples of a batch.
    pub batch_size: NonZeroUsize,
    /// The most that is received, from all servers together.
    pub limit: Option<BitsPerSecond>,
    /// The bandwidth that is planned for, where it is not the limit.
    pub bandwidth: Option<BitsPerSecond>,
    /// The cores of each server that are planned for, where they are not those that it announces.
    pub storage_cores: Option<Cores>,
    /// The threads that finish recipes, where they are not those of `client`.
    pub trainer_cores: Option<NonZeroUsize>,
    /// The samples a second that are taken; without it batches are taken as they come.
    pub accelerator_rate: Option<SamplesPerSecond>,
    /// Whether the report has a digest over all tensors.
    pub digest: bool,
    /// When the limit is halved.
    pub halve_after: Option<Duration>,
}

/// A plan, and the file that it was read from.
#[derive(Clone, Debug)]
pub struct EpochPlan {
    /// The file.
    pub path: PathBuf,
    /// The plan.
    pub plan: Plan,
}

// === impl EpochOptions ===

impl EpochOptions {
    /// How the epoch's own connection is made.
    pub(crate) fn client(&self) -> ClientOptions {
        let cpu_workers = self.trainer_cores.unwrap_or(self.client.cpu_workers);
        ClientOptions { cpu_workers, ..self.client.clone() }
    }

    /// Connects, and receives no more than this.
    pub(crate) async fn connect(
        &self,
        limit: Option<BitsPerSecond>,
        client: ClientOptions,
    ) -> Result<Dataset, EpochError> {
        let client = ClientOptions { bandwidth: limit, ..client };
        Ok(Dataset::connect(&self.servers, &self.dataset, client).await?)
    }

    /// What a plan may use: as it was given, and else as the servers announce it.
    pub(crate) fn resources(&self, dataset: &Dataset) -> Resources {
        let mut resources = resources_of(dataset);
        if let Some(cores) = self.storage_cores {
            resources.servers.iter_mut().for_each(|server| server.cores = cores);
        }
        resources.accelerator_rate = self.accelerator_rate;
        resources.bandwidth = self.bandwidth.or(self.limit);
        resources
    }

    /// The mode's name, with the file of its plan where it has one.
    pub(crate) fn shown_mode(&self) -> String {
        match (&self.mode, &self.plan) {
            (EpochMode::Plan(None), Some(plan)) => format!("plan:{}", plan.path.display()),
            (mode, _) => mode.to_string(),
        }
    }
}
