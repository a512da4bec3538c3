//! Measures the time from a stored photo to its finished tensor on one core, for the photo as it is and for its indexed
//! form; and how other recipes change time and pixels.
//!
//! `cargo run --release -p headwater-image --example photos -- RECIPE[,RECIPE]... PHOTO...` prints milliseconds of CPU
//! time a photo and photos a second, the median of rounds that take turns, each with its own crops; and in levels of
//! 256 how far the crops are from those of the first recipe: the mean of all photos, of those that differ, and the
//! largest mean of one.

use std::error::Error;

use headwater_image::{IndexedJpeg, Payload, Scratch, advance, finish_into};
use headwater_types::{Address, Cut, Draws, Epoch, ImageLimits, Recipe, SampleKey, Seed};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: u64 = 9;

/// Photos, and the scratch in which they are decoded.
struct Bench {
    photos: Vec<Photo>,
    limits: ImageLimits,
    scratch: Scratch,
}

/// A photo as it is stored, and its indexed form.
struct Photo {
    key: SampleKey,
    plain: Payload,
    /// The indexed form; the stored photo where it has none.
    indexed: Payload,
}

impl Bench {
    fn new(paths: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let limits = ImageLimits::default();
        let photo = |(index, path): (usize, String)| -> Result<Photo, Box<dyn Error>> {
            let bytes = std::fs::read(path)?;
            let plain = Payload::Encoded(bytes.clone().into());
            let indexed = IndexedJpeg::rewrite(&bytes, &limits).map_or(plain.clone(), Payload::Indexed);
            Ok(Photo { key: index.to_string().parse()?, plain, indexed })
        };
        let photos = paths.enumerate().map(photo).collect::<Result<_, _>>()?;
        Ok(Self { photos, limits, scratch: Scratch::new() })
    }

    /// Runs all photos through a recipe, and gives the milliseconds that one took.
    fn round(&mut self, recipe: &Recipe, indexed: bool, epoch: Epoch) -> Result<f64, Box<dyn Error>> {
        let mut row = vec![0.0; (recipe.output_size().pixels() * 3) as usize];
        let start = cpu_seconds();
        for Photo { key, plain, indexed: rewritten } in &self.photos {
            let photo = if indexed { rewritten } else { plain };
            let draws = Draws { address: Address { seed: Seed(0), epoch }, key };
            finish_into(recipe, photo, &draws, &self.limits, &mut self.scratch, &mut row)?;
        }
        Ok((cpu_seconds() - start) * 1e3 / self.photos.len() as f64)
    }

    /// Mean absolute difference of each photo's crop between two recipes, in levels.
    fn differences(&mut self, one: &Recipe, other: &Recipe) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut found = Vec::new();
        for Photo { key, plain, .. } in &self.photos {
            let draws = Draws { address: Address::new(0, 0), key };
            let mut crop = |recipe: &Recipe| -> Result<_, Box<dyn Error>> {
                let cropped = advance(recipe, plain.clone(), Cut::Cropped, &draws, &self.limits, &mut self.scratch)?;
                Ok(cropped.into_bytes())
            };
            let (one, other) = (crop(one)?, crop(other)?);
            let sum: u64 = one.iter().zip(&other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            found.push(sum as f64 / one.len() as f64);
        }
        Ok(found)
    }
}

/// CPU time of this thread, which does not count the waits of a busy machine.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / (values.count() as f64).max(1.0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let names = arguments.next().ok_or("usage: photos RECIPE[,RECIPE]... PHOTO...")?;
    let recipes: Vec<Recipe> = names
        .split(',')
        .map(|name| Recipe::builtin(name).ok_or_else(|| format!("there is no recipe {name}")))
        .collect::<Result<_, _>>()?;
    let mut bench = Bench::new(arguments)?;
    let ways: Vec<(&Recipe, bool)> = recipes.iter().flat_map(|recipe| [(recipe, false), (recipe, true)]).collect();
    let mut times = vec![Vec::new(); ways.len()];
    for epoch in (0..ROUNDS).map(Epoch) {
        for ((recipe, indexed), times) in ways.iter().zip(&mut times) {
            times.push(bench.round(recipe, *indexed, epoch)?);
        }
    }
    for ((recipe, indexed), mut times) in ways.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        let levels = bench.differences(&recipes[0], recipe)?;
        let all = levels.iter().copied();
        let changed = all.clone().filter(|&level| level > 0.0);
        println!(
            "{:<20} {:<8} {median:8.3} ms {:8.1} photos/s   {:6.3} levels off, {:6.3} in the {} that differ, at most \
             {:6.3}",
            recipe.name().as_str(),
            if indexed { "indexed" } else { "plain" },
            1e3 / median,
            mean(all.clone()),
            mean(changed.clone()),
            changed.count(),
            all.fold(0.0, f64::max),
        );
    }
    Ok(())
}
