//! The decoder is held against libjpeg-turbo: on photos where there are some, and on generated ones of all kinds.

use std::path::{Path, PathBuf};

use headwater_types::recipe::{DecodeMode, Orientation};
use headwater_types::{ByteCount, ImageLimits, Scale, Size};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::*;
use crate::formats::jpeg::markers::END_OF_IMAGE;
use crate::formats::jpeg::tests::SUBSAMPS;
use crate::formats::jpeg::transform::Input;
use crate::formats::jpeg::{fallback, own_memory, read_frame};
use crate::header::read_header;
use crate::indexed::IndexedJpeg;

/// How much is tested: a little, in minutes; or all where `HEADWATER_TEST_THOROUGH` is set, in an hour.
fn either<T>(little: T, all: T) -> T {
    if std::env::var_os("HEADWATER_TEST_THOROUGH").is_some() { all } else { little }
}

/// JPEGs of the shared test data, every `step`th; none without them.
fn photos(step: usize) -> Vec<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("HEADWATER_TEST_DATA").map_or(beside, PathBuf::from);
    let mut folders = vec![root.join("photos")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("jpg" | "jpeg") => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    println!("{} photos, every {step}th is tested", found.len());
    found.into_iter().step_by(step).collect()
}

#[test]
fn coefficients_are_libjpegs() {
    let (mut own, mut left) = (0, 0);
    for path in photos(either(8, 1)) {
        let bytes = std::fs::read(&path).unwrap();
        let Ok(frame) = Frame::read(&bytes) else { continue };
        let input = Input { jpeg: &bytes, scans: frame.scans, memory: ImageLimits::default().max_sample_memory };
        match input.own_coefficients() {
            Some(coefficients) => {
                assert_eq!(Ok(coefficients), input.turbo_coefficients(), "{}", path.display());
                own += 1;
            }
            None => left += 1,
        }
    }
    println!("{own} decoded here, {left} left to libjpeg");
    assert!(own >= 20 * left, "{own} decoded here, {left} left to libjpeg");
}

fn excerpt(bytes: &[u8], scale: Scale, area: PixelBox) -> Excerpt<'_> {
    Excerpt { bytes, scale, area, memory: ImageLimits::default().max_sample_memory }
}

/// The indexed form of a photo that has one.
fn indexed(bytes: &[u8]) -> Option<bytes::Bytes> {
    IndexedJpeg::rewrite(bytes, &ImageLimits::default()).ok().map(IndexedJpeg::into_bytes)
}

/// A photo, or part of it, decoded here at a level, if it is.
fn own(bytes: &[u8], frame: &Frame, scale: Scale, wanted: PixelBox, level: Level) -> Option<(PixelBox, Vec<u8>)> {
    let mut out = Vec::new();
    let window = decode(frame, &excerpt(bytes, scale, wanted), &mut Buffers::at(level), &mut out)?;
    Some((window, out))
}

/// The whole photo, by libjpeg-turbo.
fn turbo(bytes: &[u8], frame: &Frame, scale: Scale) -> Vec<u8> {
    let whole = excerpt(bytes, scale, PixelBox::whole(scale.size(frame.size)));
    let mut out = Vec::new();
    fallback::decode(frame, &whole, &mut Vec::new(), &mut out).unwrap();
    out
}

/// The pixels of a box of a photo that is `width` pixels wide.
fn cut(pixels: &[u8], width: u32, area: PixelBox) -> Vec<u8> {
    let rows = pixels.chunks_exact(width as usize * 3).skip(area.y as usize).take(area.height as usize);
    rows.flat_map(|row| &row[area.x as usize * 3..(area.x + area.width) as usize * 3]).copied().collect()
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(end)) as u32
    }

    fn window(&mut self, size: Size) -> PixelBox {
        let (x, y) = (self.below(size.width), self.below(size.height));
        let (width, height) = (1 + self.below(size.width - x), 1 + self.below(size.height - y));
        PixelBox { x, y, width, height }
    }
}

