//! What models said of samples: who can say it, where it is kept, and what is asked of it.
//!
//! ```text
//! AskLabels, CountLabels ─▶ source: whose, and which samples ─▶ standings: the best class of each sample ─▶ index
//! ```
//!
//! Invariant: an answer is about the generation that is served now. A row of another version of a photo, or of a photo
//! that is gone, is in none.

mod classifiers;
mod shelf;
mod source;
mod standings;

pub(crate) use classifiers::{Classifiers, Head, NoClassifier};
pub(crate) use shelf::Shelf;
pub(crate) use source::{Asked, NoSource, likely};
pub(crate) use standings::SharedStanding;
