//! A run's state on disk, from which it goes on.
//!
//! ```text
//! "headwater-rounds1" │ length of the head │ head, JSON │ numbers: f32 and f64, the lowest byte first │ BLAKE3 of all
//! ```
//!
//! It is written beside its place and renamed into it, so that whoever is killed leaves the one before, whole.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use headwater_client::training_calls::{FeatureMoments, TrainingId};
use headwater_learn::Parameters;
use headwater_types::Digest;
use headwater_types::caps::{MAX_HEAD_WEIGHTS, MAX_WORKERS};
use serde::{Deserialize, Serialize};

use crate::checkpoint_error::CheckpointError;
use crate::common::Common;
use crate::options::FederationOptions;
use crate::weights::Weights;

const MAGIC: &[u8; 17] = b"headwater-rounds1";
/// Most bytes of the head: the names of classes and workers.
const MAX_HEAD: u64 = 64 << 20;

/// A run's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub(crate) head: State,
    pub(crate) moments: FeatureMoments,
    pub(crate) weights: Parameters,
    pub(crate) velocity: Parameters,
    pub(crate) outer: (Parameters, Parameters),
}

/// What of it is text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) training: [u8; 16],
    pub(crate) round: u64,
    pub(crate) version: u64,
    pub(crate) samples_trained: u64,
    /// Ways that are gathered in `async`.
    pub(crate) gathered: usize,
    pub(crate) workers: Vec<(String, u64)>,
    pub(crate) classes: Vec<String>,
    pub(crate) model_digest: Digest,
    pub(crate) recipe_digest: Digest,
    pub(crate) output: String,
    pub(crate) feature_len: usize,
    moments: (u64, usize),
    weights: usize,
}

// === impl Checkpoint ===

impl Checkpoint {
    /// The state of a run after a round.
    pub(crate) fn of(
        (weights, round): (&Weights, u64),
        common: &Common,
        (training, workers): (TrainingId, Vec<(String, u64)>),
        options: &FederationOptions,
    ) -> Self {
        let (velocity, gathered, count) = weights.outer.state();
        let head = State {
            settings: settings(options),
            training: training.0,
            round,
            version: weights.version,
            samples_trained: weights.samples_trained,
            gathered: count,
            workers,
            classes: common.classes.clone(),
            model_digest: common.model_digest,
            recipe_digest: common.recipe_digest,
            output: common.output.clone(),
            feature_len: common.feature_len,
            moments: (common.moments.count, common.moments.mean.len()),
            weights: weights.values.len(),
        };
        Self {
            head,
            moments: common.moments.clone(),
            weights: weights.values.clone(),
            velocity: weights.velocity.clone(),
            outer: (velocity.clone(), gathered.clone()),
        }
    }

    /// What its workers have in common.
    pub(crate) fn common(&self) -> Common {
        Common {
            classes: self.head.classes.clone(),
            moments: self.moments.clone(),
            model_digest: self.head.model_digest,
            recipe_digest: self.head.recipe_digest,
            output: self.head.output.clone(),
            feature_len: self.head.feature_len,
        }
    }

    /// The last round that is in it.
    pub fn round(&self) -> u64 {
        self.head.round
    }

    /// Its weights, to be moved on.
    pub(crate) fn restore(&self, options: &FederationOptions) -> Weights {
        let mut weights = Weights::new(self.weights.clone(), options);
        weights.version = self.head.version;
        weights.samples_trained = self.head.samples_trained;
        weights.velocity = self.velocity.clone();
        let (velocity, gathered) = self.outer.clone();
        weights.outer.restore(velocity, gathered, self.head.gathered);
        weights
    }

    /// Writes it in place of an earlier one. With `durable` it survives a loss of power too. Blocks.
    ///
    /// # Errors
    /// A disk that takes no more.
    pub(crate) fn write(&self, path: &Path, durable: bool) -> Result<(), CheckpointError> {
        let at = |error| CheckpointError::Io { path: path.to_owned(), error };
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let beside = PathBuf::from(name);
        let write = || -> io::Result<()> {
            let mut file = File::create(&beside)?;
            file.write_all(&self.to_bytes()?)?;
            if durable {
                file.sync_data()?;
            }
            std::fs::rename(&beside, path)
        };
        write().map_err(at)
    }

