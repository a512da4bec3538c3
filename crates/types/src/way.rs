//! How a sample travels: where its recipe is cut, and how its pixels are coded from there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::coding::PixelCoding;
use crate::cut::{Cut, CutNames};
use crate::shown::listed;

/// A cut and the coding of what travels. Written as the cut's name, and `cut+lossless` where pixels or features are
/// coded: `encoded`, `jpeg-crop`, `decoded`, `flipped+lossless`, `features+lossless`.
///
/// Ways are ordered as the pipeline runs, raw before lossless. Only the u8 cuts and `features` have a lossless form.
/// `features` leads to features; no tensor can be made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Way {
    cut: Cut,
    lossless: bool,
}

/// Text that names no way, or a cut and a coding that do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no way to send a sample: use a cut ({cuts}), or CUT+lossless with {coded}",
    cuts = CutNames,
    coded = listed(Cut::ALL.into_iter().filter(|cut| cut.is_codable()), "or")
)]
pub struct WayError(String);

// === impl Way ===

impl Way {
    /// The stored bytes: always possible, and no work for the storage side.
    pub const ENCODED: Self = Self::raw(Cut::Encoded);

    /// What a model makes of the photo beside its disk: a way to features, and never to a tensor.
    pub const FEATURES: Self = Self::raw(Cut::Features);

    /// The same, coded without loss: planes of bytes, each packed. For the tensors at which a network is cut.
    pub const FEATURES_LOSSLESS: Self = Self { cut: Cut::Features, lossless: true };

    /// Every way, in order. All but those of features lead to a tensor.
    pub fn all() -> impl Iterator<Item = Self> {
        let codings = |cut| PixelCoding::ALL.into_iter().filter_map(move |pixels| Self::new(cut, pixels));
        Cut::ALL.into_iter().flat_map(codings)
    }

    /// Whether it is a way to a model's features, and not to a tensor.
    pub fn is_features(self) -> bool {
        self.cut == Cut::Features
    }

    /// The way that people mean by a cut and a coding of pixels, of which only u8 pixels take notice. Without `floats`,
    /// the floats of a cut travel as the pixels that they are made from, and those may be coded.
    pub fn asked(cut: Cut, pixels: PixelCoding, floats: bool) -> Self {
        let travels = if floats { cut } else { cut.as_pixels() };
        let coded = Self::new(travels, pixels).filter(|way| way.lossless && travels.is_rgb());
        coded.unwrap_or(Self::raw(cut))
    }

    /// The way of a cut at which samples travel as they are.
    pub const fn raw(cut: Cut) -> Self {
        Self { cut, lossless: false }
    }

    /// The way of a cut and a coding; `None` where samples at the cut cannot be coded so.
    pub fn new(cut: Cut, pixels: PixelCoding) -> Option<Self> {
        let has_it = match pixels {
            PixelCoding::Raw => true,
            PixelCoding::Lossless => cut.is_codable(),
        };
        has_it.then_some(Self { cut, lossless: pixels == PixelCoding::Lossless })
    }

    /// Where the sample is cut.
    pub const fn cut(self) -> Cut {
        self.cut
    }

    /// How its pixels or features travel.
    pub const fn pixels(self) -> PixelCoding {
        if self.lossless { PixelCoding::Lossless } else { PixelCoding::Raw }
    }

    /// Whether the storage side does any of the recipe: everything but `encoded`.
    pub fn is_offloaded(self) -> bool {
        self.cut != Cut::Encoded
    }
}

impl FromStr for Way {
    type Err = WayError;

    fn from_str(text: &str) -> Result<Self, WayError> {
        let error = || WayError(text.chars().take(64).collect());
        let (cut, pixels) = match text.split_once('+') {
            Some((cut, pixels)) => (cut, pixels.parse().map_err(|_| error())?),
            None => (text, PixelCoding::Raw),
        };
        Self::new(cut.parse().map_err(|_| error())?, pixels).ok_or_else(error)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lossless { f.pad(&format!("{}+lossless", self.cut)) } else { f.pad(self.cut.as_str()) }
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Way {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_a_name_of_its_own_and_they_are_in_order() {
        let all: Vec<_> = Way::all().collect();
        assert!(all.is_sorted() && all.len() == Cut::ALL.len() + 4 && all.last() == Some(&Way::FEATURES_LOSSLESS));
        for way in all {
            assert_eq!(way.to_string().parse::<Way>(), Ok(way));
            assert_eq!(Way::new(way.cut(), way.pixels()), Some(way));
        }
        assert_eq!("flipped+raw".parse::<Way>(), Ok(Way::raw(Cut::Flipped)));
        for bad in ["", "encoded+lossless", "flipped+", "flipped+lossless+raw", "crop", "tensor+lossless"] {
            assert!(bad.parse::<Way>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_coding_is_for_pixels_and_floats_are_coded_only_as_the_pixels_that_they_are_made_from() {
        let asked = |cut, pixels, floats| Way::asked(cut, pixels, floats).to_string();
        for cut in Cut::ALL {
            assert_eq!(Way::asked(cut, PixelCoding::Raw, false), Way::raw(cut));
        }
        assert_eq!(asked(Cut::Encoded, PixelCoding::Lossless, false), "encoded");
        assert_eq!(asked(Cut::Features, PixelCoding::Lossless, false), "features");
        assert_eq!(asked(Cut::Cropped, PixelCoding::Lossless, true), "cropped+lossless");
        assert_eq!(asked(Cut::Normalized, PixelCoding::Lossless, true), "normalized");
        assert_eq!(asked(Cut::Normalized, PixelCoding::Lossless, false), "flipped+lossless");
    }
}
