//! Samples a second of a model, on tensors that are decoded already: ONNX Runtime alone, or the extractor. A process
//! has one ONNX Runtime environment, and so each is a run of its own: interleave them.
//!
//! `cargo run --release --example throughput -- bare|extractor NAME=MODEL.onnx,recipe=RECIPE [THREADS]`

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt};
use headwater_features::{Extractor, ExtractorOptions, ModelSpec, Runtime};
use headwater_types::Recipe;
use ort::session::Session;
use ort::value::TensorRef;

const EACH: Duration = Duration::from_secs(4);
const CALLERS: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().ok_or("say bare or extractor")?;
    let spec: ModelSpec = arguments.next().ok_or("give NAME=MODEL.onnx,recipe=RECIPE")?.parse()?;
    let recipe = Recipe::builtin(&spec.recipe).ok_or("the recipe must be one in the box")?;
    let threads = arguments.next().map_or_else(|| Ok(headwater_image::cores()), |text| text.parse())?;
    match mode.as_str() {
        "bare" => bare(&spec, &recipe, threads.get()),
        "extractor" => extractor(&spec, &recipe, threads),
        _ => Err("say bare or extractor".into()),
    }
}

/// One session that has all threads, as a script would write it.
fn bare(spec: &ModelSpec, recipe: &Recipe, threads: usize) -> Result<(), Box<dyn Error>> {
    let library = std::env::var_os("ORT_DYLIB_PATH").ok_or("set ORT_DYLIB_PATH")?;
    let environment = ort::init_from(library)?.build()?;
    let size = recipe.output_size();
    for batch in [1, 2, 4, 8, 32] {
        let builder = Session::builder(&environment)?.with_intra_threads(threads);
        let mut session = builder.map_err(|error| error.to_string())?.commit_from_file(&spec.path)?;
        let dims = [batch, 3, size.height as usize, size.width as usize];
        let rows = vec![0.5_f32; dims.iter().product()];
        let mut run = || session.run(ort::inputs![TensorRef::from_array_view((dims, &*rows))?]).map(drop);
        run()?;
        let (meter, mut samples) = (Meter::start(), 0);
        while meter.began.elapsed() < EACH {
            run()?;
            samples += batch;
        }
        println!("bare, 1 session x {threads} threads, batch {batch}: {}", meter.stop(samples));
    }
    Ok(())
}

fn extractor(spec: &ModelSpec, recipe: &Recipe, threads: NonZeroUsize) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::load(None)?;
    let tokio = tokio::runtime::Builder::new_current_thread().build()?;
    for max_batch in [None, NonZeroUsize::new(1), NonZeroUsize::new(4)] {
        let options = ExtractorOptions { threads, max_batch, ..ExtractorOptions::default() };
        let extractor = Extractor::open(&runtime, spec, recipe.clone(), &options)?;
        let (workers, batch, chosen) = (extractor.workers(), extractor.max_batch(), max_batch.is_none());
        let meter = Meter::start();
        let samples = tokio.block_on(served(&extractor, CALLERS));
        let how = if chosen { "measured" } else { "given" };
        println!("extractor, {workers} sessions, batch {batch} ({how}): {}", meter.stop(samples));
    }
    Ok(())
}

/// Samples that so many callers get at once.
async fn served(extractor: &Extractor, callers: usize) -> usize {
    let size = extractor.recipe().output_size();
    let tensor = vec![0.5_f32; 3 * size.height as usize * size.width as usize];
    let began = Instant::now();
    stream::repeat_with(|| extractor.extract_tensor(tensor.clone()))
        .take_while(|_| std::future::ready(began.elapsed() < EACH))
        .buffer_unordered(callers)
        .filter(|outcome| std::future::ready(outcome.is_ok()))
        .count()
        .await
}

/// Wall time, and the time that the process's threads were on a core. On a machine with other work only the second one
/// can be compared.
struct Meter {
    began: Instant,
    cpu: f64,
}

impl Meter {
    fn start() -> Self {
        Self { began: Instant::now(), cpu: cpu_seconds() }
    }

    fn stop(&self, samples: usize) -> String {
        let (wall, cpu) = (self.began.elapsed().as_secs_f64(), cpu_seconds() - self.cpu);
        let samples = samples as f64;
        format!("{:.0}/s, {:.0} per CPU second, {} MB", samples / wall, samples / cpu, resident() / 1000)
    }
}

/// User and system time of the process, from fields 14 and 15 of its `stat`; Linux counts 100 ticks a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Resident memory of the process, in kB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
