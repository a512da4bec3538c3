//! Which ways a planner may choose, as people write it: `encoded,jpeg-crop,flipped+lossless`.

use std::str::FromStr;

use headwater_types::{Cut, PixelCoding, Way, shown};

use crate::error::PlanningError;
use crate::profile::Profile;

/// A cut in every coding, or in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    cut: Cut,
    pixels: Option<PixelCoding>,
}

/// Text that allows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no cut to allow: use {pixels} or (with a model) features, and {coded} with +raw or +lossless for one \
     coding",
    pixels = Cut::PIXELS.map(Cut::as_str).join(", "),
    coded = shown::listed(Cut::ALL.into_iter().filter(|cut| cut.is_rgb()), "or")
)]
pub struct AllowedError(String);

// === impl Allowed ===

impl Allowed {
    /// The ways that at least one entry allows; all of them if there is no entry.
    pub fn ways(all: &[Self], ways: &[Way]) -> Vec<Way> {
        let allows = |way: &Way| all.is_empty() || all.iter().any(|allowed| allowed.allows(*way));
        ways.iter().copied().filter(allows).collect()
    }

    /// Those of a profile's ways that a planner may choose.
    ///
    /// # Errors
    /// `NothingAllowed` where no way is left: a planner takes an empty list to mean every way.
    pub fn of(all: &[Self], profile: &Profile) -> Result<Vec<Way>, PlanningError> {
        let allowed = Self::ways(all, profile.ways());
        let nothing = || PlanningError::NothingAllowed { known: profile.ways().to_vec() };
        (!allowed.is_empty()).then_some(allowed).ok_or_else(nothing)
    }

    fn allows(self, way: Way) -> bool {
        way.cut() == self.cut && self.pixels.is_none_or(|pixels| pixels == way.pixels())
    }
}

impl FromStr for Allowed {
    type Err = AllowedError;

    fn from_str(text: &str) -> Result<Self, AllowedError> {
        let error = || AllowedError(text.to_owned());
        let way: Way = text.trim().parse().map_err(|_| error())?;
        // Features are coded at cuts of a network, of which a plan by samples has none.
        if way == Way::FEATURES_LOSSLESS {
            return Err(error());
        }
        Ok(Self { cut: way.cut(), pixels: text.contains('+').then_some(way.pixels()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_allowed_in_every_coding_and_a_way_in_its_own() {
        let to_tensors: Vec<_> = Way::all().filter(|way| !way.is_features()).collect();
        let names = |text: &str| {
            let allowed: Vec<_> = text.split(',').map(|text| text.parse().unwrap()).collect();
            Allowed::ways(&allowed, &to_tensors).iter().map(Way::to_string).collect::<Vec<_>>().join(",")
        };
        assert_eq!(names("flipped, encoded"), "encoded,flipped,flipped+lossless");
        assert_eq!(names("flipped+raw,cropped+lossless"), "cropped+lossless,flipped");
        assert_eq!(Allowed::ways(&[], &to_tensors), to_tensors);
        for bad in ["", "features+lossless", "encoded+lossless", "crop"] {
            assert!(bad.parse::<Allowed>().is_err(), "{bad}");
        }
    }
}
