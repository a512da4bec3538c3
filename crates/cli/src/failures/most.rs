//! How many samples may fail, and the setting that says so.

use std::fmt;
use std::str::FromStr;

/// How many samples may fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailures {
    /// So many.
    Count(u64),
    /// So many of a hundred.
    Percent(f64),
}

/// `--max-failures`: flatten this into the arguments of whatever asks for samples.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct FailureArgs {
    /// How many samples may fail, or how many of a hundred: 20 or 5%. Past it the exit code is 3; what was made is kept
    #[arg(long, value_name = "N|P%", default_value_t)]
    pub max_failures: MaxFailures,
}

// === impl MaxFailures ===

impl MaxFailures {
    /// Whether so many of so many may fail.
    pub fn allows(self, failed: u64, samples: u64) -> bool {
        match self {
            Self::Count(most) => failed <= most,
            Self::Percent(percent) => failed as f64 <= samples as f64 * percent / 100.0,
        }
    }
}

impl Default for MaxFailures {
    fn default() -> Self {
        Self::Percent(10.0)
    }
}

impl FromStr for MaxFailures {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("{text:?} is neither a number of samples, such as 20, nor a part of them, such as 5%");
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Count).map_err(|_| error()),
            Some(percent) => {
                let percent = percent.trim_end().parse().map_err(|_| error())?;
                if (0.0..=100.0).contains(&percent) { Ok(Self::Percent(percent)) } else { Err(error()) }
            }
        }
    }
}

impl fmt::Display for MaxFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}
