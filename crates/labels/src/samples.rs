//! Rows and labellers for tests.

use headwater_types::{ClassId, Digest};

use crate::labeller::Labeller;
use crate::row::{Outcome, Row, Scored};

pub(crate) fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

pub(crate) fn labeller(name: &str) -> Labeller {
    let [digest, model_digest, recipe] = ["labeller", "model", "recipe"].map(|part| digest(&format!("{name} {part}")));
    let classes = vec!["cat".to_owned(), "dog".to_owned()];
    Labeller { model: name.parse().unwrap(), digest, model_digest, recipe, classes, top_k: 5 }
}

/// Labels of which this is the best.
pub(crate) fn labels(class: u32, score: f32) -> [Scored; 2] {
    [(class, score), (class + 1, score / 2.0)].map(|(class, score)| Scored { class: ClassId(class), score })
}

pub(crate) fn one<'a>(key: &'a str, labels: &'a [Scored]) -> Row<'a> {
    Row { key, version: [2; 16], outcome: Outcome::Labels(labels) }
}
