//! How an epoch is piloted.

use headwater_plan::Algorithm;
use headwater_types::Way;

use crate::watch::WatchOptions;

/// How an epoch is piloted.
#[derive(Clone, Debug, Default)]
pub struct AutopilotOptions {
    /// The ways that a plan may take. An empty list allows every way of the profile.
    pub allowed: Vec<Way>,
    /// The algorithm that chooses the ways.
    pub algorithm: Algorithm,
    /// When the rest is planned anew.
    pub watch: WatchOptions,
    /// Whether samples come again and again, in any order. Then a sample that has come is still planned for.
    pub repeats: bool,
}
