//! How an epoch is steered, and what was predicted of it.

use std::sync::Arc;

use headwater_client::Dataset;
use headwater_pilot::{Appraisal, Autopilot, AutopilotOptions, Sketch, Stamp, Steering};
use headwater_plan::{Algorithm, Allowed, Prediction, Profile, Resources, plan};
use headwater_types::{Recipe, SampleIndex, Way};

use crate::error::EpochError;
use crate::mode::EpochMode;
use crate::options::{EpochOptions, EpochPlan};
use crate::sketched::{fastest, sketched};
use crate::stage::StageListener;

/// How an epoch is steered, and what was predicted of it.
pub(crate) struct Prepared {
    pub(crate) steering: Steering,
    pub(crate) prediction: Option<Prediction>,
    pub(crate) resources: Resources,
    /// What was made of the epoch before it began, where it was to be profiled on the spot.
    pub(crate) appraisal: Option<Appraisal>,
}

/// What there is to plan from.
struct Known {
    profile: Arc<Profile>,
    resources: Resources,
    appraisal: Option<Appraisal>,
}

// === impl Prepared ===

impl Prepared {
    /// Prepares an epoch: profiles and plans, as far as its mode needs that.
    pub(crate) async fn new(
        options: &EpochOptions,
        dataset: &Dataset,
        samples: &[SampleIndex],
        listener: StageListener<'_>,
    ) -> Result<Self, EpochError> {
        let resources = options.resources(dataset);
        if let Some(plan) = &options.plan {
            return Self::by_plan(plan, dataset, &options.recipe, resources);
        }
        let algorithm = options.mode.algorithm().ok_or_else(|| EpochError::NoPlan(options.mode.to_string()))?;
        let known = match (&options.profile, algorithm) {
            (None, Algorithm::Static(way)) => return Ok(Self::unpredicted(way, resources, None)),
            (Some(profile), _) => Known::given(profile, options, dataset, resources, listener).await?,
            (None, _) => {
                let (appraisal, sketch) = sketched(options, samples, &resources, listener).await?;
                match sketch {
                    Some(sketch) => Known::sketched(sketch, resources, appraisal),
                    None => return Ok(Self::unpredicted(Way::ENCODED, resources, Some(appraisal))),
                }
            }
        };
        check(&known.profile, dataset, &options.recipe)?;
        let allowed = Allowed::of(&options.allowed, &known.profile)?;
        match options.mode {
            EpochMode::Auto => Self::by_pilot(known, allowed, algorithm, samples).await,
            _ => Self::by_planner(known, allowed, algorithm, dataset, &options.recipe).await,
        }
    }

    /// A plan that was made before.
    fn by_plan(plan: &EpochPlan, dataset: &Dataset, recipe: &Recipe, resources: Resources) -> Result<Self, EpochError> {
        let EpochPlan { path, plan } = plan;
        let steering = Steering::by(plan, dataset, recipe);
        let steering = steering.map_err(|source| EpochError::Plan { path: path.clone(), source: source.into() })?;
        Ok(Self { steering, prediction: Some(plan.prediction.clone()), resources, appraisal: None })
    }

    /// One way for all samples, of which nothing was predicted.
    fn unpredicted(way: Way, resources: Resources, appraisal: Option<Appraisal>) -> Self {
        Self { steering: Steering::new(way), prediction: None, resources, appraisal }
    }

    /// A plan that is made now, and anew on the way.
    async fn by_pilot(
        known: Known,
        allowed: Vec<Way>,
        algorithm: Algorithm,
        samples: &[SampleIndex],
    ) -> Result<Self, EpochError> {
        let Known { profile, resources, appraisal } = known;
        let options = AutopilotOptions { allowed, algorithm, ..AutopilotOptions::default() };
        let autopilot = Autopilot::planned(profile, resources.clone(), options, samples).await?;
        let prediction = autopilot.prediction().cloned();
        Ok(Self { steering: Steering::piloted(autopilot), prediction, resources, appraisal })
    }

    /// A plan that is made now.
    async fn by_planner(
        known: Known,
        allowed: Vec<Way>,
        algorithm: Algorithm,
        dataset: &Dataset,
        recipe: &Recipe,
    ) -> Result<Self, EpochError> {
        let Known { profile, resources, appraisal } = known;
        let given = resources.clone();
        let plan = tokio::task::spawn_blocking(move || plan(&profile, &given, &allowed, algorithm)).await??;
        let steering = match algorithm {
            Algorithm::Static(way) => Steering::new(way),
            _ => Steering::by(&plan, dataset, recipe)?,
        };
        Ok(Self { steering, prediction: Some(plan.prediction), resources, appraisal })
    }
}

// === impl Known ===

impl Known {
    /// A profile that was measured before. The network is measured now, where the mode looks at it and nobody said it.
    async fn given(
        profile: &Arc<Profile>,
        options: &EpochOptions,
        dataset: &Dataset,
        mut resources: Resources,
        listener: StageListener<'_>,
    ) -> Result<Self, EpochError> {
        if options.mode.plans() && resources.bandwidth.is_none() {
            resources.bandwidth = fastest(dataset, listener).await?;
        }
        Ok(Self { profile: Arc::clone(profile), resources, appraisal: None })
    }

    /// A profile that was measured on the spot, and the network with it.
    fn sketched(sketch: Sketch, resources: Resources, appraisal: Appraisal) -> Self {
        let Sketch { profile, bandwidth } = sketch;
        let profile = Arc::new(profile);
        Self { profile, resources: Resources { bandwidth, ..resources }, appraisal: Some(appraisal) }
    }
}

/// Sees that a profile is of what is streamed: the same dataset from the same servers, and the same recipe.
fn check(profile: &Profile, dataset: &Dataset, recipe: &Recipe) -> Result<(), EpochError> {
    let (stamp, provenance) = (Stamp::from(profile), profile.provenance());
    if !stamp.is_of_dataset(dataset) {
        return Err(EpochError::OtherDataset);
    }
    if let Some(model) = &provenance.model {
        return Err(EpochError::ForFeatures { model: model.name.to_string() });
    }
    if let Some(of) = &provenance.recipe
        && !stamp.is_of_recipe(recipe)
    {
        let (theirs, ours) = (of.name.clone(), recipe.name().to_string());
        return Err(EpochError::OtherRecipe { theirs, ours });
    }
    Ok(())
}
