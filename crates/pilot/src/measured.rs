//! Samples fetched at a way, finished, and measured on both sides.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use headwater_client::{Dataset, FetchRequest};
use headwater_types::{Address, Cut, ModelName, Recipe, SampleIndex, Way};
use tokio::time::{Instant, timeout_at};

use crate::clock::cpu_of_process;
use crate::error::PilotError;
use crate::finishing::Finishing;
use crate::statistics::median;
use crate::ways::travels_as_floats;

/// What one sample took at one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) bytes: u64,
    pub(crate) storage: f64,
    pub(crate) trainer: f64,
    /// The cut at which it came: `encoded`, where a photo has no `jpeg-crop`.
    pub(crate) came: Cut,
}

/// What one pass over some samples took beside the samples themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    pub(crate) samples: u64,
    pub(crate) payload: u64,
    /// Bytes of messages on the wire.
    pub(crate) received: u64,
    /// CPU seconds of this process, but for finishing.
    pub(crate) receiving: f64,
}

/// How samples are measured.
pub(crate) struct Probe<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) finishing: &'a Finishing<'a>,
    pub(crate) recipe: &'a Arc<Recipe>,
    /// The model of the way `features`.
    pub(crate) model: Option<&'a ModelName>,
    pub(crate) address: Address,
    /// Times that each sample is measured at each way.
    pub(crate) repeats: usize,
    /// When measuring stops, with what was measured by then.
    pub(crate) deadline: Option<Instant>,
}

/// Observations by sample; `Err` with the words of a sample that fails.
pub(crate) type Observed = BTreeMap<u64, Result<Observation, String>>;

// === impl Probe ===

impl Probe<'_> {
    /// Times that samples are fetched at a way.
    pub(crate) fn passes(&self, way: Way) -> usize {
        self.repeats.max(1) + usize::from(way.cut() == Cut::JpegCrop)
    }

    /// Measures these samples at a way: of each the median of its times.
    pub(crate) async fn at(
        &self,
        way: Way,
        samples: &[SampleIndex],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Observed, Pass), PilotError> {
        if way.cut() == Cut::JpegCrop {
            // The first crop of a photo re-writes it: that is done once and not in every epoch.
            self.once(way, samples, on_progress).await?;
        }
        let mut times: BTreeMap<u64, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        let (mut observed, mut sum) = (Observed::new(), Pass::default());
        for _ in 0..self.repeats.max(1) {
            let (of_pass, pass) = self.once(way, samples, on_progress).await?;
            for (index, outcome) in &of_pass {
                if let Ok(observation) = outcome {
                    let (storage, trainer) = times.entry(*index).or_default();
                    storage.push(observation.storage);
                    trainer.push(observation.trainer);
                }
            }
            observed.extend(of_pass);
            sum.samples += pass.samples;
            sum.payload += pass.payload;
            sum.received += pass.received;
            sum.receiving += pass.receiving;
        }
        for (index, (storage, trainer)) in times {
            if let Some(Ok(observation)) = observed.get_mut(&index) {
                (observation.storage, observation.trainer) = (median(&storage), median(&trainer));
            }
        }
        Ok((observed, sum))
    }

    /// Fetches and finishes every sample once.
    async fn once(
        &self,
        way: Way,
        samples: &[SampleIndex],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Observed, Pass), PilotError> {
        let request = FetchRequest {
            indices: samples.iter().copied().collect(),
            recipe: Some((**self.recipe).clone()),
            ways: way.into(),
            floats: travels_as_floats(way),
            addresses: self.address.into(),
            model: self.model.filter(|_| way == Way::FEATURES).cloned().map(Into::into),
            ordered: false,
            measure_cpu: true,
            fields: Vec::new(),
            caller: None,
        };
        let (busy, received) = (cpu_of_process(), self.dataset.counters().bytes_received);
        let mut pass = Pass::default();
        let mut finishing = 0.0;
        let mut observed = Observed::new();
        let mut finished = self
            .dataset
            .fetch(request)?
            .map_ok(async |sample| {
                let delivered = sample.outcome.as_ref().ok();
                let came = delivered.map(|delivered| (delivered.way.cut(), delivered.payload.len() as u64));
                let (index, storage) = (sample.index.0, sample.cpu.unwrap_or_default());
                let (outcome, trainer) = self.finishing.finish(self.recipe, sample).await;
                Ok((index, outcome, came, storage, trainer))
            })
            .try_buffer_unordered(self.finishing.at_once());
        loop {
            let next = match self.deadline {
                None => finished.try_next().await,
                Some(deadline) => timeout_at(deadline, finished.try_next()).await.unwrap_or(Ok(None)),
            };
            let Some((index, outcome, came, storage, trainer)) = next? else { break };
            finishing += trainer.0;
            pass.samples += 1;
            pass.payload += came.map_or(0, |(_, bytes)| bytes);
            let outcome = match (outcome, came) {
                (Ok(()), Some((came, bytes))) => {
                    Ok(Observation { bytes, storage: storage.0, trainer: trainer.0, came })
                }
                (Err(failure), _) => Err(failure.message),
                (Ok(()), None) => Err("it came without a payload".to_owned()),
            };
            observed.insert(index, outcome);
            on_progress(1);
        }
        pass.received = self.dataset.counters().bytes_received.saturating_sub(received);
        pass.receiving = (cpu_of_process().0 - busy.0 - finishing).max(0.0);
        Ok((observed, pass))
    }
}
