//! What samples become: tensors of a recipe, or features of a model.

use futures::future::BoxFuture;
use headwater_client::{ModelInfo, RegisteredModel, Sample};
use headwater_types::{CpuSeconds, DevicePool, Recipe, SampleFailure};

/// What samples become. A plan is for one of them.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// The recipe's tensors.
    Tensors(&'a Recipe),
    /// The model's features: at servers that have it, or here.
    Features(&'a ModelInfo),
}

/// What samples become, and what finishes the samples that come unfinished. A profile measures both.
#[derive(Clone, Copy)]
pub enum Making<'a> {
    /// The recipe's tensors, on the threads that the dataset's options say.
    Tensors(&'a Recipe),
    /// The model's features.
    Features {
        /// The model, and which servers have it.
        model: &'a RegisteredModel,
        /// What infers here.
        here: &'a dyn Infer,
    },
}

/// Makes features of samples on this side. It is a trait so that a program that plans only for tensors does not carry
/// an inference runtime.
pub trait Infer: Send + Sync {
    /// A sample's features, whichever way it came, and the CPU time that they took here. A sample that came as features
    /// took none.
    fn infer(&self, sample: Sample) -> BoxFuture<'_, (Result<Vec<f32>, SampleFailure>, CpuSeconds)>;

    /// The devices on which samples are inferred here; `None` where cores do it, whose time a sample's CPU time has.
    fn devices(&self) -> Option<DevicePool>;

    /// Samples that should be underway at once for all threads to be busy.
    fn at_once(&self) -> usize;
}

// === impl Target ===

impl<'a> Target<'a> {
    /// The recipe that samples go through.
    pub fn recipe(self) -> &'a Recipe {
        match self {
            Self::Tensors(recipe) => recipe,
            Self::Features(model) => &model.recipe,
        }
    }

    /// The model, where features are wanted.
    pub fn model(self) -> Option<&'a ModelInfo> {
        match self {
            Self::Tensors(_) => None,
            Self::Features(model) => Some(model),
        }
    }
}

impl<'a> From<&'a Recipe> for Target<'a> {
    fn from(recipe: &'a Recipe) -> Self {
        Self::Tensors(recipe)
    }
}

impl<'a> From<&'a ModelInfo> for Target<'a> {
    fn from(model: &'a ModelInfo) -> Self {
        Self::Features(model)
    }
}

// === impl Making ===

impl<'a> Making<'a> {
    /// What is made.
    pub fn target(self) -> Target<'a> {
        match self {
            Self::Tensors(recipe) => Target::Tensors(recipe),
            Self::Features { model, .. } => Target::Features(&model.info),
        }
    }

    /// Whether the server at this place can be asked for features.
    pub(crate) fn infers(self, server: usize) -> bool {
        match self {
            Self::Tensors(_) => false,
            Self::Features { model, .. } => model.servers.get(server).copied().unwrap_or(false),
        }
    }

    /// The devices of the server at this place that infer.
    pub(crate) fn devices_of(self, server: usize) -> Option<DevicePool> {
        match self {
            Self::Tensors(_) => None,
            Self::Features { model, .. } => model.devices.get(server).copied().flatten(),
        }
    }

    /// The devices that infer here.
    pub(crate) fn devices_here(self) -> Option<DevicePool> {
        match self {
            Self::Tensors(_) => None,
            Self::Features { here, .. } => here.devices(),
        }
    }
}

impl<'a> From<&'a Recipe> for Making<'a> {
    fn from(recipe: &'a Recipe) -> Self {
        Self::Tensors(recipe)
    }
}