    /// Reads one, and checks that it is of a run with these settings; `None` where there is no such file. Blocks.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn read(path: &Path, options: &FederationOptions) -> Result<Option<Self>, CheckpointError> {
        let at = |error| CheckpointError::Io { path: path.to_owned(), error };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(error)),
        };
        let most = MAX_HEAD + 5 * 4 * MAX_HEAD_WEIGHTS as u64;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(at)?;
        let broken = |reason| CheckpointError::Broken { path: path.to_owned(), reason };
        let checkpoint = Self::from_bytes(&bytes).map_err(broken)?;
        let (were, are) = (&checkpoint.head.settings, settings(options));
        match were.iter().zip(&are).find(|(was, is)| was != is) {
            None if were.len() == are.len() => Ok(Some(checkpoint)),
            None => Err(broken("it is of another version of the program")),
            Some(((setting, was), (_, now))) => {
                let (path, setting, was, now) = (path.to_owned(), setting.clone(), was.clone(), now.clone());
                Err(CheckpointError::Other { path, setting, was, now })
            }
        }
    }

    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let head = serde_json::to_vec(&self.head)?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend((head.len() as u64).to_le_bytes());
        bytes.extend(head);
        for values in [&self.moments.mean, &self.moments.squares] {
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        for values in [&self.weights, &self.velocity, &self.outer.0, &self.outer.1] {
            bytes.extend(values.to_bytes());
        }
        bytes.extend(Digest::of(&bytes).as_bytes());
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let (body, digest) = bytes.split_last_chunk::<32>().ok_or("it is too short")?;
        let rest = body.strip_prefix(MAGIC).ok_or("it does not begin as one")?;
        if Digest::of(body).as_bytes() != digest {
            return Err("its digest differs");
        }
        let (length, rest) = rest.split_first_chunk::<8>().ok_or("it is too short")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok().filter(|length| *length <= rest.len());
        let (head, numbers) = rest.split_at(length.ok_or("its head is cut")?);
        let head: State = serde_json::from_slice(head).map_err(|_| "its head is none")?;
        let ((count, dim), weights) = (head.moments, head.weights);
        if dim > MAX_HEAD_WEIGHTS || weights > MAX_HEAD_WEIGHTS || head.workers.len() > MAX_WORKERS {
            return Err("it is larger than any");
        }
        if numbers.len() != 2 * 8 * dim + 4 * 4 * weights {
            return Err("its numbers are cut");
        }
        let (moments, rows) = numbers.split_at(2 * 8 * dim);
        let moments: Vec<f64> = moments.as_chunks::<8>().0.iter().copied().map(f64::from_le_bytes).collect();
        let (mean, squares) = moments.split_at(dim);
        let row = |at: usize| {
            Parameters::from_bytes(&rows[at * 4 * weights..(at + 1) * 4 * weights]).ok_or("its numbers are cut")
        };
        Ok(Self {
            moments: FeatureMoments { count, mean: mean.to_vec(), squares: squares.to_vec() },
            weights: row(0)?,
            velocity: row(1)?,
            outer: (row(2)?, row(3)?),
            head,
        })
    }
}

/// The settings on which the weights of a run depend, by the names by which people give them.
fn settings(options: &FederationOptions) -> Vec<(String, String)> {
    let named = |name: &str, value: &dyn std::fmt::Debug| (name.to_owned(), format!("{value:?}"));
    vec![
        named("--mode", &options.mode),
        named("--dataset", &options.dataset.as_str()),
        named("--model", &options.model.as_str()),
        named("--head", &options.head),
        named("--local-lr", &options.local.learning_rate),
        named("--momentum", &options.local.momentum),
        named("--batch-size", &options.local.batch_size),
        named("--average", &options.combining.average),
        named("--global-lr", &options.combining.learning_rate),
        named("--global-momentum", &options.combining.momentum),
        named("--delay-compensation", &options.combining.delay_compensation),
        named("--overlap", &options.overlap),
        named("--split", &options.split),
        named("--validation-fraction", &options.held_out),
        named("--seed", &options.seed.0),
    ]
}

#[cfg(test)]
mod tests {
    use headwater_plan::sync::Mode;
    use tempfile::TempDir;

    use super::*;
    use crate::weights::tests::options;

    fn checkpoint(options: &FederationOptions) -> Checkpoint {
        let mut weights = Weights::new(Parameters::new(vec![0.1, -2.5, 3e-38]), options);
        weights.version = 7;
        let common = Common {
            classes: vec!["cat".to_owned(), "dog".to_owned()],
            moments: FeatureMoments { count: 3, mean: vec![0.1, 1.0 / 3.0], squares: vec![2e-300, 5.0] },
            model_digest: Digest::of(b"m"),
            recipe_digest: Digest::of(b"r"),
            output: "features".to_owned(),
            feature_len: 2,
        };
        let workers = vec![("node1:7440".to_owned(), 12)];
        Checkpoint::of((&weights, 6), &common, (TrainingId([9; 16]), workers), options)
    }

    #[test]
    fn a_run_goes_on_to_the_bit_and_with_its_own_settings_alone() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("run");
        let options = options(Mode::Sync);
        assert!(Checkpoint::read(&path, &options).unwrap().is_none());
        let written = checkpoint(&options);
        for durable in [true, false] {
            written.write(&path, durable).unwrap();
            let read = Checkpoint::read(&path, &options).unwrap().unwrap();
            assert_eq!((&read, read.round(), read.restore(&options).version), (&written, 6, 7));
        }
        let other = FederationOptions { seed: headwater_types::Seed(2), ..options };
        let refused = Checkpoint::read(&path, &other).unwrap_err().to_string();
        assert!(refused.contains("--seed is 1, and not 2"), "{refused}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_cut_or_changed_anywhere_is_no_checkpoint() {
        let bytes = checkpoint(&options(Mode::Esync)).to_bytes().unwrap();
        assert!(Checkpoint::from_bytes(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(Checkpoint::from_bytes(&bytes[..length]).is_err(), "cut to {length}");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x40;
            assert!(Checkpoint::from_bytes(&changed).is_err(), "changed at {place}");
        }
    }

    #[test]
    fn numbers_that_are_not_there_are_not_allocated() {
        let mut lying = checkpoint(&options(Mode::Esync));
        lying.head.weights = MAX_HEAD_WEIGHTS;
        assert_eq!(Checkpoint::from_bytes(&lying.to_bytes().unwrap()), Err("its numbers are cut"));
    }
}
