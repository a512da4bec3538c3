//! What an index of many photos costs: `scripts/bench labels` runs it.
//!
//! It labels made-up photos by two labellers, five labels each, then opens the index anew and asks it. Keys have about
//! 40 bytes, versions are digests, scores are those of a softmax.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use headwater_labels::{Found, LabelIndex, Labeller, Order, Outcome, Row, RunId, Scored, Standing};
use headwater_types::{ClassId, Digest};

/// Rows of one call, as a server appends them.
const CALL: u64 = 4096;
const CLASSES: u64 = 1000;

type Failed = Box<dyn std::error::Error>;

/// Figures by name, in order.
struct Figures(Vec<(&'static str, f64)>);

// === impl Figures ===

impl Figures {
    fn time<T>(
        &mut self,
        name: &'static str,
        unit: f64,
        work: impl FnOnce() -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let began = Instant::now();
        let done = work()?;
        self.0.push((name, began.elapsed().as_secs_f64() * unit));
        Ok(done)
    }

    fn print(&self, as_json: bool) {
        let line = |(name, value): &(&str, f64)| match as_json {
            true => format!("\"{name}\": {value:.3}"),
            false => format!("{value:>14.3}  {name}"),
        };
        let lines: Vec<_> = self.0.iter().map(line).collect();
        if as_json { println!("{{{}}}", lines.join(", ")) } else { println!("{}", lines.join("\n")) }
    }
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let numbers = arguments.iter().filter(|argument| !argument.starts_with("--"));
    let [folder, photos] = numbers.collect::<Vec<_>>()[..] else {
        return Err("give a folder and a number of photos".into());
    };
    let mut figures = Figures(Vec::new());
    measure(Path::new(folder), photos.parse()?, &mut figures)?;
    figures.print(arguments.iter().any(|argument| argument == "--json"));
    Ok(())
}

fn measure(folder: &Path, photos: u64, figures: &mut Figures) -> Result<(), Failed> {
    let index = LabelIndex::open(folder)?.index;
    let began = Instant::now();
    let runs = [fill(&index, 0, photos)?, fill(&index, 1, photos)?];
    figures.0.push(("rows appended a second", 2.0 * photos as f64 / began.elapsed().as_secs_f64()));
    drop(index);
    let index = figures.time("seconds to open", 1.0, || Ok(LabelIndex::open(folder)?.index))?;
    let bytes = index.bytes_on_disk().get() as f64 / 2.0 / photos as f64;
    figures.0.push(("bytes on disk for a photo and digest", bytes));
    figures.time("seconds for all rows, with all labels", 1.0, || each(&index, runs[0], photos))?;
    let keys: std::collections::HashMap<_, _> = (0..photos).map(|photo| (key(photo), photo)).collect();
    let find = |key: &str, version| match keys.get(key) {
        Some(photo) if self::version(*photo) == version => Found::Here(*photo),
        Some(photo) => Found::OtherVersion(*photo),
        None => Found::Gone,
    };
    let read = |run| -> Result<Standing, Failed> { Ok(Standing::read(&index, run, photos as usize, &find)?) };
    let one = figures.time("seconds to read a run into columns, its keys looked up in a map", 1.0, || read(runs[0]))?;
    let other = read(runs[1])?;
    ask(&index, runs[0], &one, &other, figures)
}

fn ask(index: &LabelIndex, run: RunId, one: &Standing, other: &Standing, figures: &mut Figures) -> Result<(), Failed> {
    figures.0.push(("bytes of memory for a photo", one.memory().get() as f64 / one.labelled() as f64));
    let counts = figures.time("ms for counts by label", 1e3, || Ok(one.counts(0.0)))?;
    assert_eq!(counts.iter().sum::<u64>(), one.labelled());
    figures.time("ms for the first 1,000 rows of a label, by score", 1e3, || {
        let samples = one.of_class(ClassId(7), 0.0, Order::ByScore, 1000);
        rows(index, run, one, &samples)
    })?;
    figures.time("ms for the first 1,000 rows of a label, as listed", 1e3, || {
        let samples = one.of_class(ClassId(7), 0.0, Order::BySample, 1000);
        rows(index, run, one, &samples)
    })?;
    figures.time("ms for 1,000 rows, each in a block of its own", 1e3, || {
        let samples: Vec<_> = (0..1000).map(|part| part * one.labelled() / 1000).collect();
        rows(index, run, one, &samples)
    })?;
    figures.time("ms for the 1,000 most uncertain", 1e3, || Ok(one.uncertain(1000)))?;
    let changes = figures.time("ms for the difference of two digests", 1e3, || Ok(one.differences(other)))?;
    assert!(changes.both == one.labelled() && changes.samples.len() as u64 > changes.both / 3);
    Ok(())
}

/// Reads the whole rows of some samples.
fn rows(index: &LabelIndex, run: RunId, standing: &Standing, samples: &[u64]) -> Result<(), Failed> {
    let place = |sample: &u64| match standing.standing(*sample) {
        Some(headwater_labels::Best::Labelled { place, .. }) => Some(place),
        _ => None,
    };
    let mut places: Vec<_> = samples.iter().filter_map(place).collect();
    places.sort_unstable();
    let read = index.at(run, &places, &mut |_, row| {
        black_box(row);
    })?;
    assert_eq!(read.rows, samples.len() as u64);
    Ok(())
}

fn each(index: &LabelIndex, run: RunId, photos: u64) -> Result<(), Failed> {
    let read = index.each(run, &mut |_, row| {
        black_box(row);
        ControlFlow::Continue(())
    })?;
    assert_eq!((read.rows, read.broken_blocks), (photos, 0));
    Ok(())
}

fn fill(index: &LabelIndex, number: u64, photos: u64) -> Result<RunId, Failed> {
    let part = |name: &str| Digest::of(format!("{name} {number}").as_bytes());
    let classes = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let [digest, model_digest, recipe] = ["labeller", "model", "recipe"].map(part);
    let labeller = Labeller { model: "m".parse()?, digest, model_digest, recipe, classes, top_k: 5 };
    let run = index.begin(&Digest::of(b"photos"), &labeller, number)?.id;
    for first in (0..photos).step_by(CALL as usize) {
        let photos = first..photos.min(first + CALL);
        let said: Vec<_> = photos.map(|photo| (key(photo), version(photo), scored(photo, number))).collect();
        let rows: Vec<_> = said
            .iter()
            .map(|(key, version, labels)| Row { key, version: *version, outcome: Outcome::Labels(labels) })
            .collect();
        index.append(run, &rows, &[])?;
    }
    Ok(run)
}

/// About 40 bytes, as ImageNet's are.
fn key(photo: u64) -> String {
    format!("n{:08}/ILSVRC2012_val_{:08}.JPEG", photo / 1300 * 17, photo)
}

fn version(photo: u64) -> [u8; 16] {
    let mut version = [0; 16];
    version.copy_from_slice(&Digest::of(&photo.to_le_bytes()).as_bytes()[..16]);
    version
}

/// Five labels as a softmax gives them: the scores' low bits are noise. Two labellers agree on three photos of five.
fn scored(photo: u64, labeller: u64) -> [Scored; 5] {
    let digest = Digest::of(&[photo.to_le_bytes(), labeller.to_le_bytes()].concat());
    let mut left = 1.0_f32;
    std::array::from_fn(|rank| {
        let noise = u32::from_le_bytes([0, 1, 2, 3].map(|at| digest.as_bytes()[rank * 4 + at]));
        let score = left * (0.3 + 0.6 * (noise as f32 / u32::MAX as f32));
        left -= score;
        let agrees = labeller > 0 && photo % 5 < 3;
        let class = if rank == 0 && (labeller == 0 || agrees) { photo / 1300 } else { u64::from(noise) };
        Scored { class: ClassId((class % CLASSES) as u32), score }
    })
}
