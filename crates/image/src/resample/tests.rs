use headwater_types::recipe::Interpolation;
use headwater_types::{Framing, PixelBox, RealBox, Size};
use proptest::prelude::*;

use super::*;

/// Every filter of a resize.
pub(crate) const FILTERS: [Interpolation; 2] = [Interpolation::Bilinear, Interpolation::Bicubic];

/// A filter, by its textbook definition.
fn kernel(filter: Interpolation, x: f64) -> f64 {
    let x = x.abs();
    match filter {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        Interpolation::Bicubic if x <= 1.0 => 1.5 * x.powi(3) - 2.5 * x.powi(2) + 1.0,
        Interpolation::Bicubic if x <= 2.0 => -0.5 * x.powi(3) + 2.5 * x.powi(2) - 4.0 * x + 2.0,
        Interpolation::Bicubic => 0.0,
    }
}

/// The weight of each source pixel.
fn weights(axis: &Axis, index: u32) -> Vec<f64> {
    let scale = f64::from(axis.to - axis.from) / f64::from(axis.whole);
    let center = f64::from(axis.from) + (f64::from(axis.first + index) + 0.5) * scale;
    let raw = (0..axis.input).map(|x| kernel(axis.filter, (f64::from(x) + 0.5 - center) / scale.max(1.0)));
    let raw: Vec<f64> = raw.collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}

/// A resize by its definition, in f64 and without Pillow's rounding between the passes. Values outside 0 to 255 are cut
/// off after the first pass, as Pillow does.
fn reference(source: Source<'_>, framing: &Framing) -> Vec<f64> {
    let Framing { readable, output, .. } = *framing;
    let (across, down) = axes(framing);
    let [rows, columns] = [(&down, output.height), (&across, output.width)]
        .map(|(axis, count)| (0..count).map(|index| weights(axis, index)).collect::<Vec<_>>());
    let value = |x: usize, y: usize, channel: usize| {
        let (x, y) = (x + readable.x as usize, y + readable.y as usize);
        f64::from(source.pixels[(y * source.size.width as usize + x) * 3 + channel])
    };
    let sum = |weights: &[f64], value: &dyn Fn(usize) -> f64| {
        weights.iter().enumerate().filter(|(_, w)| **w != 0.0).map(|(i, w)| w * value(i)).sum::<f64>().clamp(0.0, 255.0)
    };
    let vertical_first = vertical_first(framing);
    let mut out = Vec::new();
    for row in &rows {
        for column in &columns {
            out.extend([0, 1, 2].map(|channel| {
                if vertical_first {
                    sum(column, &|x| sum(row, &|y| value(x, y, channel)))
                } else {
                    sum(row, &|y| sum(column, &|x| value(x, y, channel)))
                }
            }));
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
               left in 0.0..1.0, top in 0.0..1.0, across in 0.0..1.0, down in 0.0..1.0, crop: bool,
               interpolation in prop::sample::select(&FILTERS), seed: u64)
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
        let framing = Framing { readable, region, cut_from: None, output, interpolation, flip: false };
        (noise((width * height * 3) as usize, seed), size, framing)
    }
}

proptest! {
    #[test]
    fn the_result_is_the_definition_within_a_level((pixels, size, framing) in cases()) {
        let source = Source::whole(&pixels, size);
        let mut out = vec![0; (framing.output.pixels() * 3) as usize];
        Resampler::default().resample(source, &framing, &mut out);
        for (actual, expected) in out.iter().zip(reference(source, &framing)) {
            // Half a level for each pass; a cubic's weights, without their signs, sum up to 1.25 and, by an edge, to
            // more.
            prop_assert!((f64::from(*actual) - expected).abs() <= 1.21, "{} for {}", actual, expected);
        }
    }

    #[test]
    fn buffers_that_are_kept_change_nothing(
        (pixels, size, framing) in cases(), (before, before_size, other) in cases(),
    ) {
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

proptest! {
    #[test]
    fn a_part_of_a_resize_is_cut_out_of_the_whole(
        (pixels, size, framing) in cases(), part in prop::array::uniform4(0.0..1.0_f64),
    ) {
        let whole = framing.output;
        let cut = |side: u32, start: f64, length: f64| {
            let first = (start * f64::from(side)) as u32;
            (first, 1 + (length * f64::from(side - first - 1)) as u32)
        };
        let ((x, width), (y, height)) = (cut(whole.width, part[0], part[1]), cut(whole.height, part[2], part[3]));
        let cut_from = CutFrom { region: framing.region, size: whole, corner: Position { x, y } };
        let output = Size { width, height };
        let mut all = vec![0; (whole.pixels() * 3) as usize];
        let mut some = vec![0; (output.pixels() * 3) as usize];
        let mut resampler = Resampler::default();
        resampler.resample(Source::whole(&pixels, size), &framing, &mut all);
        let framing = Framing { cut_from: Some(cut_from), output, ..framing };
        resampler.resample(Source::whole(&pixels, size), &framing, &mut some);
        for (row, actual) in some.chunks_exact(width as usize * 3).enumerate() {
            let start = ((y as usize + row) * whole.width as usize + x as usize) * 3;
            prop_assert_eq!(actual, &all[start..start + actual.len()]);
        }
    }
}

#[test]
fn a_whole_photo_of_the_right_size_is_copied() {
    let size = Size { width: 5, height: 4 };
    let pixels = noise(60, 3);
    let readable = PixelBox::whole(size);
    for interpolation in FILTERS {
        let framing =
            Framing { readable, region: readable.into(), cut_from: None, output: size, interpolation, flip: false };
        let mut out = vec![0; 60];
        Resampler::default().resample(Source::whole(&pixels, size), &framing, &mut out);
        assert_eq!(out, pixels, "{interpolation:?}");
    }
}
