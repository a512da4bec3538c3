//! Headers of any bytes: no panic, and what is promised is within the limits.
#![no_main]

use headwater_image::read_header;
use headwater_types::ImageLimits;
use headwater_types::recipe::Orientation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = ImageLimits::default();
    for orientation in [Orientation::Stored, Orientation::Exif] {
        if let Ok(header) = read_header(bytes, orientation, &limits) {
            assert!(header.memory <= limits.max_sample_memory);
            assert!(header.size.pixels() <= limits.max_pixels);
        }
    }
});
