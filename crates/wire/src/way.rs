//! Ways and element types on the wire.

use headwater_types::{Cut, DType, PixelCoding, Way};

use crate::proto;
use crate::status::Invalid;

impl From<Way> for proto::Way {
    fn from(way: Way) -> Self {
        match (way.cut(), way.pixels()) {
            (Cut::Encoded, _) => Self::Encoded,
            (Cut::JpegCrop, _) => Self::JpegCrop,
            (Cut::Decoded, PixelCoding::Raw) => Self::Decoded,
            (Cut::Decoded, PixelCoding::Lossless) => Self::DecodedLossless,
            (Cut::Cropped, PixelCoding::Raw) => Self::Cropped,
            (Cut::Cropped, PixelCoding::Lossless) => Self::CroppedLossless,
            (Cut::Flipped, PixelCoding::Raw) => Self::Flipped,
            (Cut::Flipped, PixelCoding::Lossless) => Self::FlippedLossless,
            (Cut::Tensor, _) => Self::Tensor,
            (Cut::Normalized, _) => Self::Normalized,
            (Cut::Features, PixelCoding::Raw) => Self::Features,
            (Cut::Features, PixelCoding::Lossless) => Self::FeaturesLossless,
        }
    }
}

/// The way of this number; an error for a number that stands for no way.
pub(crate) fn way_from(number: i32) -> Result<Way, Invalid> {
    let unknown = || Invalid::new(format!("there is no way number {number}"));
    let wire = proto::Way::try_from(number).map_err(|_| unknown())?;
    Way::all().find(|&way| proto::Way::from(way) == wire).ok_or_else(unknown)
}

pub(crate) fn dtype_to(dtype: DType) -> proto::ElementType {
    match dtype {
        DType::U8 => proto::ElementType::U8,
        DType::F32 => proto::ElementType::F32,
    }
}

pub(crate) fn dtype_from(number: i32) -> Result<DType, Invalid> {
    match proto::ElementType::try_from(number) {
        Ok(proto::ElementType::U8) => Ok(DType::U8),
        Ok(proto::ElementType::F32) => Ok(DType::F32),
        Ok(proto::ElementType::Unspecified) | Err(_) => {
            Err(Invalid::new(format!("there is no element type number {number}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_survives_the_wire_and_reserved_numbers_are_refused() {
        for way in Way::all() {
            assert_eq!(way_from(proto::Way::from(way) as i32).unwrap(), way);
        }
        for bad in [0, 9, 14, -1] {
            assert!(way_from(bad).is_err(), "{bad}");
        }
    }
}
