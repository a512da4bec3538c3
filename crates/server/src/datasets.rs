//! The datasets of a server, in the order in which they were given.

use std::fmt;
use std::sync::Arc;

use crate::served::{Served, Standing};

/// Every dataset of a server.
#[derive(Default)]
pub(crate) struct Datasets(Vec<Arc<Served>>);

// === impl Datasets ===

impl Datasets {
    pub(crate) fn new(datasets: Vec<Arc<Served>>) -> Self {
        Self(datasets)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.0.iter()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Served>> {
        self.iter().find(|served| served.name.as_str() == name)
    }

    /// The names, separated by commas.
    pub(crate) fn names(&self) -> String {
        self.iter().map(|served| served.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What is being done about datasets that are not open yet; `None` where there are none of those.
    pub(crate) fn doing(&self) -> Option<String> {
        let doing = self.iter().filter_map(|served| match served.standing() {
            Standing::Starting(doing) => Some(doing),
            Standing::NotReady(_) | Standing::Serving => None,
        });
        doing.reduce(|all, next| all + "; " + &next)
    }

    /// What is served, in words such as `1000 samples of photos, 12 samples of flowers`.
    pub(crate) fn served(&self) -> String {
        let samples =
            |served: &Arc<Served>| Some(format!("{} samples of {}", served.current()?.catalog().len(), served.name));
        self.iter().filter_map(samples).collect::<Vec<_>>().join(", ")
    }

    /// The datasets that cannot be served, each with the reason; empty where there are none of those.
    pub(crate) fn broken(&self) -> String {
        let broken = self.iter().filter_map(|served| match served.standing() {
            Standing::NotReady(reason) => Some(format!("the dataset {} is not ready: {reason}", served.name)),
            Standing::Starting(_) | Standing::Serving => None,
        });
        broken.reduce(|all, next| all + "; " + &next).unwrap_or_default()
    }
}

impl fmt::Debug for Datasets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Datasets").field(&self.names()).finish()
    }
}
