//! A part's footer: key-value metadata of the Parquet file, each entry readable on its own by whoever opens it.
//!
//! | key | value |
//! |---|---|
//! | `headwater.version` | version of the tuner that wrote it |
//! | `headwater.dataset`, `headwater.dataset_digest` | the dataset's name and BLAKE3 |
//! | `headwater.samples`, `headwater.classes` | the number of its samples, and a JSON list of its classes |
//! | `headwater.model`, `headwater.model_digest`, `headwater.output` | the model that made the features |
//! | `headwater.recipe_digest`, `headwater.feature_len` | what the model was given, and how much it gave |
//! | `headwater.range` | `first..end`: the global indices that this part answers for |
//! | `headwater.failed` | JSON list: samples of the range that have no row, and why |
//! | `headwater.missing` | JSON list of `[first, end]`: samples that are still to come; absent if there are none |
//! | `headwater.digest` | BLAKE3 over the entries above, and every key, label and feature in row order |

use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;

use headwater_types::digest::Digester;
use headwater_types::{Digest, SampleIndex};
use parquet::file::metadata::KeyValue;

use super::error::FooterError;
use super::part::FailedSample;
use super::provenance::FeatureProvenance;

const PREFIX: &str = "headwater.";

const DIGEST: &str = "headwater.digest";
/// A damaged footer must not ask for more memory than this many indices take.
const MOST_MISSING: u64 = 1 << 26;

/// What a footer says about its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) provenance: FeatureProvenance,
    pub(super) range: Range<u64>,
    pub(super) failed: Vec<FailedSample>,
    pub(super) missing: Vec<SampleIndex>,
}

// === impl Footer ===

impl Footer {
    pub(super) fn to_key_values(&self) -> Result<Vec<KeyValue>, serde_json::Error> {
        let provenance = &self.provenance;
        let Range { start, end } = self.range;
        let missing = match self.missing.is_empty() {
            true => None,
            false => Some(("missing", serde_json::to_string(&ranges(&self.missing))?)),
        };
        Ok([
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("dataset", provenance.dataset.to_string()),
            ("dataset_digest", provenance.dataset_digest.to_string()),
            ("samples", provenance.samples.to_string()),
            ("classes", serde_json::to_string(&provenance.classes)?),
            ("model", provenance.model.to_string()),
            ("model_digest", provenance.model_digest.to_string()),
            ("recipe_digest", provenance.recipe_digest.to_string()),
            ("output", provenance.output.clone()),
            ("feature_len", provenance.feature_len.to_string()),
            ("range", format!("{start}..{end}")),
            ("failed", serde_json::to_string(&self.failed)?),
        ]
        .into_iter()
        .chain(missing)
        .map(|(key, value)| KeyValue::new(format!("{PREFIX}{key}"), value))
        .collect())
    }

    pub(super) fn from_key_values(pairs: &[KeyValue]) -> Result<Self, FooterError> {
        let entries = Entries(
            pairs.iter().filter_map(|pair| Some((pair.key.strip_prefix(PREFIX)?, pair.value.as_deref()?))).collect(),
        );
        let range = || {
            let (start, end) = entries.0.get("range")?.split_once("..")?;
            let range = start.parse().ok()?..end.parse().ok()?;
            (range.start < range.end).then_some(range)
        };
        Ok(Self {
            provenance: FeatureProvenance {
                dataset: entries.parse("dataset")?,
                dataset_digest: entries.parse("dataset_digest")?,
                samples: entries.parse("samples")?,
                classes: entries.json("classes")?,
                model: entries.parse("model")?,
                model_digest: entries.parse("model_digest")?,
                recipe_digest: entries.parse("recipe_digest")?,
                output: entries.parse("output")?,
                feature_len: entries.parse("feature_len")?,
            },
            range: range().ok_or(FooterError("range"))?,
            failed: entries.json("failed")?,
            missing: match entries.0.contains_key("missing") {
                true => indices(&entries.json::<Vec<[u64; 2]>>("missing")?).ok_or(FooterError("missing"))?,
                false => Vec::new(),
            },
        })
    }
}

