//! One way for all samples of a job: how they are asked for, and how what comes becomes features here.

use std::sync::Arc;

use headwater_client::{AskedModel, FetchRequest, Front, Indices, Sample};
use headwater_infer::{LocalBack, LocalExtractor, features_of};
use headwater_pilot::Infer as _;
use headwater_types::{CpuSeconds, ModelName, SampleFailure, Way};

/// Where the work of a sample is cut between servers and this machine.
#[derive(Clone, Debug)]
pub(crate) enum Passage {
    /// Servers do all of it.
    Features,
    /// Samples come as pixels, and the whole network runs here.
    Pixels(Way, Arc<LocalExtractor>),
    /// Servers run the network's front, and its back runs here.
    Cut {
        /// The front, open on all servers.
        front: Box<Front>,
        /// Whether its tensors travel coded.
        coded: bool,
        /// The back, open here.
        back: Arc<LocalBack>,
    },
}

// === impl Passage ===

impl Passage {
    /// What servers are asked for.
    pub(crate) fn request(
        &self,
        indices: Indices,
        model: &ModelName,
        ordered: bool,
        measure_cpu: bool,
    ) -> FetchRequest {
        let (ways, asked) = match self {
            Self::Features => (Way::FEATURES, model.clone().into()),
            Self::Pixels(way, _) => (*way, model.clone().into()),
            Self::Cut { front, coded: false, .. } => (Way::FEATURES, AskedModel::Front(front.clone())),
            Self::Cut { front, coded: true, .. } => (Way::FEATURES_LOSSLESS, AskedModel::Front(front.clone())),
        };
        let features = FetchRequest::features(indices, model.clone());
        FetchRequest { ways: ways.into(), floats: false, model: Some(asked), ordered, measure_cpu, ..features }
    }

    /// Samples that are best worked on here at once.
    pub(crate) fn at_once(&self) -> usize {
        match self {
            Self::Features => 1,
            Self::Pixels(_, here) => here.at_once(),
            Self::Cut { back, .. } => back.at_once(),
        }
    }

    /// The features of a sample that came, and the CPU time that they took here.
    pub(crate) async fn infer(&self, sample: Sample) -> (Result<Vec<f32>, SampleFailure>, CpuSeconds) {
        match self {
            // The client has seen to it that nothing else came.
            Self::Features => (sample.outcome.map(|delivered| features_of(&delivered)), CpuSeconds::default()),
            Self::Pixels(_, here) => here.infer(sample).await,
            Self::Cut { back, .. } => match sample.outcome {
                Ok(delivered) => back.infer(delivered).await,
                Err(failure) => (Err(failure), CpuSeconds::default()),
            },
        }
    }
}
