//! The entry of a sample whose features are kept.
//!
//! ```text
//!  0       4        8
//! ┌───────┬────────┬──────────────┐
//! │ width │ height │ features     │
//! │ u32   │ u32    │ n x f32      │
//! └───────┴────────┴──────────────┘
//!
//! width, height   of the decoded photo, which goes with the sample; numbers little endian
//! ```
//!
//! Features that are not finite are never kept: whether they are wanted is for each request to say.

use bytes::Bytes;
use headwater_features::Extractor;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, Size};

use super::size_head::{HEAD, put_size, take_size};

/// Features, and the size of the photo of which they are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vector {
    pub(crate) values: Vec<f32>,
    pub(crate) source: Size,
}

/// What decides of a sample's features beside its bytes: the model's file and output, its recipe, and the kind of
/// device.
pub(crate) fn digest(model: &Extractor) -> Digest {
    Digester::default()
        .field(&model.digest().as_bytes()[..])
        .field(model.output().as_bytes())
        .field(&model.recipe().digest().as_bytes()[..])
        .field(model.arithmetic().as_bytes())
        .finish()
}

/// Bytes of an entry of so many features.
pub(crate) fn entry_bytes(features: usize) -> ByteCount {
    (HEAD + 4 * features).into()
}

/// The entry; `None` for features that are not finite.
pub(crate) fn seal(values: &[f32], source: Size) -> Option<Bytes> {
    if !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut entry = Vec::with_capacity(HEAD + 4 * values.len());
    put_size(&mut entry, source);
    entry.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Some(entry.into())
}

/// The features of an entry of so many; `None` for what is none, which is made anew.
pub(crate) fn open(entry: &[u8], features: usize) -> Option<Vector> {
    let (source, rest) = take_size(entry)?;
    let (values, left) = rest.as_chunks::<4>();
    let values: Vec<_> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    (left.is_empty() && values.len() == features).then_some(Vector { values, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_come_back_to_the_bit_and_only_finite_ones_are_kept() {
        let (source, values) = (Size { width: 5, height: 4 }, vec![0.0, -0.0, 1.5e-40, f32::MAX]);
        let entry = seal(&values, source).unwrap();
        assert_eq!(ByteCount::from(entry.len()), entry_bytes(4));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let opened = open(&entry, 4).unwrap();
        assert_eq!((bits(&opened.values), opened.source), (bits(&values), source));
        assert!(open(&entry, 3).is_none() && open(&entry, 5).is_none() && open(&entry[..23], 4).is_none());
        for broken in [f32::NAN, f32::INFINITY] {
            assert_eq!(seal(&[1.0, broken], source), None);
        }
    }
}
