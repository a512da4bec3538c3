//! Where a head is that was trained, and what became of it: what both summaries of a training say.

use std::fmt;
use std::path::{Path, PathBuf};

use headwater_training::SavedModel;
use headwater_types::Digest;
use serde::Serialize;

use super::push::PushSummary;
use super::relabel::RelabelSummary;
use super::table::Table;

/// Where a head is, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct KeptHead {
    /// Where the head is: in its place or, where that could not take it, in another; null where it could not be kept at
    /// all.
    head: Option<PathBuf>,
    head_digest: Digest,
    /// Where the joined model is; absent where none was wanted, or it could not be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined_digest: Option<Digest>,
    /// What came of `--push`; absent without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<PushSummary>,
    /// What came of `--relabel`; absent without it, and where the push did not reach all servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    relabel: Option<RelabelSummary>,
}

/// A summary of a head that may be pushed.
pub(crate) trait Pushed: Sized {
    /// Where the head is, and what became of it.
    fn kept(&mut self) -> &mut KeptHead;

    /// The head was pushed so.
    fn with_push(mut self, push: PushSummary) -> Self {
        self.kept().push = Some(push);
        self
    }

    /// The head has labelled so.
    fn with_relabel(mut self, relabel: Option<RelabelSummary>) -> Self {
        self.kept().relabel = relabel;
        self
    }
}

// === impl KeptHead ===

impl KeptHead {
    /// A head that was saved, and the model that it was joined to, where one was wanted.
    pub(super) fn new((head, joined): (SavedModel, Option<SavedModel>)) -> Self {
        let (joined, joined_digest) = joined.and_then(|saved| Some((saved.path?, saved.digest))).unzip();
        Self { head: head.path, head_digest: head.digest, joined, joined_digest, push: None, relabel: None }
    }

    /// Where the head is, if it could be kept.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.head.as_deref()
    }

    /// The lines that say where it is.
    pub(super) fn add_to(&self, table: &mut Table) {
        let at = |path: &Path, digest: &Digest| format!("{} ({})", path.display(), digest.short());
        let head = self.path().map(|path| at(path, &self.head_digest));
        table.line("head", head.unwrap_or_else(|| "could not be kept".to_owned()));
        if let (Some(path), Some(digest)) = (&self.joined, &self.joined_digest) {
            table.line("joined model", at(path, digest));
        }
    }

    /// What became of it, behind the table.
    pub(super) fn write_after(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.push.iter().try_for_each(|push| write!(f, "\n\n{push}"))?;
        self.relabel.iter().try_for_each(|relabel| write!(f, "\n\n{relabel}"))
    }
}
