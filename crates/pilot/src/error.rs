//! Why a dataset cannot be profiled, or an epoch not be piloted.

use headwater_client::{ClientError, ServerAddress};
use headwater_plan::{PlanningError, ProfileError};
use headwater_types::{DatasetName, ModelName};

/// Why the pilot cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PilotError {
    /// No sample came from servers at a cut of a network.
    #[error("at the cut {0} no sample came: see why with profiler fetch, and have photos that can be read")]
    NothingServed(String),
    /// The servers could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The dataset has no sample.
    #[error("the dataset has no samples: there is nothing to measure")]
    Empty,
    /// None of the samples could be decoded.
    #[error("not one of {tried} samples could be decoded, the first because {first}: see that --data holds photos")]
    NothingDecoded {
        /// How many samples were tried.
        tried: usize,
        /// What was wrong with the first sample.
        first: String,
    },
    /// What was measured makes no profile.
    #[error("what was measured makes no profile")]
    Profile(#[from] ProfileError),
    /// There is no plan.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// A plan for other samples.
    #[error("the plan is for {planned} samples, and the dataset has {served}: plan for this dataset")]
    PlannedSamples {
        /// Samples of the plan.
        planned: usize,
        /// Samples that the dataset has.
        served: u64,
    },
    /// A plan for another dataset than this.
    #[error("the plan is for another dataset, or for these servers in another order: profile {0} and plan for it")]
    PlannedDataset(DatasetName),
    /// A plan for another recipe.
    #[error("the plan is for the recipe {planned}, and not for this {used}: plan for the recipe that is used")]
    PlannedRecipe {
        /// The plan's recipe.
        planned: String,
        /// The recipe that is asked for.
        used: String,
    },
    /// A plan for features where tensors are wanted.
    #[error(
        "the plan is for features of the model {0}, and not for tensors: follow it with tuner extract or \
         tuner fine-tune"
    )]
    PlannedFeatures(String),
    /// A plan for tensors where features are wanted.
    #[error(
        "the plan is for tensors, and not for features of the model {0}: profile with --model {0} --extractor \
         FILE.onnx, and plan for that"
    )]
    PlannedTensors(String),
    /// A plan for another model.
    #[error(
        "the plan is for the model {model} ({planned}), and not for this {used} ({digest}): profile with \
         --model {used}, and plan for that"
    )]
    PlannedModel {
        /// The plan's model.
        model: String,
        /// The beginning of its digest.
        planned: String,
        /// The model that is asked for.
        used: String,
        /// The beginning of its digest.
        digest: String,
    },
    /// Features of a server that cannot make them.
    #[error(
        "the plan has samples of server {server} come as features, and it does not have the model {model}: register it \
         there, or profile and plan anew"
    )]
    PlannedWithoutModel {
        /// The server.
        server: ServerAddress,
        /// The model.
        model: ModelName,
    },
    /// Some servers run a model on devices, and others on their cores.
    #[error(
        "some servers run {0} on devices and others on their cores, and one profile cannot say what both take: measure \
         the ones and the others apart"
    )]
    MixedDevices(ModelName),
    /// A server does not say how fast its devices are.
    #[error(
        "a server runs {0} on devices and does not say how fast they are, as servers of earlier versions do: measure a \
         server of this version"
    )]
    UnratedDevices(ModelName),
    /// Threads cannot be started.
    #[error("cannot start the threads that finish recipes: {0}")]
    Threads(String),
    /// A fault of this program.
    #[error("a part of the measurement ended before its work: please report it ({0})")]
    Internal(String),
}
