//! Where labels are kept: the index in the state folder, and what stands of it in memory.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use headwater_labels::{LabelIndex, Opened};

use super::standings::Standings;

/// A server's labels.
pub(crate) struct Shelf {
    pub(crate) index: Arc<LabelIndex>,
    pub(crate) standings: Standings,
}

// === impl Shelf ===

impl Shelf {
    /// Opens the index of a folder, or makes both. A broken one was moved aside, and the log says so. Blocks.
    ///
    /// # Errors
    /// A folder that cannot be written, or that another program has.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let Opened { index, moved_aside } = LabelIndex::open(folder)?;
        if let Some(aside) = moved_aside {
            tracing::error!(
                why = aside.why, moved_to = %aside.to.display(),
                "the label index was broken: it is begun anew, and labelling again fills it"
            );
        }
        Ok(Self { index: Arc::new(index), standings: Standings::default() })
    }
}