/// Indices in ascending order, as ranges.
fn ranges(indices: &[SampleIndex]) -> Vec<[u64; 2]> {
    let follows = |pair: &[SampleIndex; 2]| pair[0].0 + 1 == pair[1].0;
    let ranges = indices.chunk_by(|a, b| follows(&[*a, *b]));
    ranges.filter_map(|range| Some([range.first()?.0, range.last()?.0 + 1])).collect()
}

/// The indices of ranges; `None` for more than a part can have.
fn indices(ranges: &[[u64; 2]]) -> Option<Vec<SampleIndex>> {
    let total = ranges.iter().try_fold(0_u64, |total, [first, end]| total.checked_add(end.checked_sub(*first)?))?;
    (total <= MOST_MISSING).then(|| ranges.iter().flat_map(|[first, end]| *first..*end).map(SampleIndex).collect())
}

/// The entries that all parts of a folder share. Arrow's own readers see a table's metadata only if it is in the Arrow
/// schema too, and take that of the first part for all.
pub(super) fn shared(pairs: &[KeyValue]) -> HashMap<String, String> {
    let of_one_part = ["headwater.range", "headwater.failed", "headwater.missing", DIGEST];
    let shared = pairs.iter().filter(|pair| !of_one_part.contains(&pair.key.as_str()));
    shared.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect()
}

/// Adds our entries, without the digest, to a digest.
pub(super) fn digest(pairs: &[KeyValue], digester: &mut Digester) {
    for pair in pairs.iter().filter(|pair| pair.key.starts_with(PREFIX) && pair.key != DIGEST) {
        digester.field(pair.key.as_bytes()).field(pair.value.as_deref().unwrap_or_default().as_bytes());
    }
}

/// The digest as an entry.
pub(super) fn digest_entry(digest: Digest) -> KeyValue {
    KeyValue::new(DIGEST.to_owned(), digest.to_string())
}

/// The digest that an entry says.
pub(super) fn said_digest(pairs: &[KeyValue]) -> Result<Digest, FooterError> {
    let pair = pairs.iter().find(|pair| pair.key == DIGEST);
    pair.and_then(|pair| pair.value.as_ref()?.parse().ok()).ok_or(FooterError("digest"))
}

struct Entries<'a>(HashMap<&'a str, &'a str>);

impl Entries<'_> {
    fn parse<T: FromStr>(&self, key: &'static str) -> Result<T, FooterError> {
        self.0.get(key).and_then(|value| value.parse().ok()).ok_or(FooterError(key))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, key: &'static str) -> Result<T, FooterError> {
        self.0.get(key).and_then(|value| serde_json::from_str(value).ok()).ok_or(FooterError(key))
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::{FailureKind, SampleIndex};

    use super::*;
    use crate::features::provenance::tests::provenance;

    fn footer() -> Footer {
        let failed = FailedSample {
            index: SampleIndex(5),
            key: None,
            kind: FailureKind::NotFound,
            message: "gone \"away\"".into(),
        };
        Footer { provenance: provenance(10, 4), range: 4..8, failed: vec![failed], missing: vec![] }
    }

    #[test]
    fn metadata_survives_the_footer() {
        let pairs = footer().to_key_values().unwrap();
        assert_eq!(Footer::from_key_values(&pairs).unwrap(), footer());
        let stopped = Footer { missing: [4, 6, 7].map(SampleIndex).to_vec(), ..footer() };
        let mut pairs = stopped.to_key_values().unwrap();
        assert_eq!(pairs.last().unwrap().value.as_deref(), Some("[[4,5],[6,8]]"));
        assert_eq!(Footer::from_key_values(&pairs).unwrap(), stopped);
        pairs.last_mut().unwrap().value = Some("[[0,18446744073709551615]]".to_owned());
        assert_eq!(Footer::from_key_values(&pairs), Err(FooterError("missing")));
    }

    #[test]
    fn a_footer_that_lacks_an_entry_says_which() {
        let pairs = footer().to_key_values().unwrap();
        for missing in 1..pairs.len() {
            let mut pairs = pairs.clone();
            let name = pairs.remove(missing).key;
            let error = Footer::from_key_values(&pairs).unwrap_err();
            assert!(error.to_string().contains(&name), "{error}");
        }
        let mut backwards = footer();
        backwards.range.start = 9;
        let pairs = backwards.to_key_values().unwrap();
        assert_eq!(Footer::from_key_values(&pairs), Err(FooterError("range")));
    }
}
