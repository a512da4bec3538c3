//! Measures the path from a JPEG to a finished tensor, and from its pixels at each [`Level`] of the machine, with both
//! filters. Beside it stand `fast_image_resize`, which is not exact, and Pillow; both stop at pixels.
//!
//! `cargo run --release -p headwater-image --example resample -- PHOTO...` prints microseconds a photo, nanoseconds a
//! pixel of its crop, and how many times as fast that is as plain code. All take turns with each photo, nine times, and
//! the fastest counts. Pillow runs in `HEADWATER_PYTHON`, and is left out without one.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use headwater_image::{Level, Payload, Rgb8, Scratch, decode, finish_into};
use headwater_types::recipe::{Interpolation, Orientation};
use headwater_types::{Address, Draws, Framing, ImageLimits, PixelBox, Recipe, SampleKey};

const ROUNDS: usize = 9;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A step that each photo goes through, and the shortest time that it took, in microseconds.
struct Contender<'a> {
    name: String,
    work: Box<dyn FnMut(usize) -> Outcome<f64> + 'a>,
    fastest: Vec<f64>,
}

/// A Python that resizes with Pillow when it is told to, and says how long that took.
struct Pillow {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// One line: a photo's number, a filter, the size and the box, and whether the photo is cut there first.
const PILLOW: &str = "
import sys, time
from PIL import Image
photos = [Image.open(path).convert('RGB') for path in sys.argv[1:]]
for line in sys.stdin:
    photo, filter, width, height, *box, cuts = line.split()
    photo, filter, box = photos[int(photo)], Image.Resampling[filter], [float(edge) for edge in box]
    for _ in range(2):
        start = time.perf_counter()
        if cuts == 'true':
            photo.crop(box).resize((int(width), int(height)), filter)
        else:
            photo.resize((int(width), int(height)), filter, box=box)
        micros = (time.perf_counter() - start) * 1e6
    print(micros, flush=True)
";

// === impl Contender ===

impl<'a> Contender<'a> {
    fn new(name: impl Into<String>, work: impl FnMut(usize) -> Outcome<f64> + 'a) -> Self {
        Self { name: name.into(), work: Box::new(work), fastest: Vec::new() }
    }

