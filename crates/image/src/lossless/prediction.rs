//! The differences between pixels and their prediction from neighbours: they are small where a picture is smooth.

use crate::rgb::Rgb8;

/// The three bytes of a pixel, or the differences that stand in their place.
type Pixel = [u8; Rgb8::CHANNELS];
const CHANNELS: [usize; Rgb8::CHANNELS] = [0, 1, 2];

/// Takes green off red and blue.
pub(super) fn less_green(pixels: &[u8], out: &mut [u8]) {
    for (&[r, g, b], out) in as_pixels(pixels).iter().zip(as_pixels_mut(out)) {
        *out = [r.wrapping_sub(g), g, b.wrapping_sub(g)];
    }
}

fn plus_green(row: &mut [u8]) {
    for [r, g, b] in as_pixels_mut(row) {
        *r = r.wrapping_add(*g);
        *b = b.wrapping_add(*g);
    }
}

/// Takes its prediction off each pixel of a row: one byte at a time and not one pixel, so that it is vectorised.
pub(super) fn less_prediction(row: &[u8], above: &[u8], out: &mut [u8]) {
    let (first, rest) = out.split_at_mut(Rgb8::CHANNELS.min(row.len()));
    for ((out, value), above) in first.iter_mut().zip(row).zip(above) {
        *out = value.wrapping_sub(*above);
    }
    let neighbours = row.iter().zip(&above[Rgb8::CHANNELS..]).zip(above);
    for ((out, value), ((left, up), corner)) in rest.iter_mut().zip(&row[Rgb8::CHANNELS..]).zip(neighbours) {
        *out = value.wrapping_sub(predicted(*left, *up, *corner));
    }
}

fn plus_prediction(row: &mut [u8], above: &[u8]) {
    let (Some((first, rest)), Some((up, ups))) = (as_pixels_mut(row).split_first_mut(), as_pixels(above).split_first())
    else {
        return;
    };
    *first = CHANNELS.map(|channel| first[channel].wrapping_add(up[channel]));
    let (mut left, mut corner) = (*first, *up);
    for (pixel, up) in rest.iter_mut().zip(ups) {
        let known = |channel: usize| predicted(left[channel], up[channel], corner[channel]);
        *pixel = CHANNELS.map(|channel| pixel[channel].wrapping_add(known(channel)));
        (left, corner) = (*pixel, *up);
    }
}

/// The prediction of a value: the median of left, up, and left + up - corner.
fn predicted(left: u8, up: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(up), left.max(up));
    // Left + up is low + high: with the corner held between them the median is this, and never leaves 8 bits.
    left.wrapping_add(up).wrapping_sub(corner.max(low).min(high))
}

/// Turns the differences of all rows back into pixels, in place. A row gets its green back when the next row is done,
/// which is predicted from it without green.
pub(super) fn restore(pixels: &mut [u8], width: usize) {
    let row_len = width * Rgb8::CHANNELS;
    let outside = vec![0; row_len];
    let mut last: Option<&mut [u8]> = None;
    for row in pixels.chunks_exact_mut(row_len) {
        plus_prediction(row, last.as_deref().unwrap_or(&outside));
        if let Some(above) = last.replace(row) {
            plus_green(above);
        }
    }
    last.into_iter().for_each(plus_green);
}

fn as_pixels(bytes: &[u8]) -> &[Pixel] {
    bytes.as_chunks().0
}

fn as_pixels_mut(bytes: &mut [u8]) -> &mut [Pixel] {
    bytes.as_chunks_mut().0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_left_over_is_put_back(bytes in prop::collection::vec(any::<u8>(), 3..400), width in 1_usize..40) {
            let rows = (bytes.len() / (3 * width)).max(1);
            let mut bytes = bytes;
            bytes.resize(rows * width * 3, 7);
            let [mut above, mut row] = [(); 2].map(|()| vec![0; 3 * width]);
            let mut left_over = Vec::new();
            for pixels in bytes.chunks_exact(3 * width) {
                let mut out = vec![0; 3 * width];
                less_green(pixels, &mut row);
                less_prediction(&row, &above, &mut out);
                left_over.extend(out);
                above.copy_from_slice(&row);
            }
            restore(&mut left_over, width);
            prop_assert_eq!(left_over, bytes);
        }
    }

    #[test]
    fn the_prediction_is_the_median_of_three() {
        for (left, up, corner) in (0..=u8::MAX)
            .step_by(5)
            .flat_map(|a| (0..=u8::MAX).step_by(3).flat_map(move |b| (0..=u8::MAX).step_by(7).map(move |c| (a, b, c))))
        {
            let mut three = [left, up, corner].map(i16::from);
            three[2] = three[0] + three[1] - three[2];
            three.sort_unstable();
            assert_eq!(i16::from(predicted(left, up, corner)), three[1], "{left} {up} {corner}");
        }
    }
}
