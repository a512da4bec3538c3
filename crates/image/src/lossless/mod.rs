//! Lossless coding of pixels: how the u8 cuts travel where a client asks for `pixels = "lossless"`.
//!
//! ```text
//! r g b  ->  r-g  g  b-g          red and blue are close to green (all arithmetic is modulo 256)
//!        ->  less a prediction    from left, above and above left: the median edge detector of LOCO-I
//!                                 (Weinberger, Seroussi, Sapiro 1996); outside the picture is 0, and the first
//!                                 column has above only
//!        ->  zlib (RFC 1950)      one stream of h x w x 3 bytes, rows from the top, pixels interleaved
//! ```
//!
//! Size and shape travel beside the coded bytes. Most of the encoder's time is spent in `fdeflate`, whose fixed Huffman
//! table was made for the differences that a PNG filter leaves, and fits these even better. docs/lossless.md compares
//! other ways.
//!
//! Invariants: [`decode`] gives back the picture that [`encode`] was given; nothing is allocated for bytes that cannot
//! become a picture within the limits. Never: alpha, other depths, metadata.

mod prediction;
mod sink;

use fdeflate::{Compressor, Decompressor};
use headwater_types::{ByteCount, ImageLimits, Size};

use prediction::{less_green, less_prediction, restore};
use sink::Sink;

use crate::error::ImageError;
use crate::limits;
use crate::rgb::{Rgb8, rgb_len};

/// Bytes that one byte of a zlib stream can become at most: 258 for each of the two bits of a repeated match.
const MOST_EXPANSION: u64 = 1032;

/// Codes a picture; `None` where the coded bytes would not be fewer than its pixels'.
pub fn encode(picture: &Rgb8) -> Option<Vec<u8>> {
    let row_len = picture.size().width as usize * Rgb8::CHANNELS;
    let [mut above, mut row, mut left_over] = [(); 3].map(|()| vec![0; row_len]);
    let mut compressor = Compressor::new(Sink::below(picture.pixels().len())).ok()?;
    for pixels in picture.pixels().chunks_exact(row_len) {
        less_green(pixels, &mut row);
        less_prediction(&row, &above, &mut left_over);
        compressor.write_data(&left_over).ok()?;
        std::mem::swap(&mut above, &mut row);
    }
    compressor.finish().ok()?.into_kept()
}

/// Decodes a picture of this size from the bytes that [`encode`] gave.
///
/// # Errors
/// `LimitExceeded` for a size past the limits; `Coding` where the bytes are no picture of this size.
pub fn decode(bytes: &[u8], size: Size, limits: &ImageLimits) -> Result<Rgb8, ImageError> {
    limits::check_size(size, limits)?;
    let expected = size.pixels() * Rgb8::CHANNELS as u64;
    limits::check_memory(ByteCount::new(expected + bytes.len() as u64), limits)?;
    if bytes.len() as u64 * MOST_EXPANSION < expected {
        return Err(broken(format!("{} bytes cannot become {expected}", bytes.len())));
    }
    let mut pixels = vec![0; rgb_len(size)];
    inflate(bytes, &mut pixels)?;
    restore(&mut pixels, size.width as usize);
    Rgb8::new(size, pixels).ok_or_else(|| broken("it is empty"))
}

/// Fills `out` from a zlib stream, which must unpack to exactly as many bytes. Bytes behind the stream are ignored.
fn inflate(mut bytes: &[u8], out: &mut [u8]) -> Result<(), ImageError> {
    let mut decompressor = Decompressor::new();
    let mut filled = 0;
    while !decompressor.is_done() {
        let (read, written) =
            decompressor.read(bytes, out, filled, true).map_err(|error| broken(format!("zlib: {error:?}")))?;
        if read == 0 && written == 0 && !decompressor.is_done() {
            return Err(broken("it has more bytes than its size says"));
        }
        filled += written;
        bytes = &bytes[read..];
    }
    if filled != out.len() {
        return Err(broken(format!("it has {filled} bytes where its size says {}", out.len())));
    }
    Ok(())
}