/// Holds a photo against libjpeg-turbo: whole at every scale and level, and in windows. False where our own decoder
/// does not take the photo.
fn hold_against_turbo(name: &str, bytes: &[u8], windows: usize) -> bool {
    let Ok(frame) = Frame::read(bytes) else { return false };
    let mut dice = Dice(bytes.len() as u64);
    for &scale in Scale::all(DecodeMode::Fast) {
        let size = scale.size(frame.size);
        let whole = PixelBox::whole(size);
        if own(bytes, &frame, scale, whole, Level::default()).is_none() {
            return false;
        }
        let expected = turbo(bytes, &frame, scale);
        for level in Level::available() {
            let (window, pixels) = own(bytes, &frame, scale, whole, level).unwrap();
            assert_eq!(window, whole, "{name}");
            assert!(
                pixels == expected,
                "{name} at {}/8, {level}: {:?}",
                scale.eighths(),
                first_difference(&pixels, &expected, size)
            );
        }
        for _ in 0..windows {
            let wanted = dice.window(size);
            let (window, pixels) = own(bytes, &frame, scale, wanted, Level::default()).unwrap();
            assert!(window.x <= wanted.x && window.x + window.width == wanted.x + wanted.width);
            assert!(window.y == wanted.y && window.height == wanted.height && window.width <= wanted.width + 1);
            assert!(pixels == cut(&expected, size.width, window), "{name} at {}/8 in {window:?}", scale.eighths());
        }
    }
    true
}

fn first_difference(a: &[u8], b: &[u8], size: Size) -> (usize, usize, usize) {
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(usize::MAX);
    let pitch = size.width as usize * 3;
    (at % pitch / 3, at / pitch, at % 3)
}

#[test]
fn pixels_of_photos_are_libjpegs() {
    let mut own = 0;
    for path in photos(either(40, 1)) {
        let bytes = std::fs::read(&path).unwrap();
        own += usize::from(hold_against_turbo(&path.display().to_string(), &bytes, either(8, 50)));
        if let Some(indexed) = indexed(&bytes) {
            assert!(hold_against_turbo(&path.display().to_string(), &indexed, either(8, 50)), "{}", path.display());
        }
    }
    println!("{own} decoded here");
}

/// A JPEG of slopes, edges and noise.
fn encoded(size: Size, subsamp: Subsamp, quality: i32, optimize: bool, dice: &mut Dice) -> Vec<u8> {
    let (step, noise) = (1 + dice.below(9), 1 + dice.below(60));
    let mut pixels = Vec::with_capacity(size.pixels() as usize * 3);
    for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x))) {
        let edge = if (x / 13 + y / 11) % 2 == 0 { 90 } else { 0 };
        pixels.extend([0; 3].map(|_: u8| (x * step + y * 5 + edge + dice.below(noise)) as u8));
    }
    let mut compressor = Compressor::new().unwrap();
    compressor.set_subsamp(subsamp).unwrap();
    compressor.set_quality(quality).unwrap();
    compressor.set_optimize(optimize).unwrap();
    let (width, height) = (size.width as usize, size.height as usize);
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
    compressor.compress_to_vec(image).unwrap()
}

#[test]
fn pixels_of_every_sampling_size_and_quality_are_libjpegs() {
    let subsamps: Vec<_> = SUBSAMPS.into_iter().chain([Subsamp::Gray]).collect();
    let mut dice = Dice(1);
    for round in 0..either(600, 20_000) {
        let subsamp = subsamps[round % subsamps.len()];
        let size = Size { width: 1 + dice.below(if round % 9 == 0 { 300 } else { 70 }), height: 1 + dice.below(70) };
        let quality = 1 + dice.below(100) as i32;
        let bytes = encoded(size, subsamp, quality, round % 2 == 0, &mut dice);
        assert!(hold_against_turbo(&format!("{subsamp:?} {size:?} {round}"), &bytes, 4));
        if let Some(indexed) = indexed(&bytes) {
            assert!(hold_against_turbo(&format!("{subsamp:?} {size:?} {round}, indexed"), &indexed, 4));
        }
    }
}

