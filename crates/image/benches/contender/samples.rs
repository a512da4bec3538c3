//! The samples that every contender makes: photos in memory, in both forms, and the framing of each in each epoch.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use headwater_image::{IndexedJpeg, Payload, Scratch, Unindexable, advance, finish_into, read_header};
use headwater_types::{Address, Cut, Draws, Epoch, Framing, ImageLimits, Recipe, SampleKey, Seed, Size};
use serde_json::{Value, json};

use crate::variant::Variant;

/// Boxes and flips are drawn from this recipe and seed; the fast recipe's are the same, but for its decoding.
const RECIPE: &str = "imagenet-train";
const SEED: Seed = Seed(1);

pub(crate) struct Samples {
    photos: Vec<Photo>,
    epochs: u64,
    workers: Vec<Worker>,
}

struct Photo {
    path: String,
    key: SampleKey,
    size: Size,
    stored: Payload,
    indexed: Result<Payload, Unindexable>,
}

/// The buffers that one thread keeps from sample to sample.
#[derive(Default)]
struct Worker {
    scratch: Scratch,
    tensor: Vec<f32>,
}

// === impl Samples ===

impl Samples {
    /// Reads the photos that a file names, and re-writes them.
    pub(crate) fn read(list: &Path, epochs: u64, threads: usize) -> Result<Self, Box<dyn Error>> {
        let list = fs::read_to_string(list)?;
        let photos = list.lines().map(|path| Photo::read(path).map_err(|error| format!("{path}: {error}").into()));
        let photos = photos.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
        Ok(Self { photos, epochs, workers: (0..threads).map(|_| Worker::default()).collect() })
    }

    /// The numbers with which peers make the same samples: the recipe's, the photos', and one entry for each sample.
    pub(crate) fn describe(&self) -> Result<Value, Box<dyn Error>> {
        let recipe = recipe(RECIPE)?;
        let output = recipe.output_size();
        let normalize = recipe.stages().normalize.as_ref().ok_or("the recipe does not normalise")?;
        let samples = (0..self.len()).map(|index| {
            let (photo, draws) = self.sample(index);
            let Framing { readable: b, flip, .. } = Framing::new(recipe.stages(), photo.size, &draws);
            json!({
                "photo": index % self.photos.len(), "flip": flip,
                "x": b.x, "y": b.y, "width": b.width, "height": b.height,
            })
        });
        Ok(json!({
            "width": output.width, "height": output.height, "mean": normalize.mean, "std": normalize.std,
            "photos": self.photos.iter().map(Photo::describe).collect::<Vec<_>>(),
            "samples": samples.collect::<Vec<_>>(),
        }))
    }

    /// Makes every sample once, on as many threads as there are workers, and drops it.
    pub(crate) fn pass(&mut self, variant: Variant) -> Result<(), Box<dyn Error>> {
        let recipe = recipe(variant.recipe)?;
        let mut workers = std::mem::take(&mut self.workers);
        let next = AtomicUsize::new(0);
        let work = |worker: &mut Worker| -> Result<(), String> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= self.len() {
                    return Ok(());
                }
                worker.make(variant, &recipe, self.sample(index), |bytes| {
                    black_box(bytes);
                    Ok(())
                })?;
            }
        };
        let outcome = thread::scope(|scope| {
            let threads: Vec<_> = workers.iter_mut().map(|worker| scope.spawn(|| work(worker))).collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
        });
        self.workers = workers;
        Ok(outcome?)
    }

    /// Writes every sample in order, its numbers in the machine's byte order; answers how many there are.
    pub(crate) fn save(&self, variant: Variant, out: &mut impl Write) -> Result<usize, Box<dyn Error>> {
        let recipe = recipe(variant.recipe)?;
        let mut worker = Worker::default();
        for index in 0..self.len() {
            worker
                .make(variant, &recipe, self.sample(index), |bytes| out.write_all(bytes).map_err(|e| e.to_string()))?;
        }
        Ok(self.len())
    }

    fn len(&self) -> usize {
        self.photos.len() * self.epochs as usize
    }

    /// All samples, epoch by epoch, as a data loader orders them: no photo comes twice in a row.
    fn sample(&self, index: usize) -> (&Photo, Draws<'_>) {
        let photo = &self.photos[index % self.photos.len()];
        let epoch = Epoch((index / self.photos.len()) as u64);
        (photo, Draws { address: Address { seed: SEED, epoch }, key: &photo.key })
    }
}

// === impl Worker ===

impl Worker {
    /// Makes one sample and shows its bytes to `take`.
    fn make(
        &mut self,
        variant: Variant,
        recipe: &Recipe,
        (photo, draws): (&Photo, Draws<'_>),
        take: impl FnOnce(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let limits = ImageLimits::default();
        let payload = if variant.indexed { photo.indexed.as_ref().unwrap_or(&photo.stored) } else { &photo.stored };
        let named = |error| format!("{}: {error}", photo.path);
        if variant.floats {
            self.tensor.resize(recipe.output_size().pixels() as usize * 3, 0.0);
            finish_into(recipe, payload, &draws, &limits, &mut self.scratch, &mut self.tensor).map_err(named)?;
            return take(bytemuck::cast_slice(&self.tensor));
        }
        let flipped =
            advance(recipe, payload.clone(), Cut::Flipped, &draws, &limits, &mut self.scratch).map_err(named)?;
        take(&flipped.into_bytes())
    }
}

// === impl Photo ===

impl Photo {
    fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let limits = ImageLimits::default();
        let bytes = fs::read(path)?;
        let orientation = recipe(RECIPE)?.stages().orientation;
        let size = read_header(&bytes, orientation, &limits)?.size;
        let name = Path::new(path).file_name().and_then(|name| name.to_str()).ok_or("its name is not UTF-8")?;
        Ok(Self {
            path: path.to_owned(),
            key: name.parse()?,
            size,
            indexed: IndexedJpeg::rewrite(&bytes, &limits).map(Payload::Indexed),
            stored: Payload::Encoded(bytes.into()),
        })
    }

    fn describe(&self) -> Value {
        let length = |payload: &Payload| payload.clone().into_bytes().len();
        json!({
            "path": self.path,
            "bytes": length(&self.stored),
            "indexed_bytes": self.indexed.as_ref().ok().map(length),
            "unindexable": self.indexed.as_ref().err().map(|reason| reason.as_str()),
        })
    }
}

fn recipe(name: &str) -> Result<Recipe, String> {
    Recipe::builtin(name).ok_or_else(|| format!("there is no recipe {name}"))
}
