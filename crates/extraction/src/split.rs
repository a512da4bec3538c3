//! A network that is split between the servers and this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use headwater_client::{Dataset, Indices, ModelInfo, Sample};
use headwater_infer::LocalOptions;
use headwater_pilot::{SplitChange, SplitPilot, fleet_of, servable};
use headwater_plan::partition::NetworkProfile;
use headwater_tables::features::FeatureSample;
use headwater_tables::network;
use headwater_types::{ModelName, NetworkCut, Way};

use crate::error::{SourceError, SplitError};
use crate::passage::Passage;
use crate::passages::Passages;

/// Where a network is split, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Split {
    /// At these tensors.
    At {
        /// The tensors that travel.
        cut: NetworkCut,
        /// Whether they travel coded without loss.
        coded: bool,
    },
    /// Where this profile says, as `profiler model --json` has printed it; and elsewhere, where what is seen says so.
    By(PathBuf),
}

/// How samples came by a split network.
#[derive(Clone, Debug, Default)]
pub struct SplitTravelled {
    /// Samples by the cut from which they came.
    pub cuts: BTreeMap<String, u64>,
    /// Every change of cut.
    pub changes: Vec<SplitChange>,
    /// Cuts of the profile that cannot be served.
    pub left_out: usize,
}

/// A network that is split, and whoever decides where.
#[derive(Debug)]
pub(crate) struct Splitting {
    pub(crate) dataset: Dataset,
    pub(crate) model: ModelName,
    passages: Passages,
    by: By,
    came: Mutex<SplitTravelled>,
}

/// Who decides where it is split.
#[derive(Debug)]
enum By {
    Cut(NetworkCut, bool),
    Pilot(Box<Piloted>),
}

/// A pilot, and the profile by which it decides.
#[derive(Debug)]
struct Piloted {
    profile: NetworkProfile,
    pilot: Mutex<SplitPilot>,
}

/// What was asked for, held against the dataset and the model: ready to begin once the samples are known.
#[derive(Debug)]
pub(crate) struct Prepared {
    passages: Passages,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    Cut(NetworkCut, bool),
    Profile(Box<NetworkProfile>, usize),
}

// === impl Prepared ===

impl Prepared {
    /// Reads what is to be read, and opens a cut that was named.
    pub(crate) async fn new(
        split: &Split,
        (file, here): (Option<&Path>, &LocalOptions),
        (dataset, model): (&Dataset, &ModelInfo),
    ) -> Result<Self, SourceError> {
        // Every server runs a front.
        dataset.model(&model.name)?;
        let file = file.ok_or_else(|| SplitError::NoExtractor(model.name.clone()))?;
        let passages = Passages::new(dataset, model, (file.to_owned(), here.clone()));
        let wanted = match split {
            Split::At { cut, coded } => {
                passages.at(cut, *coded).await?;
                Wanted::Cut(cut.clone(), *coded)
            }
            Split::By(path) => {
                let (profile, left_out) = servable(read(path, model).await?);
                if left_out > 0 {
                    tracing::info!(
                        left_out,
                        "cuts of the profile at tensors of other types than float32 are no choice"
                    );
                }
                Wanted::Profile(Box::new(profile), left_out)
            }
        };
        Ok(Self { passages, wanted })
    }

