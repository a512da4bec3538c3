//! Cuts, element types and pixel codings on the wire.

use headwater_types::{Cut, DType, PixelCoding};

use crate::proto;
use crate::status::Invalid;

impl From<Cut> for proto::Cut {
    fn from(cut: Cut) -> Self {
        match cut {
            Cut::Encoded => Self::Encoded,
            Cut::JpegCrop => Self::JpegCrop,
            Cut::Decoded => Self::Decoded,
            Cut::Cropped => Self::Cropped,
            Cut::Flipped => Self::Flipped,
            Cut::Tensor => Self::Tensor,
            Cut::Normalized => Self::Normalized,
            Cut::Features => Self::Features,
        }
    }
}

/// The cut of this number; an error where there is none.
pub(crate) fn cut_from(number: i32) -> Result<Cut, Invalid> {
    let Ok(cut) = proto::Cut::try_from(number) else {
        return Err(Invalid::new(format!("there is no cut number {number}")));
    };
    Ok(match cut {
        proto::Cut::Encoded => Cut::Encoded,
        proto::Cut::JpegCrop => Cut::JpegCrop,
        proto::Cut::Decoded => Cut::Decoded,
        proto::Cut::Cropped => Cut::Cropped,
        proto::Cut::Flipped => Cut::Flipped,
        proto::Cut::Tensor => Cut::Tensor,
        proto::Cut::Normalized => Cut::Normalized,
        proto::Cut::Features => Cut::Features,
        proto::Cut::Unspecified => return Err(Invalid::new("the request names no cut")),
    })
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

pub(crate) fn coding_to(coding: PixelCoding) -> proto::PixelCoding {
    match coding {
        PixelCoding::Raw => proto::PixelCoding::Raw,
        PixelCoding::Lossless => proto::PixelCoding::Lossless,
    }
}

pub(crate) fn coding_from(number: i32) -> Result<PixelCoding, Invalid> {
    match proto::PixelCoding::try_from(number) {
        Ok(proto::PixelCoding::Raw | proto::PixelCoding::Unspecified) => Ok(PixelCoding::Raw),
        Ok(proto::PixelCoding::Lossless) => Ok(PixelCoding::Lossless),
        Err(_) => Err(Invalid::new(format!("there is no pixel coding number {number}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_survives_the_wire_and_reserved_ones_are_refused() {
        for cut in Cut::ALL {
            assert_eq!(cut_from(proto::Cut::from(cut) as i32).unwrap(), cut);
        }
        for bad in [0, 9, 10, -1] {
            assert!(cut_from(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_coding_survives_the_wire_and_who_says_none_means_raw() {
        for coding in PixelCoding::ALL {
            assert_eq!(coding_from(coding_to(coding) as i32).unwrap(), coding);
        }
        assert_eq!(coding_from(0).unwrap(), PixelCoding::Raw);
        assert!(coding_from(3).is_err());
    }
}
