//! The passages of a job, each opened when it is first taken.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use headwater_client::{Dataset, Front, ModelInfo};
use headwater_infer::{LocalBack, LocalExtractor, LocalOptions};
use headwater_plan::partition::{Choice, NetworkProfile};
use headwater_types::NetworkCut;
use tokio::sync::Mutex;

use crate::error::{SourceError, SplitError};
use crate::passage::Passage;

/// Opens passages between a dataset's servers and this machine.
#[derive(Debug)]
pub(crate) struct Passages {
    dataset: Dataset,
    model: ModelInfo,
    /// The model's file.
    file: PathBuf,
    /// Where models run here.
    here: LocalOptions,
    open: Mutex<Open>,
}

/// What is open. It stays so: a job goes between few cuts.
#[derive(Debug, Default)]
struct Open {
    whole: Option<Arc<LocalExtractor>>,
    halves: BTreeMap<NetworkCut, (Front, Arc<LocalBack>)>,
}

// === impl Passages ===

impl Passages {
    pub(crate) fn new(dataset: &Dataset, model: &ModelInfo, (file, here): (PathBuf, LocalOptions)) -> Self {
        Self { dataset: dataset.clone(), model: model.clone(), file, here, open: Mutex::default() }
    }

    /// The passage at a cut of the network.
    ///
    /// # Errors
    /// A cut that servers or this machine cannot open, or that they take for different ones.
    pub(crate) async fn at(&self, cut: &NetworkCut, coded: bool) -> Result<Passage, SourceError> {
        let mut open = self.open.lock().await;
        if let Some((front, back)) = open.halves.get(cut) {
            return Ok(Passage::Cut { front: Box::new(front.clone()), coded, back: Arc::clone(back) });
        }
        // Here first: it takes less time, and says the same of a cut that there is not.
        let (file, options) = (self.file.clone(), self.dataset.options());
        let back = LocalBack::open(file, self.model.clone(), cut.clone(), options, self.here.onnxruntime.clone());
        let back = Arc::new(back.await?);
        let front = self.dataset.open_front(&self.model.name, cut).await?;
        if front.model.info.feature_len as usize != back.elements() {
            let (servers, here) = (front.model.info.feature_len as usize, back.elements());
            return Err(SplitError::Elements { cut: cut.clone(), servers, here }.into());
        }
        open.halves.insert(cut.clone(), (front.clone(), Arc::clone(&back)));
        Ok(Passage::Cut { front: Box::new(front), coded, back })
    }

    /// The passage that was chosen by a profile.
    ///
    /// # Errors
    /// As [`Passages::at`], and a profile whose cut is none.
    pub(crate) async fn of(&self, choice: &Choice, profile: &NetworkProfile) -> Result<Passage, SourceError> {
        let no_cut = || SplitError::NoCut(choice.cut.clone());
        let costs = profile.cuts.iter().find(|cut| cut.cut == choice.cut).ok_or_else(no_cut)?;
        if let Some(cut) = costs.network_cut() {
            return self.at(&cut, choice.coded).await;
        }
        let way = costs.way().ok_or_else(no_cut)?;
        Ok(if way.is_features() { Passage::Features } else { Passage::Pixels(way, self.whole().await?) })
    }

    async fn whole(&self) -> Result<Arc<LocalExtractor>, SourceError> {
        let mut open = self.open.lock().await;
        if let Some(whole) = &open.whole {
            return Ok(Arc::clone(whole));
        }
        let (file, options) = (self.file.clone(), self.dataset.options());
        let whole = LocalExtractor::open(file, self.model.clone(), options, self.here.clone()).await?;
        Ok(Arc::clone(open.whole.insert(Arc::new(whole))))
    }
}
