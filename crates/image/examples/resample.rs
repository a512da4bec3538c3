//! Measures the path from a JPEG to a finished tensor, step by step, and the resize against `fast_image_resize`.
//!
//! `cargo run --release -p headwater-image --example resample -- PHOTO...` prints milliseconds a photo, the fastest of 9 rounds.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use headwater_image::{Payload, Rgb8, Scratch, decode, finish_into};
use headwater_types::recipe::Orientation;
use headwater_types::{Draws, Epoch, Framing, ImageLimits, Recipe, SampleKey, Seed};

const ROUNDS: usize = 9;

/// Runs `step` over all photos, and prints the fastest round: the others had company.
fn measure(
    name: &str,
    photos: usize,
    mut step: impl FnMut(usize) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for index in 0..photos {
            step(index)?;
        }
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3 / photos as f64);
    }
    println!("{name:<40} {fastest:8.3} ms");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let photos: Vec<Vec<u8>> = std::env::args().skip(1).map(std::fs::read).collect::<Result<_, _>>()?;
    let limits = ImageLimits::default();
    let mut scratch = Scratch::new();
    let decoded: Vec<Rgb8> = photos
        .iter()
        .map(|bytes| decode(bytes, Orientation::Stored, &limits, &mut scratch))
        .collect::<Result<_, _>>()?;
    let payloads: Vec<Payload> = photos.iter().map(|bytes| Payload::Encoded(bytes.clone().into())).collect();
    let key: SampleKey = "a".parse()?;
    measure("decode", photos.len(), |i| {
        black_box(decode(&photos[i], Orientation::Stored, &limits, &mut scratch)?);
        Ok(())
    })?;
    for name in ["imagenet-train", "mobilenet-eval"] {
        let recipe = Recipe::builtin(name).ok_or("no such recipe")?;
        let output = recipe.output_size();
        let mut row = vec![0.0; (output.pixels() * 3) as usize];
        let draws = |index: usize| Draws { seed: Seed(index as u64), epoch: Epoch(0), key: &key };
        measure(&format!("{name}: encoded to tensor"), photos.len(), |i| {
            Ok(finish_into(&recipe, &payloads[i], &draws(i), &limits, &mut scratch, &mut row)?)
        })?;
        let ready: Vec<Payload> = decoded.iter().cloned().map(Payload::Decoded).collect();
        measure(&format!("{name}: decoded to tensor"), photos.len(), |i| {
            Ok(finish_into(&recipe, &ready[i], &draws(i), &limits, &mut scratch, &mut row)?)
        })?;
        measure(&format!("{name}: decoded to cropped"), photos.len(), |i| {
            let cut = headwater_types::Cut::Cropped;
            black_box(headwater_image::advance(&recipe, ready[i].clone(), cut, &draws(i), &limits, &mut scratch)?);
            Ok(())
        })?;
        measure("   of which copying the photo", photos.len(), |i| {
            black_box(ready[i].clone());
            Ok(())
        })?;
        let mut resizer = Resizer::new();
        let mut target = Image::new(output.width, output.height, PixelType::U8x3);
        measure(&format!("{name}: fast_image_resize"), photos.len(), |i| {
            let source = &decoded[i];
            let region = Framing::new(recipe.stages(), source.size(), &draws(i)).region;
            let image = ImageRef::new(source.size().width, source.size().height, source.pixels(), PixelType::U8x3)?;
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
                region.x,
                region.y,
                region.width,
                region.height,
            );
            Ok(resizer.resize(&image, &mut target, &options)?)
        })?;
    }
    Ok(())
}
