//! Models, as servers tell them apart: the same digest stands for the same features of every sample.

use headwater_features::Extractor;
use headwater_types::Digest;
use headwater_types::digest::Digester;

/// Everything that decides of a sample's features, and the name by which they are asked for.
pub(crate) fn digest(model: &Extractor) -> Digest {
    Digester::default()
        .field(model.name().as_str().as_bytes())
        .field(&model.digest().as_bytes()[..])
        .field(model.output().as_bytes())
        .field(&model.recipe().digest().as_bytes()[..])
        .field(model.arithmetic().as_bytes())
        .finish()
}
