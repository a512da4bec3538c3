//! Promise: damaged files of the formats whose structure says where things are (TIFF, BMP, GIF, PNM) decode or fail, in
//! the memory that their header was measured by, and quickly.
//!
//! The damage is drawn from a seed, so that it is the same in every run. `HEADWATER_MUTATIONS` is how many files are
//! tried of each format; 100,000 take minutes.

use std::time::{Duration, Instant};

use headwater_image::{Scratch, decode, read_header};
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, ImageLimits};

use crate::heap::peak_of;

/// Mutations of each format where nothing else is said.
const FEW: u64 = 2000;
/// Longest that a file of a few kilobytes may take, unoptimised and on a machine that is busy.
const LONGEST: Duration = Duration::from_secs(5);
/// What the test itself and a worker's scratch take beside what decoding one photo was measured by.
const SLACK: u64 = 256 << 10;

/// Numbers by xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

fn seeds(suffixes: &[&str]) -> Vec<Vec<u8>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/image_decode");
    let mut paths: Vec<_> = root.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|suffix| suffixes.contains(&suffix.to_str().unwrap())));
    paths.sort();
    assert!(paths.len() >= 4, "the corpus lacks {suffixes:?}");
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A file with some of its bytes changed, left out, doubled or cut off; most of it where the structure is.
fn damaged(seed: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let end = if dice.below(4) > 0 { bytes.len().min(300) } else { bytes.len() };
        let at = dice.below(end);
        match dice.below(8) {
            _ if bytes.is_empty() => break,
            0 => bytes.truncate(at),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, dice.below(256) as u8),
            3 => bytes[at] ^= 1 << dice.below(8),
            4 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5)],
            5 => {
                let number = [0_u32, 1, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x0001_0000][dice.below(6)];
                let end = (at + 4).min(bytes.len());
                let order = if dice.below(2) == 0 { number.to_le_bytes() } else { number.to_be_bytes() };
                bytes[at..end].copy_from_slice(&order[..end - at]);
            }
            6 => {
                let (from, length) = (dice.below(bytes.len()), dice.below(40));
                let part: Vec<u8> = bytes[from..].iter().copied().take(length).collect();
                bytes.splice(at..at, part);
            }
            _ => bytes[at] = dice.below(256) as u8,
        }
    }
    bytes
}

fn try_all(suffixes: &[&str]) {
    let tries = std::env::var("HEADWATER_MUTATIONS").map_or(FEW, |tries| tries.parse().unwrap());
    let (seeds, mut dice) = (seeds(suffixes), Dice(15));
    let limits =
        ImageLimits { max_pixels: 1 << 20, max_sample_memory: ByteCount::mebibytes(16), ..ImageLimits::default() };
    let (mut good, mut failed, mut refused, mut slowest) = (0_u64, 0_u64, 0_u64, Duration::ZERO);
    for number in 0..tries {
        let bytes = damaged(&seeds[dice.below(seeds.len())], &mut dice);
        let began = Instant::now();
        let (header, read) = peak_of(|| read_header(&bytes, Orientation::Stored, &limits));
        assert!(read < SLACK, "{suffixes:?} {number}: the header took {read} bytes");
        match header {
            Err(_) => refused += 1,
            Ok(header) => {
                assert!(header.memory <= limits.max_sample_memory);
                let decoded = || decode(&bytes, Orientation::Stored, &limits, &mut Scratch::new());
                let (outcome, peak) = peak_of(decoded);
                let most = header.memory.get() + SLACK;
                assert!(peak <= most, "{suffixes:?} {number}: {peak} bytes, of {most}: {outcome:?}");
                match outcome {
                    Ok(rgb) => {
                        assert_eq!(rgb.size(), header.size);
                        good += 1;
                    }
                    Err(_) => failed += 1,
                }
            }
        }
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "{suffixes:?} {number} took {:?}", began.elapsed());
    }
    println!("{suffixes:?}: {good} decoded, {failed} failed, {refused} refused by header, slowest {slowest:?}");
    assert!(good > 0 && failed > 0 && refused > 0);
}

#[test]
fn damaged_tiffs_decode_or_fail_within_their_memory() {
    try_all(&["tif"]);
}

#[test]
fn damaged_bmps_decode_or_fail_within_their_memory() {
    try_all(&["bmp", "dib"]);
}

#[test]
fn damaged_gifs_decode_or_fail_within_their_memory() {
    try_all(&["gif"]);
}

#[test]
fn damaged_pnms_decode_or_fail_within_their_memory() {
    try_all(&["ppm", "pgm", "pbm", "pnm"]);
}
