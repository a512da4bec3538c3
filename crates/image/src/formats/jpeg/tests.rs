//! Windows are held against the same box of a whole decode.

use headwater_types::{Framing, ImageLimits, RealBox, Recipe, Scale, Size};
use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::*;
use crate::rgb::rgb_len;

/// The samplings that libjpeg-turbo writes in colour.
pub(super) const SUBSAMPS: [Subsamp; 6] =
    [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Sub1x4];

/// A JPEG of some kind, whole or with parts of it changed.
#[derive(Clone, Debug)]
struct Photo {
    size: Size,
    subsamp: Subsamp,
    format: PixelFormat,
    progressive: bool,
    /// Scans that are kept; libjpeg guesses at what the others of a progressive photo would have said.
    scans: usize,
    /// Other sampling factors in the header: what it then holds is noise, of layouts that no encoder here writes.
    sampling: Option<[u8; 3]>,
    /// A byte behind the header, by its place, and what it is instead.
    damage: Option<(f64, u8)>,
    seed: u64,
}

impl Photo {
    fn any() -> impl Strategy<Value = Self> {
        let subsamp = prop::sample::select(&SUBSAMPS);
        let format =
            prop::sample::select(vec![PixelFormat::RGB, PixelFormat::RGB, PixelFormat::GRAY, PixelFormat::CMYK]);
        let factor = (1_u8..=4, 1_u8..=4).prop_map(|(h, v)| h << 4 | v);
        let sampling = prop::option::weighted(0.2, prop::array::uniform3(factor));
        let size = (1_u32..140, 1_u32..110).prop_map(|(width, height)| Size { width, height });
        let damage = prop::option::weighted(0.2, (0.0..1.0, any::<u8>()));
        (size, subsamp, format, any::<bool>(), 1_usize..12, sampling, damage, any::<u64>()).prop_map(
            |(size, subsamp, format, progressive, scans, sampling, damage, seed)| Self {
                size,
                subsamp,
                format,
                progressive,
                scans,
                sampling,
                damage,
                seed,
            },
        )
    }

    fn encode(&self) -> Vec<u8> {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let pitch = width * self.format.size();
        let mut state = self.seed | 1;
        let pixels: Vec<u8> = (0..pitch * height)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ((at % pitch * 2 + at / pitch * 3) as u8).wrapping_add(state as u8 & 63)
            })
            .collect();
        let mut compressor = Compressor::new().unwrap();
        compressor.set_subsamp(if self.format == PixelFormat::GRAY { Subsamp::Gray } else { self.subsamp }).unwrap();
        compressor.set_quality(80).unwrap();
        compressor.set_progressive(self.progressive).unwrap();
        let image = Image { pixels: &pixels[..], width, pitch, height, format: self.format };
        let mut bytes = compressor.compress_to_vec(image).unwrap();
        let markers = |bytes: &[u8], marker: u8| memchr::memmem::find_iter(bytes, &[0xff, marker]).collect::<Vec<_>>();
        if let Some(&end) = markers(&bytes, 0xda).get(self.scans) {
            bytes.truncate(end);
            bytes.extend([0xff, 0xd9]);
        }
        if let Some(sampling) = self.sampling {
            let frame = markers(&bytes, if self.progressive { 0xc2 } else { 0xc0 })[0];
            let count = usize::from(bytes[frame + 9]).min(3);
            for (component, factors) in sampling.iter().enumerate().take(count) {
                bytes[frame + 11 + component * 3] = *factors;
            }
        }
        if let Some((place, byte)) = self.damage {
            let behind = markers(&bytes, 0xda)[0] + 14;
            let at = behind + (place * bytes.len().saturating_sub(behind) as f64) as usize;
            // The smallest photos have nothing there.
            if let Some(damaged) = bytes.get_mut(at) {
                *damaged = byte;
            }
        }
        bytes
    }
}

/// Sides of crops that are decoded whole, at a half, a quarter and an eighth where 224 pixels are wanted.
const SIDES: [f64; 4] = [224.0, 560.0, 1120.0, 2240.0];

