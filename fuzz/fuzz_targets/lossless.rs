//! Any bytes as coded pixels give a picture of the size that was asked for, or an error: no panic, no large allocation.
//! And any pixels come back from their coded form.
//!
//! ```text
//! width - 1 | height - 1 | coded pixels, and once more as plain ones
//! ```
#![no_main]

use headwater_image::{Rgb8, lossless};
use headwater_types::{ByteCount, ImageLimits, Size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [width, height, rest @ ..] = bytes else { return };
    let limits = ImageLimits { max_sample_memory: ByteCount::mebibytes(1), ..ImageLimits::default() };
    let size = Size { width: u32::from(*width) + 1, height: u32::from(*height) + 1 };
    if let Ok(picture) = lossless::decode(rest, size, &limits) {
        assert_eq!(picture.size(), size);
    }
    let rows = rest.len() / (size.width as usize * Rgb8::CHANNELS);
    let size = Size { height: rows as u32, ..size };
    let pixels = rest[..rows * size.width as usize * Rgb8::CHANNELS].to_vec();
    let Some(picture) = Rgb8::new(size, pixels) else { return };
    if let Some(coded) = lossless::encode(&picture) {
        assert!(coded.len() < picture.pixels().len());
        assert!(lossless::decode(&coded, size, &limits).is_ok_and(|back| back == picture));
    }
});
