//! `profiler fetch`: samples from servers, finished, into a folder.

mod args;
mod indices;
mod npy;
mod row;
mod summary;
mod writer;

pub(crate) use args::FetchArgs;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use headwater_cli::recipe::find as find_recipe;
use headwater_cli::{GrowingBar, Outcome, OutputFolder, Progress};
use headwater_client::{ClientError, ClientOptions, Dataset, FetchRequest, Finisher, Indices};
use headwater_pilot::{Appraisal, Headway, SketchOptions, Steering, auto};
use headwater_tables::plan::{self, PlanSource};
use headwater_types::{Address, Cut, Recipe, Way};
use tokio_util::sync::CancellationToken;

use summary::FetchSummary;
use writer::{Writer, failures_of, remove, write_rows};

/// The list of what is in the folder.
const LISTING: &str = "samples.jsonl";
/// About what a sample's line takes: so much space is taken ahead, so that a disk that becomes full leaves room for the
/// list.
const LINE_BYTES: u64 = 256;

/// Fetches, finishes and writes. Where it is stopped, or a server or the folder fails, what has come is listed.
pub(crate) async fn fetch(
    args: &FetchArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<FetchSummary>> {
    // Dropped after what is written into it: a folder into which nothing came goes again.
    let folder = Arc::new(OutputFolder::open("--out", &args.out)?);
    let listing = folder.file(LISTING)?;
    let begun = stop.run_until_cancelled(Box::pin(begin(args, progress, Arc::clone(&folder)))).await;
    let Begun { dataset, request, writer, appraisal } =
        begun.transpose()?.with_context(|| format!("stopped: nothing was written to {}", args.out.display()))?;
    let asked = request.indices.len();
    listing.reserve(asked.saturating_mul(LINE_BYTES))?;
    // From here on arrays are replaced, and an earlier list would not be of them.
    remove(&args.out.join(LISTING)).with_context(|| format!("cannot remove the old {LISTING}"))?;

    let begin = Instant::now();
    let bar = progress.items("samples", Some(asked));
    // As many again as there are threads: some are written while others are finished.
    let at_once = writer.finisher.workers() * 2;
    let mut rows = BTreeMap::new();
    // Once it is stopped no sample is taken any more, and those that are being finished are written.
    let mut written = dataset
        .fetch(request)?
        .take_until(Box::pin(stop.clone().cancelled_owned()))
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
    let ended = tokio::select! {
        ended = all => ended,
        failed = writer.steering.watch(&dataset) => failed.map_err(Into::into),
    };
    drop(bar);
    let took = begin.elapsed();
    let ended = ended.and_then(|()| match rows.len() as u64 == asked {
        true => Ok(()),
        false => Err(anyhow!("stopped before the end")),
    });
    let listed = write_rows(listing, &rows);

    let failures = failures_of(rows.values());
    let summary =
        FetchSummary::new(args, &dataset, &writer.recipe, &rows, (asked, failures.clone()), took).planned(appraisal);
    let few_enough = failures.check(rows.len() as u64, args.failures.max_failures);
    let kept = |why: anyhow::Error| {
        let (came, out) = (rows.len(), args.out.display());
        why.context(format!("{came} of {asked} samples are kept in {out}, and {LISTING} lists them"))
    };
    Ok(match (ended, listed) {
        (Err(why), Ok(())) => Outcome::short(summary, kept(why)),
        (Err(why), Err(error)) => Outcome::short(summary, why.context(error)),
        (Ok(()), Err(error)) => Outcome::short(summary, error),
        (Ok(()), Ok(())) => Outcome::of(summary, few_enough),
    })
}

/// What a fetch needs, once the servers were asked.
struct Begun {
    dataset: Dataset,
    request: FetchRequest,
    writer: Arc<Writer>,
    /// What `--plan auto` made of the job.
    appraisal: Option<Appraisal>,
}

/// Asks the servers what they have, and plans where that is to be done.
async fn begin(args: &FetchArgs, progress: &Progress, folder: Arc<OutputFolder>) -> anyhow::Result<Begun> {
    let asked_recipe = args.recipe.as_deref().map(find_recipe).transpose()?;
    let options = ClientOptions { allow_non_finite: args.allow_non_finite, ..args.client.options()? };
    let dataset = args.served.connect(None, options.clone()).await?;
    let recipe = Arc::new(recipe_of(args, asked_recipe, &dataset)?);
    let indices = args.indices.as_ref().map_or_else(|| (0..dataset.len()).into(), |set| set.to_indices());
    folder.need(indices.len().saturating_mul(array_bytes(args, &recipe, &dataset)?))?;
    let (steering, appraisal) = steer(args, &dataset, &recipe, &indices, progress).await?;
    let steering = Arc::new(steering);
    let request = FetchRequest {
        indices,
        recipe: Some((*recipe).clone()),
        ways: steering.ways(),
        floats: args.wire_floats,
        addresses: Address::new(args.seed, args.epoch).into(),
        model: args.model.clone().map(Into::into),
        ordered: false,
        measure_cpu: steering.listens(),
        fields: args.fields.clone(),
        caller: None,
    };
    let writer = Arc::new(Writer {
        features: args.cut == Some(Cut::Features),
        wire: args.wire_bytes,
        steering,
        finisher: Finisher::with(&options).context("cannot start the threads that finish recipes")?,
        classes: dataset.classes().to_vec(),
        fields: args.fields.clone(),
        recipe,
        folder,
    });
    Ok(Begun { dataset, request, writer, appraisal })
}

/// Bytes of one array without its header.
fn array_bytes(args: &FetchArgs, recipe: &Recipe, dataset: &Dataset) -> Result<u64, ClientError> {
    Ok(match (args.cut, &args.model) {
        (Some(Cut::Features), Some(name)) => 4 * u64::from(dataset.model(name)?.feature_len),
        _ => 12 * recipe.output_size().pixels(),
    })
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
) -> anyhow::Result<(Steering, Option<Appraisal>)> {
    match (args.plan.clone().map(PlanSource::from), args.cut) {
        (None, None) => bail!("give --cut CUT, or --plan FILE"),
        (None, Some(cut)) => Ok((Steering::new(Way::asked(cut, args.pixels, args.wire_floats)), None)),
        (Some(PlanSource::Auto), _) => {
            let (bar, address) = (GrowingBar::new(progress, "profile"), Address::new(args.seed, args.epoch));
            let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
            let options = SketchOptions { budget: args.profile_seconds, ..SketchOptions::default() };
            let (steering, appraisal) =
                auto(dataset, recipe, &options, address, &indices.to_vec(), &on_progress).await?;
            Ok((steering, Some(appraisal)))
        }
        (Some(PlanSource::File(file)), _) => {
            let plan = plan::read(&file)?;
            let steering = Steering::by(&plan, dataset, recipe);
            Ok((steering.with_context(|| format!("--plan {}", file.display()))?, None))
        }
    }
}
