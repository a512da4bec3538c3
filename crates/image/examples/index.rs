//! Measures what indexing JPEGs costs and saves: bytes before and after, bytes of crops, the time to cut them out, and
//! the time that decoding saves. `cargo run --release --example index -- FOLDER...`

#![expect(clippy::unwrap_used, reason = "an example that fails should say so and stop")]

mod folder;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_image::{IndexedJpeg, Payload, Scratch, advance, decode};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, Cut, Draws, ImageLimits, Recipe, SampleKey};

/// Crops of each photo.
const EPOCHS: u64 = 3;
/// Times that each step is taken, of which the fastest counts: the others shared the machine.
const ROUNDS: usize = 5;

#[derive(Default)]
struct Totals {
    photos: u64,
    decodable: u64,
    rewritten: u64,
    before: usize,
    after: usize,
    crops: usize,
    rewriting: Duration,
    opening: Duration,
    slicing: Duration,
    whole: Duration,
    part: Duration,
    reasons: BTreeMap<&'static str, u64>,
}

fn timed<T>(total: &mut Duration, mut work: impl FnMut() -> T) -> T {
    let mut round = || {
        let started = Instant::now();
        let result = work();
        (started.elapsed(), result)
    };
    let (mut fastest, mut result) = round();
    for _ in 1..ROUNDS {
        let (spent, again) = round();
        fastest = fastest.min(spent);
        result = again;
    }
    *total += fastest;
    result
}

fn measure(path: &Path, recipe: &Recipe, totals: &mut Totals, scratch: &mut Scratch) {
    let bytes = std::fs::read(path).unwrap();
    let limits = ImageLimits::default();
    totals.photos += 1;
    if decode(&bytes, Orientation::Stored, &limits, scratch).is_err() {
        return;
    }
    totals.decodable += 1;
    let photo = match timed(&mut totals.rewriting, || IndexedJpeg::rewrite(&bytes, &limits)) {
        Ok(photo) => photo,
        Err(reason) => {
            *totals.reasons.entry(reason.as_str()).or_default() += 1;
            return;
        }
    };
    totals.rewritten += 1;
    totals.before += bytes.len();
    totals.after += photo.bytes().len();
    let key: SampleKey = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let encoded = Payload::Encoded(bytes.into());
    for epoch in 0..EPOCHS {
        let draws = Draws { address: Address::new(1, epoch), key: &key };
        let stored = photo.bytes().clone();
        let photo = timed(&mut totals.opening, || IndexedJpeg::open(stored.clone(), &limits)).unwrap();
        let mut take = |payload: &Payload, cut, total: &mut Duration| {
            timed(total, || advance(recipe, payload.clone(), cut, &draws, &limits, scratch)).unwrap()
        };
        let crop = take(&Payload::Indexed(photo), Cut::JpegCrop, &mut totals.slicing);
        let part = take(&crop, Cut::Cropped, &mut totals.part);
        let whole = take(&encoded, Cut::Cropped, &mut totals.whole);
        assert_eq!(part, whole, "{}", path.display());
        totals.crops += crop.into_bytes().len();
    }
}

fn main() {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let mut scratch = Scratch::new();
    for folder in std::env::args_os().skip(1) {
        let paths = folder::files(Path::new(&folder)).unwrap();
        let mut totals = Totals::default();
        for path in &paths {
            measure(path, &recipe, &mut totals, &mut scratch);
        }
        let Totals { photos, decodable, rewritten, before, after, crops, .. } = totals;
        println!("{}: {photos} files, {decodable} decodable, {rewritten} rewritten", Path::new(&folder).display());
        println!("  not rewritten: {:?}", totals.reasons);
        let percent = 100.0 * after as f64 / before as f64;
        let fewer = before as f64 * EPOCHS as f64 / crops as f64;
        println!("  {before} bytes before, {percent:.2} % after, {fewer:.3} times fewer in crops");
        let crops = rewritten as u32 * EPOCHS as u32;
        println!(
            "  rewrite {:.0?}, open {:.2?}, slice {:.2?}, slice to crop {:.1?}, file to crop {:.1?}",
            totals.rewriting / decodable as u32,
            totals.opening / crops,
            totals.slicing / crops,
            totals.part / crops,
            totals.whole / crops
        );
    }
}
