//! What tests learn from.

use headwater_tables::features::FeatureProvenance;
use headwater_types::Digest;

/// Features of a dataset with three classes.
pub(crate) fn provenance(samples: u64, feature_len: usize) -> FeatureProvenance {
    FeatureProvenance {
        dataset: "photos".parse().unwrap(),
        dataset_digest: Digest::of(b"dataset"),
        samples,
        // As --classes may pin them: not sorted.
        classes: vec!["zebra".into(), "ant".into(), "emu".into()],
        model: "net".parse().unwrap(),
        model_digest: Digest::of(b"model"),
        recipe_digest: Digest::of(b"recipe"),
        output: "features".into(),
        feature_len,
    }
}
