//! Samples a second through a network, on pixels that are ready.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, stream};
use headwater_features::{Device, Extractor, ExtractorOptions, ModelSpec, Runtime, Unfinished};
use headwater_image::{Payload, Rgb8};
use headwater_types::{Address, ImageLimits, Recipe, SampleKey, caps};
use serde::Serialize;

/// What was measured.
#[derive(Serialize)]
pub(crate) struct Rate {
    pub(crate) model: String,
    pub(crate) device: String,
    pub(crate) batch: usize,
    pub(crate) samples_per_second: f64,
}

/// Before what counts, as a part of the whole.
const WARM_UP: f64 = 0.25;

/// Loads a network and keeps it fed.
pub(crate) async fn measure(
    file: PathBuf,
    recipe: Recipe,
    device: Device,
    library: Option<PathBuf>,
    time: Duration,
) -> anyhow::Result<Rate> {
    let shown = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let size = recipe.output_size();
    let cores = headwater_image::cores();
    let open = move || -> anyhow::Result<Extractor> {
        let runtime = Runtime::load(library.as_deref())?;
        let options = ExtractorOptions {
            device,
            threads: cores,
            max_batch: None,
            max_wait: Duration::from_millis(5),
            queue: 2 * cores.get(),
            max_model: caps::MAX_MODEL_BYTES,
        };
        let spec =
            ModelSpec { name: "model".parse()?, path: file.clone(), recipe: recipe.name().to_string(), output: None };
        Extractor::open(&runtime, &spec, recipe, &options).with_context(|| format!("--model {}", file.display()))
    };
    // Loading and choosing a batch size take seconds of CPU.
    let extractor = tokio::task::spawn_blocking(open).await.context("loading the network")??;
    let grey = Rgb8::new(size, vec![128; 3 * size.pixels() as usize]).context("pixels of the recipe's size")?;
    let key: SampleKey = "grey".parse().context("a key")?;
    let batch = extractor.max_batch().get();
    let (extractor, at_once) = (Arc::new(extractor), 4 * batch);
    let answer = || {
        let (extractor, key) = (Arc::clone(&extractor), key.clone());
        let payload = Payload::Flipped(grey.clone());
        async move {
            let place = extractor.place().await?;
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
        answered.with_context(|| format!("--model {shown}"))?;
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
    let Some(since) = since else { bail!("--model {shown} gave no answer") };
    let samples_per_second = counted as f64 / since.elapsed().as_secs_f64();
    Ok(Rate { model: shown, device: device.to_string(), batch, samples_per_second })
}
