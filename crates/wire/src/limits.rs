//! A server's limits of a photo on the wire.

use headwater_types::{ByteCount, ImageLimits};

use crate::proto::PhotoLimits;
use crate::status::Invalid;

impl From<ImageLimits> for PhotoLimits {
    fn from(limits: ImageLimits) -> Self {
        let ImageLimits { max_dimension, max_pixels, max_object, max_sample_memory, max_scans, max_scan_pixels } =
            limits;
        Self {
            max_dimension,
            max_pixels,
            max_object_bytes: max_object.get(),
            max_sample_memory: max_sample_memory.get(),
            max_scans,
            max_scan_pixels,
        }
    }
}

impl TryFrom<PhotoLimits> for ImageLimits {
    type Error = Invalid;

    /// # Errors
    /// A limit is 0. A server with a limit of 0 serves no photo, and a server that leaves a limit out does not mean 0.
    fn try_from(limits: PhotoLimits) -> Result<Self, Invalid> {
        let PhotoLimits { max_dimension, max_pixels, max_object_bytes, max_sample_memory, max_scans, max_scan_pixels } =
            limits;
        let (max_object, max_sample_memory) = (ByteCount::new(max_object_bytes), ByteCount::new(max_sample_memory));
        let all = [max_pixels, max_object.get(), max_sample_memory.get(), max_scan_pixels];
        if all.contains(&0) || [max_dimension, max_scans].contains(&0) {
            return Err(Invalid::new("a limit of its photos is 0"));
        }
        Ok(Self { max_dimension, max_pixels, max_object, max_sample_memory, max_scans, max_scan_pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_wire_and_none_is_nothing() {
        let limits = ImageLimits { max_scans: 7, max_pixels: 1 << 40, ..ImageLimits::default() };
        assert_eq!(ImageLimits::try_from(PhotoLimits::from(limits)).unwrap(), limits);
        assert!(ImageLimits::try_from(PhotoLimits { max_scans: 0, ..limits.into() }).is_err());
        assert!(ImageLimits::try_from(PhotoLimits { max_object_bytes: 0, ..limits.into() }).is_err());
    }
}
