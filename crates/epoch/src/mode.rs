//! How an epoch's samples travel, by SOPHON's names and ours.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use headwater_plan::Algorithm;
use headwater_types::{Cut, Way};

/// A mode of `profiler epoch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EpochMode {
    /// Photos as they are stored (SOPHON's no-off).
    NoOff,
    /// Finished tensors (all-off).
    AllOff,
    /// Crops (resize-off).
    ResizeOff,
    /// By SOPHON's greedy.
    Sophon,
    /// The shortest predicted epoch.
    Optimal,
    /// The fewest bytes.
    MinimumBytes,
    /// The shortest predicted epoch, planned anew on the way.
    Auto,
    /// One way for all.
    Static(Way),
    /// By a plan from a file, that is named here or beside it.
    Plan(Option<PathBuf>),
}

const MODES: &str = "no-off, all-off, resize-off, sophon, optimal, minimum-bytes, auto, static:CUT, a cut such as \
                     jpeg-crop, or \
                     plan FILE";

// === impl EpochMode ===

impl EpochMode {
    /// The planner that decides; `None` where a file has decided.
    pub fn algorithm(&self) -> Option<Algorithm> {
        let of = |cut| Some(Algorithm::Static(Way::raw(cut)));
        match self {
            Self::NoOff => of(Cut::Encoded),
            Self::AllOff => of(Cut::Normalized),
            Self::ResizeOff => of(Cut::Cropped),
            Self::Sophon => Some(Algorithm::Sophon),
            Self::Optimal | Self::Auto => Some(Algorithm::Optimal),
            Self::MinimumBytes => Some(Algorithm::MinimumBytes),
            Self::Static(way) => Some(Algorithm::Static(*way)),
            Self::Plan(_) => None,
        }
    }

    /// One way for all: to a tensor.
    fn uniform(way: Way) -> Result<Self, String> {
        if way.is_features() {
            return Err(
                "an epoch streams tensors, which nobody makes of features: for those use tuner extract".to_owned()
            );
        }
        Ok(Self::Static(way))
    }

    /// Whether the mode looks at what there is to use.
    pub(crate) fn plans(&self) -> bool {
        matches!(self, Self::Sophon | Self::Optimal | Self::Auto)
    }
}

impl FromStr for EpochMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "no-off" => Self::NoOff,
            "all-off" => Self::AllOff,
            "resize-off" => Self::ResizeOff,
            "sophon" => Self::Sophon,
            "optimal" => Self::Optimal,
            "minimum-bytes" => Self::MinimumBytes,
            "auto" => Self::Auto,
            "plan" => Self::Plan(None),
            _ => match text.split_once(':') {
                Some(("plan", "")) => return Err("plan: needs a file: write plan:FILE".to_owned()),
                Some(("plan", file)) => Self::Plan(Some(file.into())),
                Some(("static", way)) => Self::uniform(way.parse().map_err(|error| format!("{error}"))?)?,
                _ => Self::uniform(text.parse().map_err(|_| format!("there is no mode {text:?}: use {MODES}"))?)?,
            },
        })
    }
}

impl fmt::Display for EpochMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoOff => f.pad("no-off"),
            Self::AllOff => f.pad("all-off"),
            Self::ResizeOff => f.pad("resize-off"),
            Self::Sophon => f.pad("sophon"),
            Self::Optimal => f.pad("optimal"),
            Self::MinimumBytes => f.pad("minimum-bytes"),
            Self::Auto => f.pad("auto"),
            Self::Static(way) => f.pad(&format!("static:{way}")),
            Self::Plan(None) => f.pad("plan"),
            Self::Plan(Some(file)) => f.pad(&format!("plan:{}", file.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_they_are_written_and_sophons_names_are_its_cuts() {
        for text in [
            "no-off",
            "all-off",
            "resize-off",
            "sophon",
            "optimal",
            "minimum-bytes",
            "auto",
            "static:jpeg-crop",
            "plan",
            "plan:a/b",
        ] {
            assert_eq!(text.parse::<EpochMode>().unwrap().to_string(), text);
        }
        assert_eq!("flipped+lossless".parse::<EpochMode>().unwrap().to_string(), "static:flipped+lossless");
        let of = |text: &str| text.parse::<EpochMode>().unwrap().algorithm().unwrap().to_string();
        assert_eq!(
            [of("no-off"), of("all-off"), of("resize-off")],
            ["static:encoded", "static:normalized", "static:cropped"]
        );
        for bad in ["", "none", "plan:", "static:", "static:crop", "features", "static:features"] {
            assert!(bad.parse::<EpochMode>().is_err(), "{bad}");
        }
    }
}
