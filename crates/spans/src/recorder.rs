//! Where spans that are recorded get their names, and where they go when they end.

use crate::exporter::Exporter;
use crate::ids::Ids;
use crate::record::Record;

/// What the spans of a tracer share.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Whether calls say where they belong.
    pub(crate) propagates: bool,
    pub(crate) ids: Ids,
    pub(crate) exporter: Exporter,
}

// === impl Recorder ===

impl Recorder {
    /// Takes a span that has ended.
    pub(crate) fn take(&self, record: Record) {
        self.exporter.push(record);
    }
}