/// Damage of all kinds to the bytes of a JPEG.
fn damaged(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let scan = memchr::memmem::find(&bytes, &[0xff, 0xda]).unwrap_or(0);
    for _ in 0..=dice.below(3) {
        // Mostly behind the header, where libjpeg goes on.
        let start = if dice.below(5) == 0 { 2 } else { scan };
        if bytes.len() <= start {
            break;
        }
        let at = start + dice.below((bytes.len() - start) as u32) as usize;
        let length = 1 + dice.below(20) as usize;
        let end = (at + length).min(bytes.len());
        match dice.below(8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.extend_from_within(at..end),
            2 => bytes.insert(at, dice.below(256) as u8),
            3 => drop(bytes.splice(at..at, [0xff, 0xd0 + dice.below(10) as u8])),
            4 => bytes[at..end].fill([0, 0xff, 0xaa][dice.below(3) as usize]),
            5 => bytes[at] ^= 1 << dice.below(8),
            _ => bytes[at] = dice.below(256) as u8,
        }
    }
    if !bytes.ends_with(&END_OF_IMAGE) && dice.below(4) > 0 {
        bytes.extend(END_OF_IMAGE);
    }
    bytes
}

#[test]
fn what_is_damaged_comes_out_as_libjpegs_or_is_left_to_it() {
    let rounds = either(20_000, 1_000_000);
    let subsamps = [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Gray];
    let mut dice = Dice(rounds as u64);
    let mut files = Vec::new();
    for round in 0..48 {
        let size = Size { width: 1 + dice.below(130), height: 1 + dice.below(90) };
        let bytes =
            encoded(size, subsamps[round % subsamps.len()], 20 + dice.below(80) as i32, round % 4 < 2, &mut dice);
        files.extend(indexed(&bytes).map(Vec::from));
        files.push(bytes);
    }
    let mut decoded = 0;
    for round in 0..rounds {
        let bytes = damaged(&files[round % files.len()], &mut dice);
        let Ok(frame) = read_frame(&bytes, &ImageLimits::default()) else { continue };
        if frame.size.pixels() > 40_000 {
            continue;
        }
        let scales = Scale::all(DecodeMode::Fast);
        let scale = scales[dice.below(scales.len() as u32) as usize];
        let size = scale.size(frame.size);
        let wanted = if round % 2 == 0 { PixelBox::whole(size) } else { dice.window(size) };
        for level in Level::available() {
            if let Some((window, pixels)) = own(&bytes, &frame, scale, wanted, level) {
                assert!(pixels == cut(&turbo(&bytes, &frame, scale), size.width, window), "round {round}, {level}");
                decoded += 1;
            }
        }
    }
    println!("{decoded} of {rounds} were decoded here, at any level");
    assert!(decoded > rounds / 20);
}

/// A photo whose first coefficients are beyond what any encoder writes: libjpeg-turbo's vector code overflows, and so
/// does ours.
#[test]
fn wild_coefficients_overflow_alike() {
    let mut dice = Dice(3);
    for round in 0..300 {
        let size = Size { width: 8 + dice.below(80), height: 8 + dice.below(60) };
        let subsamp = [Subsamp::None, Subsamp::Sub2x2, Subsamp::Gray][round % 3];
        let mut bytes = encoded(size, subsamp, 60 + dice.below(40) as i32, false, &mut dice);
        let tables: Vec<usize> = memchr::memmem::find_iter(&bytes, &[0xff, 0xdb]).collect();
        for table in tables {
            for factor in &mut bytes[table + 5..table + 69] {
                *factor = if dice.below(3) == 0 { 255 } else { 1 + dice.below(255) as u8 };
            }
        }
        assert!(hold_against_turbo(&format!("{round}"), &bytes, 1));
    }
}

#[test]
fn a_photo_is_left_to_libjpeg_where_memory_is_short() {
    let size = Size { width: 200, height: 100 };
    let bytes = encoded(size, Subsamp::Sub2x2, 90, false, &mut Dice(5));
    let header = |most: u64| {
        let limits = ImageLimits { max_sample_memory: ByteCount::new(most), ..ImageLimits::default() };
        read_header(&bytes, Orientation::Stored, &limits)
    };
    let taken = |most: u64| {
        let header = header(most).unwrap();
        (header.detail.jpeg().unwrap().is_plain(), header.memory.get())
    };
    let (own, all) = taken(1 << 30);
    let least = all - own_memory(&Frame::read(&bytes).unwrap(), bytes.len() as u64);
    assert!(own && least < all);
    assert_eq!((taken(all), taken(all - 1), taken(least)), ((true, all), (false, least), (false, least)));
    assert!(header(least - 1).is_err());
}
