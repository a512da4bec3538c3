use headwater_types::{Framing, PixelBox, RealBox, Size};
use proptest::prelude::*;

use super::*;

/// The definition, in f64 and without Pillow's rounding between the passes.
fn reference(source: Source<'_>, framing: &Framing) -> Vec<f64> {
    let Framing { readable, output, .. } = *framing;
    let (across, down) = axes(framing);
    let weights = |axis: &Axis, index: u32| -> Vec<(u32, f64)> {
        let scale = f64::from(axis.to - axis.from) / f64::from(axis.output);
        let support = scale.max(1.0);
        let center = f64::from(axis.from) + (f64::from(index) + 0.5) * scale;
        let raw: Vec<(u32, f64)> = (0..axis.input)
            .map(|x| (x, (1.0 - ((f64::from(x) + 0.5 - center) / support).abs()).max(0.0)))
            .filter(|(_, w)| *w > 0.0)
            .collect();
        let sum: f64 = raw.iter().map(|(_, w)| w).sum();
        raw.into_iter().map(|(x, w)| (x, w / sum)).collect()
    };
    let mut out = Vec::new();
    for y in 0..output.height {
        let rows = weights(&down, y);
        for x in 0..output.width {
            let columns = weights(&across, x);
            for channel in 0..3 {
                let value = |column: u32, row: u32| {
                    let place =
                        (readable.y + row) as usize * source.size.width as usize + (readable.x + column) as usize;
                    f64::from(source.pixels[place * 3 + channel])
                };
                out.push(rows.iter().flat_map(|(r, b)| columns.iter().map(move |(c, a)| a * b * value(*c, *r))).sum());
            }
        }
    }
    out
}

/// Bytes that are the same everywhere, and not smooth.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

prop_compose! {
    fn cases()(width in 1_u32..90, height in 1_u32..70, out_width in 1_u32..50, out_height in 1_u32..50,
               left in 0.0..1.0, top in 0.0..1.0, across in 0.0..1.0, down in 0.0..1.0, crop: bool, seed: u64)
        -> (Vec<u8>, Size, Framing) {
        let size = Size { width, height };
        let x = (left * f64::from(width - 1)) as u32;
        let y = (top * f64::from(height - 1)) as u32;
        let cut = PixelBox {
            x, y,
            width: 1 + (across * f64::from(width - x - 1)) as u32,
            height: 1 + (down * f64::from(height - y - 1)) as u32,
        };
        let (readable, region) = if crop {
            (cut, cut.into())
        } else {
            let region = RealBox {
                x: left * f64::from(width) * 0.5,
                y: top * f64::from(height) * 0.5,
                width: (0.01 + 0.49 * across) * f64::from(width),
                height: (0.01 + 0.49 * down) * f64::from(height),
            };
            (PixelBox::whole(size), region)
        };
        let output = Size { width: out_width, height: out_height };
        (noise((width * height * 3) as usize, seed), size, Framing { readable, region, output, flip: false })
    }
}

proptest! {
    #[test]
    fn the_result_is_the_definition_within_a_level((pixels, size, framing) in cases()) {
        let source = Source::whole(&pixels, size);
        let mut out = vec![0; (framing.output.pixels() * 3) as usize];
        Resampler::default().resample(source, &framing, &mut out);
        for (actual, expected) in out.iter().zip(reference(source, &framing)) {
            prop_assert!((f64::from(*actual) - expected).abs() <= 1.01, "{} for {}", actual, expected);
        }
    }

    #[test]
    fn buffers_that_are_kept_change_nothing((pixels, size, framing) in cases(), (before, before_size, other) in cases()) {
        let mut fresh = vec![0; (framing.output.pixels() * 3) as usize];
        let mut kept = fresh.clone();
        Resampler::default().resample(Source::whole(&pixels, size), &framing, &mut fresh);
        let mut resampler = Resampler::default();
        let mut ignored = vec![0; (other.output.pixels() * 3) as usize];
        resampler.resample(Source::whole(&before, before_size), &other, &mut ignored);
        resampler.resample(Source::whole(&pixels, size), &framing, &mut kept);
        prop_assert_eq!(fresh, kept);
    }

    #[test]
    fn a_window_of_the_pixels_that_are_read_is_enough(
        (pixels, size, framing) in cases(), more in prop::array::uniform4(0_u32..9),
    ) {
        let mut whole = vec![0; (framing.output.pixels() * 3) as usize];
        let mut part = whole.clone();
        let mut resampler = Resampler::default();
        resampler.resample(Source::whole(&pixels, size), &framing, &mut whole);
        let read = pixels_read(&framing);
        let origin = Position { x: read.x.saturating_sub(more[0]), y: read.y.saturating_sub(more[1]) };
        let (right, bottom) = (read.x + read.width + more[2], read.y + read.height + more[3]);
        let window = Size { width: right.min(size.width) - origin.x, height: bottom.min(size.height) - origin.y };
        let mut cut = Vec::new();
        for y in origin.y..origin.y + window.height {
            for x in origin.x..origin.x + window.width {
                let inside = (read.x..read.x + read.width).contains(&x) && (read.y..read.y + read.height).contains(&y);
                let at = (y * size.width + x) as usize * 3;
                cut.extend_from_slice(if inside { &pixels[at..at + 3] } else { &[0xa5; 3] });
            }
        }
        resampler.resample(Source { pixels: &cut, size: window, origin }, &framing, &mut part);
        prop_assert_eq!(whole, part);
    }
}

#[test]
fn a_whole_photo_of_the_right_size_is_copied() {
    let size = Size { width: 5, height: 4 };
    let pixels = noise(60, 3);
    let readable = PixelBox::whole(size);
    let framing = Framing { readable, region: readable.into(), output: size, flip: false };
    let mut out = vec![0; 60];
    Resampler::default().resample(Source::whole(&pixels, size), &framing, &mut out);
    assert_eq!(out, pixels);
}
