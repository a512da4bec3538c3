//! How the listings of a dataset went, after the first.

use std::time::SystemTime;

use crate::doing::Doing;

/// How listings went.
#[derive(Default)]
pub(crate) struct Listings {
    /// When the last one began that gave what is served.
    pub(crate) listed: Option<SystemTime>,
    /// What is being done now.
    pub(crate) doing: Option<Doing>,
    /// Why the last one failed, if it did.
    pub(crate) failed: Option<String>,
    /// How many there were of each outcome, in step with [`OUTCOMES`].
    pub(crate) counts: [u64; OUTCOMES.len()],
}

/// What may come of a listing, as metrics call it.
pub(crate) const OUTCOMES: [&str; 3] = ["unchanged", "changed", "failed"];

// === impl Listings ===

impl Listings {
    /// What a person should know: what is being done, or what went wrong; empty where nothing is.
    pub(crate) fn words(&self) -> String {
        match (&self.doing, &self.failed) {
            (Some(doing), _) => doing.to_string(),
            (None, Some(why)) => format!("the last listing failed, and what was listed before is served: {why}"),
            (None, None) => String::new(),
        }
    }
}
