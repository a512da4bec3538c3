//! Samples a second of a model, on tensors that are decoded already: ONNX Runtime alone against the extractor.
//!
//! `cargo run --release --example throughput -- NAME=MODEL.onnx,recipe=RECIPE [THREADS]`

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use headwater_features::{Extractor, ExtractorOptions, ModelSpec, Runtime};
use headwater_types::Recipe;
use ort::session::Session;
use ort::value::TensorRef;

const EACH: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let spec: ModelSpec = arguments.next().ok_or("give NAME=MODEL.onnx,recipe=RECIPE")?.parse()?;
    let recipe = Recipe::builtin(&spec.recipe).ok_or("the recipe must be one in the box")?;
    let threads = arguments.next().map_or(Ok(std::thread::available_parallelism()?), |text| text.parse())?;
    let runtime = Runtime::load(None)?;
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    for round in 0..ROUNDS {
        for batch in [1, 2, 4, 8, 32] {
            let rate = bare(&spec, &recipe, threads.get(), batch)?;
            println!("round {round}: bare, 1 session x {threads} threads, batch {batch}: {rate:.0}/s");
        }
        for max_batch in [None, NonZeroUsize::new(1), NonZeroUsize::new(4)] {
            let before = resident();
            let options = ExtractorOptions { threads, max_batch, ..ExtractorOptions::default() };
            let extractor = Extractor::open(&runtime, &spec, recipe.clone(), &options)?;
            let (workers, batch, memory) =
                (extractor.workers(), extractor.max_batch(), resident().saturating_sub(before));
            let rate = tokio.block_on(served(&extractor, 4 * threads.get() * batch.get()));
            println!(
                "round {round}: extractor, {workers} sessions, batch up to {batch}: {rate:.0}/s, {memory} kB more"
            );
        }
    }
    Ok(())
}

fn bare(spec: &ModelSpec, recipe: &Recipe, threads: usize, batch: usize) -> Result<f64, Box<dyn Error>> {
    // The runtime that was loaded has made the process's one environment current.
    let environment = ort::environment::Environment::current()?;
    let mut session = Session::builder(&environment)?
        .with_intra_threads(threads)
        .map_err(|error| error.to_string())?
        .commit_from_file(&spec.path)?;
    let size = recipe.output_size();
    let dims = [batch, 3, size.height as usize, size.width as usize];
    let rows = vec![0.5_f32; dims.iter().product()];
    let mut began = Instant::now();
    let mut runs = 0;
    while runs == 0 || began.elapsed() < EACH {
        if runs == 1 {
            began = Instant::now();
        }
        session.run(ort::inputs![TensorRef::from_array_view((dims, &*rows))?])?;
        runs += 1;
    }
    Ok(((runs - 1) * batch) as f64 / began.elapsed().as_secs_f64())
}

/// With so many callers at once.
async fn served(extractor: &Extractor, callers: usize) -> f64 {
    let size = extractor.recipe().output_size();
    let tensor = vec![0.5_f32; 3 * size.height as usize * size.width as usize];
    let began = Instant::now();
    let samples = stream::repeat_with(|| extractor.extract_tensor(tensor.clone()))
        .take_while(|_| std::future::ready(began.elapsed() < EACH))
        .buffer_unordered(callers)
        .filter(|outcome| std::future::ready(outcome.is_ok()))
        .count()
        .await;
    samples as f64 / began.elapsed().as_secs_f64()
}

/// Resident memory of the process, in kB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
