//! The limits of one image, checked in the order in which they become known: each before anything is allocated for it.

use headwater_types::{ByteCount, ImageLimits, LimitSetting, Size};

use crate::error::ImageError;

/// Checks the length of the encoded bytes.
pub(crate) fn check_object(length: usize, limits: &ImageLimits) -> Result<(), ImageError> {
    at_most("encoded bytes", length as u64, limits.max_object.get(), LimitSetting::Object)
}

/// Checks sides and pixels.
pub(crate) fn check_size(size: Size, limits: &ImageLimits) -> Result<(), ImageError> {
    let longest = u64::from(size.width.max(size.height));
    at_most("longest side", longest, limits.max_dimension.into(), LimitSetting::Dimension)?;
    check_pixels(size.pixels(), limits)
}

/// Checks pixels, those included that are decoded beyond the edges of the photo.
pub(crate) fn check_pixels(pixels: u64, limits: &ImageLimits) -> Result<(), ImageError> {
    at_most("pixels", pixels, limits.max_pixels, LimitSetting::Pixels)
}

/// Checks the scans of a photo. `passes` is how often its decoder goes over every pixel, in passes of a cheap scan.
pub(crate) fn check_scans(size: Size, scans: u32, passes: u32, limits: &ImageLimits) -> Result<(), ImageError> {
    at_most("scans", scans.into(), limits.max_scans.into(), LimitSetting::Scans)?;
    if passes > 1 {
        let work = size.pixels().saturating_mul(passes.into());
        at_most("pixels x scans", work, limits.max_scan_pixels, LimitSetting::ScanPixels)?;
    }
    Ok(())
}

/// Checks the memory that decoding takes.
pub(crate) fn check_memory(memory: ByteCount, limits: &ImageLimits) -> Result<(), ImageError> {
    at_most("bytes of memory to decode", memory.get(), limits.max_sample_memory.get(), LimitSetting::SampleMemory)
}

fn at_most(what: &'static str, actual: u64, limit: u64, setting: LimitSetting) -> Result<(), ImageError> {
    if actual > limit {
        return Err(ImageError::LimitExceeded { what, actual, limit, setting });
    }
    Ok(())
}
