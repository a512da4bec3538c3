//! Our own JPEG decoder against libjpeg-turbo from the same build, on one core: the program behind `scripts/bench
//! decode`.
//!
//! `decode FOLDER PHOTOS ROUNDS` reads the first PHOTOS JPEGs of FOLDER that can be indexed into memory, lets the two
//! take turns on each, ROUNDS times, and prints a line of JSON for the photos as they are and for their indexed forms:
//!
//! ```text
//! {"photos", "bytes", "form": "plain" or "indexed",
//!  "coefficients" | "pixels" | "crop":
//!      {"own", "libjpeg_turbo": CPU seconds of all photos, the median of each, "ratio"}}
//! ```
//!
//! `crop` is the window of an `imagenet-train` sample, decoded, resized and normalised; of an indexed photo it is cut
//! out first.

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_image::{CpuMeter, IndexedJpeg, Payload, Scratch, decode, finish_into, read_coefficients};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, Draws, ImageLimits, Recipe, SampleKey};
use serde_json::{Map, Value, json};

/// The steps that are timed.
const STEPS: [&str; 3] = ["coefficients", "pixels", "crop"];

/// A photo in one of its forms.
struct Photo {
    key: SampleKey,
    bytes: Bytes,
    payload: Payload,
}

/// The recipe and limits that photos are decoded with.
struct Bench {
    recipe: Recipe,
    limits: ImageLimits,
    row: Vec<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` passes this argument to every program.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, photos, rounds] = &arguments[..] else { return Err("usage: decode FOLDER PHOTOS ROUNDS".into()) };
    let (photos, rounds): (usize, usize) = (photos.parse()?, rounds.parse()?);
    let recipe = Recipe::builtin("imagenet-train").ok_or("imagenet-train is gone")?;
    let row = vec![0.0; (recipe.output_size().pixels() * 3) as usize];
    let mut bench = Bench { recipe, limits: ImageLimits::default(), row };
    let mut forms = [("plain", Vec::new()), ("indexed", Vec::new())];
    for file in files(folder.as_ref())? {
        if forms[0].1.len() == photos {
            break;
        }
        let bytes = Bytes::from(std::fs::read(&file)?);
        let Ok(indexed) = IndexedJpeg::rewrite(&bytes, &bench.limits) else { continue };
        let key: SampleKey = format!("{}", forms[0].1.len()).parse()?;
        let stored = indexed.bytes().clone();
        forms[0].1.push(Photo { key: key.clone(), bytes: bytes.clone(), payload: Payload::Encoded(bytes) });
        forms[1].1.push(Photo { key, bytes: stored, payload: Payload::Indexed(indexed) });
    }
    for (form, photos) in &forms {
        println!("{}", bench.compare(form, photos, rounds)?);
    }
    Ok(())
}

// === impl Bench ===

impl Bench {
    fn compare(&mut self, form: &str, photos: &[Photo], rounds: usize) -> Result<Value, Box<dyn Error>> {
        let mut scratches = [Scratch::new(), Scratch::by_libjpeg_turbo()];
        let mut totals = [[0.0; 2]; STEPS.len()];
        for photo in photos {
            for (step, totals) in totals.iter_mut().enumerate() {
                let mut times = [Vec::new(), Vec::new()];
                for _ in 0..rounds {
                    for (scratch, times) in scratches.iter_mut().zip(&mut times) {
                        times.push(self.time(step, photo, scratch)?);
                    }
                }
                for (total, times) in totals.iter_mut().zip(&mut times) {
                    times.sort_by(f64::total_cmp);
                    *total += times[rounds / 2];
                }
            }
        }
        let bytes: usize = photos.iter().map(|photo| photo.bytes.len()).sum();
        let mut report = Map::new();
        report.insert("form".to_owned(), form.into());
        report.insert("photos".to_owned(), photos.len().into());
        report.insert("bytes".to_owned(), bytes.into());
        for (step, [own, turbo]) in STEPS.into_iter().zip(totals) {
            report.insert(step.to_owned(), json!({ "own": own, "libjpeg_turbo": turbo, "ratio": turbo / own }));
        }
        Ok(Value::Object(report))
    }

    /// CPU seconds of one step.
    fn time(&mut self, step: usize, photo: &Photo, scratch: &mut Scratch) -> Result<f64, Box<dyn Error>> {
        let Self { recipe, limits, row } = self;
        let meter = CpuMeter::start(true);
        match STEPS[step] {
            "coefficients" => read_coefficients(&photo.bytes, limits, scratch)?,
            "pixels" => drop(black_box(decode(&photo.bytes, Orientation::Stored, limits, scratch)?)),
            _ => {
                let draws = Draws { address: Address::new(1, 0), key: &photo.key };
                finish_into(recipe, &photo.payload, &draws, limits, scratch, row)?;
            }
        }
        Ok(meter.read().map_or(0.0, |spent| spent.0))
    }
}

/// All files below a folder, in order of name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}
