//! Samples a second through a network, on pixels that are ready.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, stream};
use headwater_features::{Devices, Extractor, ExtractorOptions, InputSettings, ModelSpec, Runtime, Unfinished};
use headwater_image::{Payload, Rgb8};
use headwater_types::{Address, ImageLimits, Recipe, SampleKey, caps};
use serde::Serialize;

/// How fast a network answers.
#[derive(Serialize)]
pub(crate) struct Rate {
    pub(crate) model: String,
    pub(crate) device: String,
    pub(crate) batch: usize,
    pub(crate) samples_per_second: f64,
}

/// The time to warm up before answers are counted, as a part of the time for which they are.
const WARM_UP: f64 = 0.25;

/// Loads a network and keeps it fed for this long.
pub(crate) async fn measure(
    file: PathBuf,
    recipe: Recipe,
    devices: Devices,
    library: Option<PathBuf>,
    time: Duration,
) -> anyhow::Result<Rate> {
    let model = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let size = recipe.output_size();
    // Loading and choosing a batch size take seconds of CPU.
    let opening = move || open(file, recipe, devices, library.as_deref());
    let extractor = tokio::task::spawn_blocking(opening).await.context("loading the network")??;
    let (batch, device) = (extractor.max_batch().get(), extractor.runs_on());
    let grey = Rgb8::new(size, vec![128; 3 * size.pixels() as usize]).context("pixels of the recipe's size")?;
    let samples_per_second =
        count(Arc::new(extractor), grey, time).await.with_context(|| format!("--model {model}"))?;
    Ok(Rate { model, device, batch, samples_per_second })
}

fn open(file: PathBuf, recipe: Recipe, devices: Devices, library: Option<&Path>) -> anyhow::Result<Extractor> {
    let runtime = Runtime::load(library)?;
    let cores = headwater_image::cores();
    let options = ExtractorOptions {
        devices,
        threads: cores,
        max_batch: None,
        max_wait: Duration::from_millis(5),
        queue: 2 * cores.get(),
        max_model: caps::MAX_MODEL_BYTES,
        ..ExtractorOptions::default()
    };
    let shown = file.display().to_string();
    let spec = ModelSpec {
        name: "model".parse()?,
        path: file,
        recipe: recipe.name().to_string(),
        output: None,
        classes: None,
        input: InputSettings::default(),
    };
    Extractor::open(&runtime, &spec, recipe, &options).with_context(|| format!("--model {shown}"))
}

/// Samples a second of the same pixels, over and over, after a part of the time to warm up.
async fn count(extractor: Arc<Extractor>, pixels: Rgb8, time: Duration) -> anyhow::Result<f64> {
    let at_once = 4 * extractor.devices().iter().count() * extractor.max_batch().get();
    let key: SampleKey = "grey".parse().context("a key")?;
    let answer = || {
        let (extractor, key, payload) = (Arc::clone(&extractor), key.clone(), Payload::Flipped(pixels.clone()));
        async move {
            let place = extractor.place().await;
            let (address, limits) = (Address::default(), ImageLimits::default());
            place
                .extract(Unfinished { payload, address, key, limits, measure_cpu: false, allow_non_finite: true })
                .await
        }
    };
    let warm = Instant::now() + time.mul_f64(WARM_UP);
    let end = warm + time;
    let mut answers = stream::repeat_with(answer).buffer_unordered(at_once);
    let (mut counted, mut since) = (0_u64, None);
    while let Some(answered) = answers.next().await {
        answered?;
        let now = Instant::now();
        match since {
            None if now >= warm => since = Some(now),
            None => {}
            Some(_) => counted += 1,
        }
        if now >= end && counted > 0 {
            break;
        }
    }
    let Some(since) = since else { bail!("the network gave no answer") };
    Ok(counted as f64 / since.elapsed().as_secs_f64())
}
