//! Measures the path from a JPEG to a finished tensor, and from its pixels at each [`Level`] of the machine, against
//! `fast_image_resize`, which is not exact and stops at pixels.
//!
//! `cargo run --release -p headwater-image --example resample -- PHOTO...` prints microseconds a photo, and how many times as
//! fast that is as plain code. All take turns with each photo, nine times; the fastest counts, as the others had company.

use std::error::Error;
use std::time::Instant;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use headwater_image::{Level, Payload, Rgb8, Scratch, decode, finish_into};
use headwater_types::recipe::Orientation;
use headwater_types::{Draws, Epoch, Framing, ImageLimits, Recipe, SampleKey, Seed};

const ROUNDS: usize = 9;

type Outcome = Result<(), Box<dyn Error>>;

/// Something that is done to each photo, and the shortest time that it took.
struct Contender<'a> {
    name: String,
    work: Box<dyn FnMut(usize) -> Outcome + 'a>,
    fastest: Vec<f64>,
}

// === impl Contender ===

impl<'a> Contender<'a> {
    fn new(name: impl Into<String>, work: impl FnMut(usize) -> Outcome + 'a) -> Self {
        Self { name: name.into(), work: Box::new(work), fastest: Vec::new() }
    }

    /// Does it twice, and counts the second time: after decoding, too, pixels are in the cache.
    fn take_turn(&mut self, photo: usize) -> Outcome {
        (self.work)(photo)?;
        let start = Instant::now();
        (self.work)(photo)?;
        let micros = start.elapsed().as_secs_f64() * 1e6;
        match self.fastest.get_mut(photo) {
            Some(fastest) => *fastest = fastest.min(micros),
            None => self.fastest.push(micros),
        }
        Ok(())
    }

    fn mean(&self) -> f64 {
        self.fastest.iter().sum::<f64>() / self.fastest.len() as f64
    }
}

fn main() -> Outcome {
    let photos: Vec<Vec<u8>> = std::env::args().skip(1).map(std::fs::read).collect::<Result<_, _>>()?;
    let limits = ImageLimits::default();
    let mut scratch = Scratch::new();
    let decoded: Vec<Rgb8> = photos
        .iter()
        .map(|bytes| decode(bytes, Orientation::Stored, &limits, &mut scratch))
        .collect::<Result<_, _>>()?;
    let stored: Vec<Payload> = photos.iter().map(|bytes| Payload::Encoded(bytes.clone().into())).collect();
    let pixels: Vec<Payload> = decoded.iter().cloned().map(Payload::Decoded).collect();
    let key: SampleKey = "a".parse()?;
    let draws = |index: usize| Draws { seed: Seed(index as u64), epoch: Epoch(0), key: &key };
    for name in ["imagenet-train", "mobilenet-eval"] {
        let recipe = Recipe::builtin(name).ok_or("no such recipe")?;
        let output = recipe.output_size();
        let (mut resizer, mut target) = (Resizer::new(), Image::new(output.width, output.height, PixelType::U8x3));
        let to_tensor = |level: Level, payloads: &[Payload]| {
            let (mut scratch, mut row) = (Scratch::at(level), vec![0.0; (output.pixels() * 3) as usize]);
            let (payloads, recipe, limits) = (payloads.to_vec(), &recipe, &limits);
            move |index: usize| {
                Ok(finish_into(recipe, &payloads[index], &draws(index), limits, &mut scratch, &mut row)?)
            }
        };
        let mut contenders: Vec<Contender<'_>> = Level::available()
            .map(|level| Contender::new(format!("pixels to tensor, {level}"), to_tensor(level, &pixels)))
            .collect();
        contenders.push(Contender::new("photo to tensor", to_tensor(Level::default(), &stored)));
        contenders.push(Contender::new("pixels to pixels, fast_image_resize", |index| {
            let source = &decoded[index];
            let region = Framing::new(recipe.stages(), source.size(), &draws(index)).region;
            let image = ImageRef::new(source.size().width, source.size().height, source.pixels(), PixelType::U8x3)?;
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
                region.x,
                region.y,
                region.width,
                region.height,
            );
            Ok(resizer.resize(&image, &mut target, &options)?)
        }));
        for _ in 0..ROUNDS {
            for photo in 0..photos.len() {
                contenders.iter_mut().try_for_each(|contender| contender.take_turn(photo))?;
            }
        }
        println!("{name}");
        let plain = contenders[0].mean();
        for contender in &contenders {
            let micros = contender.mean();
            println!("  {:<40} {micros:8.1} us {:6.2} x", contender.name, plain / micros);
        }
    }
    Ok(())
}