    /// Chooses a cut for these samples, and opens it.
    pub(crate) async fn begin(
        self,
        dataset: &Dataset,
        model: &ModelName,
        samples: &Indices,
    ) -> Result<Splitting, SourceError> {
        let Self { passages, wanted } = self;
        let (by, left_out) = match wanted {
            Wanted::Cut(cut, coded) => (By::Cut(cut, coded), 0),
            Wanted::Profile(profile, left_out) => {
                let images = samples.len().max(1);
                let fleet = fleet_of(dataset, &dataset.registered_model(model)?);
                if fleet.servers.iter().any(|server| server.resources.devices.is_some()) && !profile.is_of_devices() {
                    tracing::warn!(
                        "servers run the network on devices, and the profile is of cores: how long a front takes a \
                         device is estimated; profiler model --servers measures it"
                    );
                }
                let pilot = SplitPilot::new((*profile).clone(), fleet, images).map_err(SplitError::Plan)?;
                let choice = pilot.choice();
                tracing::info!(
                    cut = choice.cut,
                    coded = choice.coded,
                    seconds = choice.epoch_seconds,
                    "the network is cut"
                );
                passages.of(choice, &profile).await?;
                (By::Pilot(Box::new(Piloted { profile: *profile, pilot: Mutex::new(pilot) })), left_out)
            }
        };
        let came = Mutex::new(SplitTravelled { left_out, ..SplitTravelled::default() });
        Ok(Splitting { dataset: dataset.clone(), model: model.clone(), passages, by, came })
    }
}

// === impl Splitting ===

impl Splitting {
    /// How samples came so far.
    pub(crate) fn travelled(&self) -> SplitTravelled {
        self.came().clone()
    }

    /// Whether the cut may change.
    pub(crate) fn is_piloted(&self) -> bool {
        matches!(self.by, By::Pilot(_))
    }

    /// The pilot, where there is one.
    pub(crate) fn pilot(&self) -> Option<MutexGuard<'_, SplitPilot>> {
        match &self.by {
            By::Cut(..) => None,
            By::Pilot(piloted) => Some(piloted.pilot.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// The passage that is to be taken now, with the name of its cut.
    pub(crate) async fn passage(&self) -> Result<(Passage, String), SourceError> {
        match &self.by {
            By::Cut(cut, coded) => Ok((self.passages.at(cut, *coded).await?, cut.to_string())),
            By::Pilot(piloted) => {
                let choice = piloted.pilot.lock().unwrap_or_else(PoisonError::into_inner).choice().clone();
                let passage = self.passages.of(&choice, &piloted.profile).await?;
                Ok((passage, choice.cut))
            }
        }
    }

    /// Notes a change of cut.
    pub(crate) fn changed(&self, change: SplitChange) {
        self.came().changes.push(change);
    }

    /// Counts a sample from this cut.
    pub(crate) fn count(&self, cut: &str) {
        *self.came().cuts.entry(cut.to_owned()).or_default() += 1;
    }

    /// A sample that came by a passage becomes one with its feature. The way is the one in which it came.
    pub(crate) async fn take(&self, passage: &Passage, sample: Sample) -> (FeatureSample, Option<Way>) {
        let Sample { index, label, cpu, .. } = sample;
        let key = sample.key.clone();
        let way = sample.outcome.as_ref().ok().map(|delivered| delivered.way);
        let (outcome, here) = passage.infer(sample).await;
        if let Some(mut pilot) = self.pilot() {
            let server = self.dataset.partitions().partition_point(|partition| partition.end() <= index.0);
            pilot.came(server, cpu.unwrap_or_default(), here);
        }
        (FeatureSample { index, key, label, outcome }, way)
    }

    fn came(&self) -> MutexGuard<'_, SplitTravelled> {
        self.came.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a profile, and sees that it is of this model.
async fn read(path: &Path, model: &ModelInfo) -> Result<NetworkProfile, SourceError> {
    let profile = path.to_owned();
    let read = tokio::task::spawn_blocking(move || network::read(&profile)).await?;
    let read = read.map_err(|source| SplitError::Profile { source })?;
    let of = |what: &'static str, profiled: String, served: String| {
        let (path, model) = (path.to_owned(), model.name.clone());
        SplitError::OtherModel { path, what, profiled, model, served }
    };
    if read.model_digest != model.digest {
        return Err(of("model", read.model_digest.short(), model.digest.short()).into());
    }
    if read.recipe_digest != model.recipe.digest() {
        return Err(of("recipe", read.recipe.clone(), model.recipe.name().to_string()).into());
    }
    match &read.outputs[..] {
        [only] if *only == model.output => Ok(read),
        outputs => Err(of("output", outputs.join(","), model.output.clone()).into()),
    }
}
