//! The head of a plan's file: what the plan was made from and what it predicts, in TOML.

use headwater_types::caps::MAX_PROFILE_SAMPLES;
use serde::{Deserialize, Serialize};

use super::error::{FORMAT, PlanFileError, VERSION};
use super::{Inputs, Plan};
use crate::algorithm::Algorithm;
use crate::prediction::Prediction;

/// The head of a plan's file.
#[derive(Serialize, Deserialize)]
pub(super) struct PlanHead {
    format: String,
    version: u32,
    pub(super) algorithm: Algorithm,
    pub(super) samples: u64,
    pub(super) prediction: Prediction,
    pub(super) inputs: Inputs,
}

/// The first two entries of a head, which decide whether the others can be read.
#[derive(Deserialize)]
struct PlanStamp {
    format: String,
    version: u32,
}

// === impl PlanHead ===

impl PlanHead {
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            algorithm: plan.algorithm,
            samples: plan.len() as u64,
            prediction: plan.prediction.clone(),
            inputs: plan.inputs.clone(),
        }
    }

    /// Reads a head, and checks everything that it says.
    pub(super) fn parse(text: &str) -> Result<Self, PlanFileError> {
        let wrong = |error: toml::de::Error| PlanFileError::Head(error.message().chars().take(300).collect());
        let PlanStamp { format, version } = toml::from_str(text).map_err(wrong)?;
        if format != FORMAT || version != VERSION {
            return Err(PlanFileError::Version { format: format.chars().take(64).collect(), version });
        }
        let head: Self = toml::from_str(text).map_err(wrong)?;
        if head.samples > MAX_PROFILE_SAMPLES {
            return Err(PlanFileError::Content("it has more samples than a plan may have"));
        }
        check_prediction(&head.prediction)?;
        check_servers(&head.inputs, head.samples)?;
        Ok(head)
    }
}

fn check_prediction(prediction: &Prediction) -> Result<(), PlanFileError> {
    let Prediction { epoch, bound, gap, resources, .. } = prediction;
    let times = resources.iter().flat_map(|time| [time.seconds, time.price]);
    if times.chain([*epoch, *bound]).any(|value| !(value.is_finite() && value >= 0.0)) || gap.is_nan() || *gap < 0.0 {
        return Err(PlanFileError::Content("a number of its prediction is negative or none"));
    }
    Ok(())
}

fn check_servers(inputs: &Inputs, samples: u64) -> Result<(), PlanFileError> {
    let Inputs { resources, servers, .. } = inputs;
    if resources.servers.len() != servers.len() {
        return Err(PlanFileError::Content("its servers are not those of its resources"));
    }
    let mut end = 0;
    for server in servers {
        if server.first != end || server.end() > samples {
            return Err(PlanFileError::Content("its servers' samples do not follow each other"));
        }
        end = server.end();
    }
    if end != samples {
        return Err(PlanFileError::Content("its servers have not as many samples as it says"));
    }
    Ok(())
}