fn broken(reason: impl Into<String>) -> ImageError {
    ImageError::Coding { reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: ImageLimits = ImageLimits {
        max_dimension: 5_000,
        max_pixels: 1 << 22,
        max_object: ByteCount::mebibytes(1),
        max_sample_memory: ByteCount::mebibytes(8),
        max_scans: 1,
        max_scan_pixels: 1,
    };

    fn picture(width: u32, height: u32, pixel: impl FnMut(usize) -> u8) -> Rgb8 {
        let size = Size { width, height };
        Rgb8::new(size, (0..rgb_len(size)).map(pixel).collect()).unwrap()
    }

    /// A slope with some noise, as photos are.
    fn slope(width: u32, height: u32, noise: u8) -> Rgb8 {
        let hash = |i: usize| {
            let mixed = (i as u64 ^ 0x55).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40
        };
        let (pixel, width_in) = (|i: usize| i / Rgb8::CHANNELS, width as usize);
        picture(width, height, |i| {
            ((pixel(i) % width_in + pixel(i) / width_in) as u64 + hash(i) % u64::from(noise)) as u8
        })
    }

    proptest! {
        #[test]
        fn every_picture_comes_back(width in 1_u32..80, height in 1_u32..40, noise in 1_u8..=255) {
            let picture = slope(width, height, noise);
            if let Some(coded) = encode(&picture) {
                prop_assert!(coded.len() < picture.pixels().len());
                prop_assert_eq!(decode(&coded, picture.size(), &LIMITS).unwrap(), picture);
            }
        }

        #[test]
        fn broken_bytes_are_an_error_or_another_picture(
            at in any::<prop::sample::Index>(), byte: u8, keep in 0.0..1.2_f64,
        ) {
            let picture = slope(40, 30, 9);
            let mut coded = encode(&picture).unwrap();
            *at.get_mut(&mut coded) = byte;
            coded.truncate((keep * coded.len() as f64) as usize);
            match decode(&coded, picture.size(), &LIMITS) {
                Ok(other) => prop_assert_eq!(other.size(), picture.size()),
                Err(error) => prop_assert!(matches!(error, ImageError::Coding { .. }), "{}", error),
            }
        }
    }

    #[test]
    fn photos_become_smaller_and_noise_is_left_as_it_is() {
        let photo = slope(224, 224, 3);
        assert!(encode(&photo).unwrap().len() * 2 < photo.pixels().len());
        assert!(encode(&slope(224, 224, 255)).is_none());
        assert!(encode(&slope(1, 1, 1)).is_none(), "the table alone is larger");
        let flat = picture(200, 300, |_| 9);
        assert_eq!(decode(&encode(&flat).unwrap(), flat.size(), &LIMITS).unwrap(), flat);
    }

    #[test]
    fn another_size_than_the_coded_one_is_an_error() {
        let coded = encode(&slope(40, 30, 9)).unwrap();
        for (width, height) in [(40, 29), (40, 31), (39, 30), (1, 1)] {
            let error = decode(&coded, Size { width, height }, &LIMITS).unwrap_err();
            assert!(matches!(error, ImageError::Coding { .. }), "{error}");
        }
    }

    #[test]
    fn limits_hold_before_anything_is_allocated() {
        let past = |width, height| decode(&[0; 30], Size { width, height }, &LIMITS).unwrap_err();
        for (width, height) in [(5_001, 1), (4_096, 4_096), (2_000, 2_000)] {
            assert!(matches!(past(width, height), ImageError::LimitExceeded { .. }), "{width} x {height}");
        }
        assert!(past(1_000, 1_000).to_string().contains("cannot become"), "a bomb");
        assert!(matches!(past(0, 7), ImageError::Coding { .. }));
    }
}
