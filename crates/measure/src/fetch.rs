//! `profiler fetch`: samples from servers, finished, into a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use futures::TryStreamExt as _;
use headwater_cli::{PhaseBars, Progress};
use headwater_client::{ClientError, Dataset, FetchRequest, Finished, Finisher, Indices, Sample};
use headwater_pilot::{Phase, Steering, auto};
use headwater_types::{Cut, Draws, Epoch, FailureKind, Framing, Recipe, SampleFailure, Seed};

use crate::args::FetchArgs;
use crate::plan::read_plan;
use crate::row::{Row, Wire};
use crate::summary::Summary;
use crate::{npy, recipe, whole};

/// Fetches, finishes and writes; the summary is still to be printed.
pub(crate) async fn fetch(args: &FetchArgs, progress: &Progress) -> anyhow::Result<Summary> {
    let asked_recipe = args.recipe.as_deref().map(recipe::find).transpose()?;
    let options = args.client.options();
    let dataset = Dataset::connect(&args.servers, &args.dataset, options.clone()).await?;
    let recipe = Arc::new(recipe_of(args, asked_recipe, &dataset)?);
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {}", args.out.display()))?;

    let indices = args.indices.as_ref().map_or_else(|| (0..dataset.len()).into(), |set| set.to_indices());
    let asked = indices.len();
    let steering = Arc::new(steer(args, &dataset, &recipe, &indices, progress).await?);
    let request = FetchRequest {
        indices,
        recipe: Some((*recipe).clone()),
        cut: steering.cut(),
        pixels: steering.pixels(),
        floats: args.wire_floats,
        seed: Seed(args.seed),
        epoch: Epoch(args.epoch),
        model: args.model.clone(),
        ordered: false,
        measure_cpu: steering.listens(),
    };
    let writer = Arc::new(Writer {
        recipe: Arc::clone(&recipe),
        features: args.cut == Some(Cut::Features),
        wire: args.wire_bytes,
        steering: Arc::clone(&steering),
        seed: Seed(args.seed),
        epoch: Epoch(args.epoch),
        finisher: Finisher::with(&options).context("cannot start the threads that finish recipes")?,
        classes: dataset.classes().to_vec(),
        out: args.out.clone(),
    });

    let begin = Instant::now();
    let bar = progress.items("samples", Some(asked));
    // As many again as there are threads: some are written while others are finished.
    let at_once = writer.finisher.workers() * 2;
    let mut rows = BTreeMap::new();
    let mut written = dataset
        .fetch(request)?
        .map_err(anyhow::Error::new)
        .map_ok(|sample| Arc::clone(&writer).write(sample))
        .try_buffer_unordered(at_once);
    let all = async {
        while let Some(row) = written.try_next().await? {
            bar.add(1);
            rows.insert(row.index, row);
        }
        anyhow::Ok(())
    };
    tokio::select! {
        ended = all => ended?,
        failed = steering.watch(&dataset) => failed?,
    }
    drop(bar);
    let took = begin.elapsed();

    write_rows(&args.out, &rows)?;
    let errors = rows.values().filter_map(|row| row.error.as_ref());
    if let Some(first) = errors.clone().next()
        && errors.clone().count() == rows.len()
    {
        let message = &first.message;
        bail!("every one of {} samples failed, the first because {message}; see samples.jsonl", rows.len());
    }
    Ok(Summary::new(args, &dataset, &recipe, &rows, took))
}

/// At the cut `features` the model's own recipe holds, and elsewhere the one that was asked for.
fn recipe_of(args: &FetchArgs, asked: Option<Recipe>, dataset: &Dataset) -> Result<Recipe, ClientError> {
    let of_model = args.model.as_ref().map(|name| dataset.model(name)).transpose()?.map(|model| model.recipe);
    match (args.cut, asked, of_model) {
        (Some(Cut::Features), _, None) => {
            Err(ClientError::Request("the cut features needs a model: give --model NAME"))
        }
        (_, Some(recipe), _) | (_, None, Some(recipe)) => Ok(recipe),
        (_, None, None) => Err(ClientError::Request("give --recipe NAME|FILE, or --model NAME for its own recipe")),
    }
}

