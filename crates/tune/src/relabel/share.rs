//! One server's share of a labelling whose features are brought: gathered, brought block by block, and counted.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Result, ensure};
use headwater_cli::exit::in_one_line;
use headwater_client::label_calls::{
    BroughtFeatures, FailedFeature, FailuresOfKind, Labelling, LabellingState, OpenedLabelling, Relabel,
};
use headwater_client::{ClientError, ClientOptions, LackingLabels, Partition, ServerAddress, label_features};
use headwater_tables::features::FeatureSample;
use headwater_types::caps::LABEL_BLOCK_ROWS;
use headwater_types::{FailureKind, SampleIndex, SampleKey};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::report::ServerLabelling;

/// A server, what it lacks, and what has come for it.
pub(super) struct Share {
    server: ServerAddress,
    options: ClientOptions,
    task: u64,
    /// The samples of the dataset that are the server's.
    held: Range<u64>,
    request: Relabel,
    opened: OpenedLabelling,
    lacking: Vec<SampleIndex>,
    skipped: u64,
    most: usize,
    gathered: BroughtFeatures,
    keys: HashMap<SampleIndex, SampleKey>,
    due: Option<Instant>,
    underway: Option<Underway>,
    labelled: u64,
    changed: u64,
    failing: BTreeMap<FailureKind, (u64, Vec<String>)>,
}

/// A block on its way.
struct Underway {
    answer: JoinHandle<Result<Vec<FailedFeature>, ClientError>>,
    /// Samples with features.
    rows: u64,
    /// Their keys.
    keys: HashMap<SampleIndex, SampleKey>,
}

/// The longest time for which a sample waits for others.
const WAIT: Duration = Duration::from_secs(1);
/// Most bytes of features in one call: they and their keys fit into a request.
const MOST_BYTES: usize = 16 << 20;
/// Keys that are named of each kind of failure.
const NAMED: usize = 5;

// === impl Share ===

impl Share {
    /// The share of a server that has opened the labelling.
    ///
    /// # Errors
    /// The server's dataset has changed since it was described.
    pub(super) fn new(
        partition: &Partition,
        (request, lacking): (&Relabel, LackingLabels),
        feature_len: usize,
        (options, task): (ClientOptions, u64),
    ) -> Result<Self> {
        let LackingLabels { opened, samples } = lacking;
        let (server, held) = (partition.address.clone(), partition.first..partition.end());
        ensure!(
            opened.dataset_digest == partition.digest,
            "server {server}: the dataset has changed since this command began: run it again"
        );
        let request = Relabel { from_scratch: false, ..request.clone() };
        let most = (MOST_BYTES / (4 * feature_len.max(1))).clamp(1, LABEL_BLOCK_ROWS);
        let skipped = opened.samples.saturating_sub(samples.len() as u64);
        let gathered = nothing(&request, &opened);
        Ok(Self {
            server,
            options,
            task,
            held,
            request,
            opened,
            lacking: samples,
            skipped,
            most,
            gathered,
            keys: HashMap::new(),
            due: None,
            underway: None,
            labelled: 0,
            changed: 0,
            failing: BTreeMap::new(),
        })
    }

    /// The samples that it lacks, by their places in the dataset.
    pub(super) fn take_lacking(&mut self) -> Vec<SampleIndex> {
        let first = self.held.start;
        std::mem::take(&mut self.lacking).into_iter().map(|local| SampleIndex(first + local.0)).collect()
    }

    pub(super) fn has(&self, sample: SampleIndex) -> bool {
        self.held.contains(&sample.0)
    }

    pub(super) fn samples(&self) -> u64 {
        self.opened.samples
    }

    /// Samples that had labels, or had failed, before.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Samples that have had their turn.
    pub(super) fn done(&self) -> u64 {
        self.labelled + self.changed + self.failed()
    }

    fn failed(&self) -> u64 {
        self.failing.values().map(|(count, _)| count).sum()
    }