    fn take_turn(&mut self, photo: usize) -> Outcome {
        let micros = (self.work)(photo)?;
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

// === impl Pillow ===

impl Pillow {
    fn start(python: &str, photos: &[String]) -> Outcome<Self> {
        let mut command = Command::new(python);
        command.args(["-c", PILLOW]).args(photos).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take().ok_or("no pipe")?, child.stdout.take().ok_or("no pipe")?);
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    fn resize(&mut self, photo: usize, framing: &Framing, cuts: bool) -> Outcome<f64> {
        let Framing { region: b, output, interpolation, .. } = framing;
        let filter = if *interpolation == Interpolation::Bicubic { "BICUBIC" } else { "BILINEAR" };
        let (right, bottom) = (b.x + b.width, b.y + b.height);
        let (width, height) = (output.width, output.height);
        writeln!(self.stdin, "{photo} {filter} {width} {height} {} {} {right} {bottom} {cuts}", b.x, b.y)?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim().parse()?)
    }

    fn end(self) -> Outcome {
        let Self { mut child, stdin, .. } = self;
        drop(stdin);
        child.wait()?;
        Ok(())
    }
}

/// Runs a step twice, and times the second run: pixels are in the cache then, as they are after decoding.
fn timed(mut work: impl FnMut() -> Outcome) -> Outcome<f64> {
    work()?;
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e6)
}

fn main() -> Outcome {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let photos: Vec<Vec<u8>> = paths.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let limits = ImageLimits::default();
    let mut scratch = Scratch::new();
    let decoded: Vec<Rgb8> = photos
        .iter()
        .map(|bytes| decode(bytes, Orientation::Stored, &limits, &mut scratch))
        .collect::<Result<_, _>>()?;
    let stored: Vec<Payload> = photos.iter().map(|bytes| Payload::Encoded(bytes.clone().into())).collect();
    let pixels: Vec<Payload> = decoded.iter().cloned().map(Payload::Decoded).collect();
    let mut pillow = match std::env::var("HEADWATER_PYTHON") {
        Ok(python) => Some(Pillow::start(&python, &paths)?),
        Err(_) => None,
    };
    let key: SampleKey = "a".parse()?;
    let draws = |index: usize| Draws { address: Address::new(index as u64, 0), key: &key };
    for recipe in recipes()? {
        let output = recipe.output_size();
        let framing = |index: usize| Framing::new(recipe.stages(), decoded[index].size(), &draws(index));
        let (mut resizer, mut target) = (Resizer::new(), Image::new(output.width, output.height, PixelType::U8x3));
        let to_tensor = |level: Level, payloads: &[Payload]| {
            let (mut scratch, mut row) = (Scratch::at(level), vec![0.0; (output.pixels() * 3) as usize]);
            let (payloads, recipe, limits) = (payloads.to_vec(), &recipe, &limits);
            move |index: usize| {
                timed(|| Ok(finish_into(recipe, &payloads[index], &draws(index), limits, &mut scratch, &mut row)?))
            }
        };
        let mut contenders: Vec<Contender<'_>> = Level::available()
            .map(|level| Contender::new(format!("pixels to tensor, {level}"), to_tensor(level, &pixels)))
            .collect();
        contenders.push(Contender::new("photo to tensor", to_tensor(Level::default(), &stored)));
        contenders.push(Contender::new("pixels to pixels, fast_image_resize", |index| {
            let (source, Framing { region, interpolation, .. }) = (&decoded[index], framing(index));
            let image = ImageRef::new(source.size().width, source.size().height, source.pixels(), PixelType::U8x3)?;
            let filter = match interpolation {
                Interpolation::Bilinear => FilterType::Bilinear,
                Interpolation::Bicubic => FilterType::CatmullRom,
            };
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).crop(
                region.x,
                region.y,
                region.width,
                region.height,
            );
            timed(|| Ok(resizer.resize(&image, &mut target, &options)?))
        }));
        if let Some(pillow) = &mut pillow {
            contenders.push(Contender::new("pixels to pixels, Pillow", |index| {
                let framing = framing(index);
                pillow.resize(index, &framing, framing.readable != PixelBox::whole(decoded[index].size()))
            }));
        }
        for _ in 0..ROUNDS {
            for photo in 0..photos.len() {
                contenders.iter_mut().try_for_each(|contender| contender.take_turn(photo))?;
            }
        }
        println!("{}", recipe.name());
        let area: f64 = (0..photos.len()).map(|index| framing(index).region).map(|b| b.width * b.height).sum();
        let (plain, pixels) = (contenders[0].mean(), area / photos.len() as f64);
        for contender in &contenders {
            let (name, micros) = (&contender.name, contender.mean());
            println!("  {name:<40} {micros:8.1} us {:6.2} ns {:6.2} x", micros * 1e3 / pixels, plain / micros);
        }
    }
    pillow.map_or(Ok(()), Pillow::end)
}

/// A training and an evaluation recipe, with each filter.
fn recipes() -> Outcome<Vec<Recipe>> {
    let mut recipes = Vec::new();
    for (name, op) in [("imagenet-train", "random-resized-crop"), ("mobilenet-eval", "resize")] {
        let recipe = Recipe::builtin(name).ok_or("no such recipe")?;
        let text = recipe.to_toml().replace(name, &format!("{name}-bicubic"));
        let op = format!("op = \"{op}\"");
        recipes.push(recipe);
        recipes.push(Recipe::from_toml(&text.replace(&op, &format!("{op}\ninterpolation = \"bicubic\"")))?);
    }
    Ok(recipes)
}