/// How samples travel.
async fn steer(
    args: &FetchArgs,
    dataset: &Dataset,
    recipe: &Recipe,
    indices: &Indices,
    progress: &Progress,
) -> anyhow::Result<Steering> {
    match (&args.plan, args.cut) {
        (None, None) => bail!("give --cut CUT, or --plan FILE"),
        (None, Some(cut)) => Ok(Steering::new(cut, args.pixels)),
        (Some(plan), _) if plan.as_os_str() == "auto" => {
            let (bars, address) = (PhaseBars::new(progress), (Seed(args.seed), Epoch(args.epoch)));
            let told = |phase: Phase, more| bars.told(phase.title(), phase.total(), more);
            Ok(auto(dataset, recipe, address, &indices.to_vec(), &told).await?)
        }
        (Some(file), _) => {
            let plan = read_plan(file)?;
            Steering::by(&plan, dataset, recipe).with_context(|| format!("--plan {}", file.display()))
        }
    }
}

/// Turns samples into files and rows.
struct Writer {
    recipe: Arc<Recipe>,
    /// Whether what comes are features, and not pixels to be finished.
    features: bool,
    /// Whether rows say how samples travelled.
    wire: bool,
    /// Hears of every sample.
    steering: Arc<Steering>,
    seed: Seed,
    epoch: Epoch,
    finisher: Finisher,
    classes: Vec<String>,
    out: PathBuf,
}

// === impl Writer ===

impl Writer {
    /// Finishes and writes one sample. An error is one of the folder; what is wrong with the sample stands in its row.
    async fn write(self: Arc<Self>, sample: Sample) -> anyhow::Result<Row> {
        let wire = self.wire.then(|| Wire::of(&sample.outcome));
        let (row, file) = if self.features {
            self.vector(sample)
        } else {
            let cut = sample.outcome.as_ref().ok().map(|delivered| delivered.cut);
            let there = sample.cpu.unwrap_or_default();
            let (finished, here) = self.finisher.finish_metered(&self.recipe, sample, self.seed, self.epoch).await;
            self.steering.came(finished.index, cut, there, here);
            self.tensor(finished)
        };
        let path = self.out.join(format!("{}.npy", row.index));
        let put = move || match file {
            Some(file) => whole::write(&path, &file).with_context(|| format!("cannot write {}", path.display())),
            // An earlier run's array must not pass for this one's.
            None => whole::remove(&path).with_context(|| format!("cannot remove {}", path.display())),
        };
        tokio::task::spawn_blocking(put).await.context("writing a file")??;
        Ok(row.travelled(wire))
    }

    fn tensor(&self, finished: Finished) -> (Row, Option<Vec<u8>>) {
        let row = self.row(finished.index.0, finished.key.as_ref().map(|key| key.as_str()), finished.label);
        match finished.outcome {
            Ok(done) => {
                let size = done.tensor.size();
                let data = done.tensor.values().iter().map(|value| value.to_le_bytes());
                (row.framed(done.source, &done.framing), Some(npy::file(&[3, size.height, size.width], data)))
            }
            Err(failure) => (row.failed(failure), None),
        }
    }

    fn vector(&self, sample: Sample) -> (Row, Option<Vec<u8>>) {
        let row = self.row(sample.index.0, sample.key.as_ref().map(|key| key.as_str()), sample.label);
        match (sample.outcome, &sample.key) {
            (Ok(delivered), Some(key)) => {
                let data = delivered.payload.as_chunks::<4>().0.iter().copied();
                let file = npy::file(delivered.shape.axes(), data);
                let draws = Draws { seed: self.seed, epoch: self.epoch, key };
                let framed = |source| row.clone().framed(source, &Framing::new(self.recipe.stages(), source, &draws));
                (delivered.source.map_or_else(|| row.clone(), framed), Some(file))
            }
            (Ok(_), None) => (row.failed(SampleFailure::new(FailureKind::Internal, "it came without a key")), None),
            (Err(failure), _) => (row.failed(failure), None),
        }
    }

    fn row(&self, index: u64, key: Option<&str>, label: Option<headwater_types::ClassId>) -> Row {
        let class = label.and_then(|class| self.classes.get(class.0 as usize));
        Row::new(index, key.map(str::to_owned), class.cloned())
    }
}

fn write_rows(out: &Path, rows: &BTreeMap<u64, Row>) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for row in rows.values() {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    let path = out.join("samples.jsonl");
    whole::write(&path, &lines).with_context(|| format!("cannot write {}", path.display()))
}