    /// Takes a sample that came.
    pub(super) fn add(&mut self, sample: FeatureSample) {
        let local = SampleIndex(sample.index.0 - self.held.start);
        self.due.get_or_insert_with(|| Instant::now() + WAIT);
        match sample.outcome {
            Ok(features) => {
                self.gathered.indices.push(local);
                self.gathered.features.extend_from_slice(&features);
                sample.key.into_iter().for_each(|key| drop(self.keys.insert(local, key)));
            }
            Err(failure) => {
                self.gathered.failed.push(FailedFeature { index: local, kind: failure.kind });
                let named = || sample.key.map_or_else(|| format!("sample {}", sample.index), |key| key.to_string());
                self.count(failure.kind, named);
            }
        }
    }

    /// Counts a sample without labels.
    fn count(&mut self, kind: FailureKind, key: impl FnOnce() -> String) {
        if matches!(kind, FailureKind::Changed | FailureKind::NotFound | FailureKind::OutOfRange) {
            self.changed += 1;
            return;
        }
        let (count, named) = self.failing.entry(kind).or_default();
        *count += 1;
        if named.len() < NAMED {
            named.push(key());
        }
    }

    /// Whether as many samples wait as one call brings.
    pub(super) fn is_full(&self) -> bool {
        self.gathered.len() >= self.most
    }

    /// When what waits is to be brought.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Brings what waits, once the block before has been answered.
    pub(super) async fn send(&mut self) -> Result<(), ClientError> {
        self.settle().await?;
        self.due = None;
        let empty = nothing(&self.request, &self.opened);
        let block = std::mem::replace(&mut self.gathered, empty);
        if block.is_empty() {
            return Ok(());
        }
        let (server, options, task) = (self.server.clone(), self.options.clone(), self.task);
        let (rows, keys) = (block.indices.len() as u64, std::mem::take(&mut self.keys));
        let answer = tokio::spawn(async move { label_features(&server, &block, &options, task).await });
        self.underway = Some(Underway { answer, rows, keys });
        Ok(())
    }

    /// Waits for the block on its way, and counts what came of it.
    async fn settle(&mut self) -> Result<(), ClientError> {
        // What is given up on meanwhile is still on its way.
        let Some(underway) = &mut self.underway else { return Ok(()) };
        let answer = (&mut underway.answer).await;
        let Some(Underway { rows, keys, .. }) = self.underway.take() else { return Ok(()) };
        let unscored = answer.map_err(|error| ClientError::Internal(error.to_string()))??;
        self.labelled += rows.saturating_sub(unscored.len() as u64);
        for FailedFeature { index, kind } in unscored {
            self.count(kind, || keys.get(&index).map_or_else(|| format!("sample {index}"), ToString::to_string));
        }
        Ok(())
    }

    /// Brings what waits, and waits for the answer.
    pub(super) async fn finish(&mut self) -> Result<()> {
        self.send().await?;
        Ok(self.settle().await?)
    }

    /// What came of it, in the time in which the command ran. `why`: what ended it early.
    pub(super) fn told(self, why: Option<&anyhow::Error>, ran: Duration) -> ServerLabelling {
        let failed = self.failed();
        let failures = self.failing.into_iter();
        let labelling = Labelling {
            dataset: self.request.dataset,
            model: self.request.model,
            digest: Some(self.opened.labeller.digest),
            model_digest: Some(self.opened.labeller.model),
            state: if why.is_some() { LabellingState::Stopping } else { LabellingState::Done },
            reason: why.map(in_one_line).unwrap_or_default(),
            samples: self.opened.samples,
            labelled: self.labelled,
            skipped: self.skipped,
            failed,
            decoded: self.labelled,
            changed: self.changed,
            ran,
            failures: failures.map(|(kind, (count, first_keys))| FailuresOfKind { kind, count, first_keys }).collect(),
        };
        ServerLabelling::of(&self.server, labelling)
    }
}

/// A block of a labelling that brings nothing yet.
fn nothing(request: &Relabel, opened: &OpenedLabelling) -> BroughtFeatures {
    BroughtFeatures {
        labelling: request.clone(),
        dataset_digest: opened.dataset_digest,
        digest: opened.labeller.digest,
        indices: Vec::new(),
        features: Vec::new(),
        failed: Vec::new(),
    }
}