/// The scale for a crop of such a side.
fn scale(side: f64) -> Scale {
    let recipe = Recipe::builtin("imagenet-train-fast").unwrap();
    let output = recipe.output_size();
    let region = RealBox { x: 0.0, y: 0.0, width: side, height: side };
    Scale::of(
        recipe.stages(),
        &Framing {
            readable: PixelBox::whole(output),
            region,
            cut_from: None,
            output,
            interpolation: Default::default(),
            flip: false,
        },
    )
}

/// The pixels of a box, cut out of a picture that itself lies at `place`.
fn cut(pixels: &[u8], place: PixelBox, area: PixelBox) -> Vec<u8> {
    let row = |y: u32| {
        let start = ((y - place.y) * place.width + area.x - place.x) as usize * 3;
        &pixels[start..start + area.width as usize * 3]
    };
    (area.y..area.y + area.height).flat_map(row).copied().collect()
}

/// A side of a box: where it starts and how long it is, of `length`.
fn side(start: f64, extent: f64, length: u32) -> (u32, u32) {
    let start = (start * f64::from(length)) as u32;
    (start, 1 + (extent * f64::from(length - start - 1)) as u32)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]
    #[test]
    fn a_window_holds_the_pixels_of_the_whole_photo(
        photo in Photo::any(), start in (0.0..1.0, 0.0..1.0),
        extent in prop_oneof![Just((0.0, 0.0)), (0.0..1.0, 0.0..1.0)],
        scale in prop::sample::select(SIDES.map(scale).to_vec()),
    ) {
        let size = scale.size(photo.size);
        let (x, width) = side(start.0, extent.0, size.width);
        let (y, height) = side(start.1, extent.1, size.height);
        let wanted = PixelBox { x, y, width, height };
        let bytes = photo.encode();
        let limits = ImageLimits::default();
        let Ok(frame) = read_frame(&bytes, &limits) else { return Ok(()) };
        let decode = |wanted, out: &mut Vec<u8>| {
            let excerpt = Excerpt { bytes: &bytes, scale, area: wanted, memory: limits.max_sample_memory };
            decode(&frame, &excerpt, &mut Buffers::default(), &mut Vec::new(), out)
        };
        let (mut all, mut some) = (Vec::new(), Vec::new());
        match (decode(PixelBox::whole(size), &mut all), decode(wanted, &mut some)) {
            (Ok(whole), Ok(window)) => {
                prop_assert_eq!(whole, PixelBox::whole(size));
                prop_assert_eq!(cut(&some, window, wanted), cut(&all, whole, wanted), "in {:?}", window);
            }
            (whole, window) => prop_assert_eq!(whole, window),
        }
    }
}

#[test]
fn a_window_is_not_the_whole_photo() {
    let size = Size { width: 200, height: 120 };
    let wanted = PixelBox { x: 100, y: 50, width: 40, height: 20 };
    assert_eq!(SIDES.map(|side| scale(side).eighths()), [8, 4, 2, 1]);
    for (progressive, width) in [(false, 40), (true, 144 - 64)] {
        let (subsamp, format) = (Subsamp::Sub2x2, PixelFormat::RGB);
        let photo = Photo { size, subsamp, format, progressive, scans: 99, sampling: None, damage: None, seed: 1 };
        let bytes = photo.encode();
        let limits = ImageLimits::default();
        let frame = read_frame(&bytes, &limits).unwrap();
        let mut out = Vec::new();
        let memory = limits.max_sample_memory;
        let excerpt = Excerpt { bytes: &bytes, scale: Scale::WHOLE, area: wanted, memory };
        let window = decode(&frame, &excerpt, &mut Buffers::default(), &mut Vec::new(), &mut out).unwrap();
        assert_eq!((window.width, window.height), (width, 20), "progressive {progressive}");
        assert_eq!(out.len(), rgb_len(window.size()));
    }
}
