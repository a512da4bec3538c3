//! Measures the way from a stored photo to its finished tensor on one core, and what a second recipe changes about it.
//!
//! `cargo run --release -p headwater-image --example photos -- RECIPE[,RECIPE]... PHOTO...` prints milliseconds a photo and
//! photos a second, the median of rounds that take turns, each with its own crops; and in levels of 256 how far the crops
//! are from those of the first recipe: the mean of all photos, of those that differ, and the largest mean of one.

use std::error::Error;
use std::time::Instant;

use headwater_image::{Payload, Scratch, advance, finish_into};
use headwater_types::{Cut, Draws, Epoch, ImageLimits, Recipe, SampleKey, Seed};

const ROUNDS: u64 = 9;

/// Photos and where they are worked on.
struct Bench {
    photos: Vec<(SampleKey, Payload)>,
    limits: ImageLimits,
    scratch: Scratch,
}

impl Bench {
    /// Runs all photos through a recipe, and gives the milliseconds that one took.
    fn round(&mut self, recipe: &Recipe, epoch: Epoch) -> Result<f64, Box<dyn Error>> {
        let mut row = vec![0.0; (recipe.output_size().pixels() * 3) as usize];
        let start = Instant::now();
        for (key, photo) in &self.photos {
            let draws = Draws { seed: Seed(0), epoch, key };
            finish_into(recipe, photo, &draws, &self.limits, &mut self.scratch, &mut row)?;
        }
        Ok(start.elapsed().as_secs_f64() * 1e3 / self.photos.len() as f64)
    }

    /// Mean absolute difference of each photo's crop between two recipes, in levels.
    fn differences(&mut self, one: &Recipe, other: &Recipe) -> Result<Vec<f64>, Box<dyn Error>> {
        let mut found = Vec::new();
        for (key, photo) in &self.photos {
            let draws = Draws { seed: Seed(0), epoch: Epoch(0), key };
            let mut crop = |recipe: &Recipe| -> Result<_, Box<dyn Error>> {
                let cropped = advance(recipe, photo.clone(), Cut::Cropped, &draws, &self.limits, &mut self.scratch)?;
                Ok(cropped.into_bytes())
            };
            let (one, other) = (crop(one)?, crop(other)?);
            let sum: u64 = one.iter().zip(&other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            found.push(sum as f64 / one.len() as f64);
        }
        Ok(found)
    }
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
    let photos = arguments
        .enumerate()
        .map(|(index, path)| Ok((index.to_string().parse()?, Payload::Encoded(std::fs::read(path)?.into()))))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut bench = Bench { photos, limits: ImageLimits::default(), scratch: Scratch::new() };
    let mut times = vec![Vec::new(); recipes.len()];
    for epoch in (0..ROUNDS).map(Epoch) {
        for (recipe, times) in recipes.iter().zip(&mut times) {
            times.push(bench.round(recipe, epoch)?);
        }
    }
    for (recipe, mut times) in recipes.iter().zip(times) {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        let levels = bench.differences(&recipes[0], recipe)?;
        let all = levels.iter().copied();
        let changed = all.clone().filter(|&level| level > 0.0);
        println!(
            "{:<24} {median:8.3} ms {:8.1} photos/s   {:6.3} levels off, {:6.3} in the {} that differ, at most {:6.3}",
            recipe.name().as_str(),
            1e3 / median,
            mean(all.clone()),
            mean(changed.clone()),
            changed.count(),
            all.fold(0.0, f64::max),
        );
    }
    Ok(())
}
