//! What differs between two generations of a dataset, as it travels: in batches of bounded size.

use std::ops::Range;

use headwater_types::caps::MAX_SAMPLES;
use headwater_types::{Differences, Digest};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A request for the differences of two generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The dataset's name.
    pub dataset: String,
    /// The earlier generation.
    pub from: Digest,
    /// The later generation; `None` for the current one.
    pub to: Option<Digest>,
}

/// Ranges of one batch: at most 12 bytes each, so some 100 kB.
const RANGES_PER_BATCH: usize = 8192;

// === impl Compare ===

impl TryFrom<proto::DifferencesRequest> for Compare {
    type Error = Invalid;

    fn try_from(request: proto::DifferencesRequest) -> Result<Self, Invalid> {
        let from = digest_from(&request.from)?.ok_or_else(|| Invalid::new("the request names no generation"))?;
        Ok(Self { dataset: request.dataset, from, to: digest_from(&request.to)? })
    }
}

impl From<Compare> for proto::DifferencesRequest {
    fn from(compare: Compare) -> Self {
        let bytes = |digest: Digest| digest.as_bytes().to_vec().into();
        let (from, to) = (bytes(compare.from), compare.to.map(bytes).unwrap_or_default());
        Self { dataset: compare.dataset, from, to }
    }
}

/// The batches of differences that lead to this generation: at least one.
pub fn batches(differences: &Differences, to: Digest) -> impl Iterator<Item = proto::DifferencesBatch> + '_ {
    let part = |ranges: &[Range<u64>], batch: usize| -> Vec<proto::SampleRange> {
        let some = ranges.chunks(RANGES_PER_BATCH).nth(batch).unwrap_or_default();
        some.iter().map(|range| proto::SampleRange { first: range.start, count: range.end - range.start }).collect()
    };
    let Differences { removed, added, replaced } = differences;
    let longest = removed.len().max(added.len()).max(replaced.len());
    (0..longest.div_ceil(RANGES_PER_BATCH).max(1)).map(move |batch| proto::DifferencesBatch {
        removed: part(removed, batch),
        added: part(added, batch),
        replaced: part(replaced, batch),
        to: to.as_bytes().to_vec().into(),
    })
}

/// Adds a batch that came to what came before, and says to which generation it leads. Whether the whole is in order,
/// [`Differences::check`] says.
///
/// # Errors
/// Ranges that no dataset has, and more of them than samples.
pub fn extend(differences: &mut Differences, batch: proto::DifferencesBatch) -> Result<Digest, Invalid> {
    let to = digest_from(&batch.to)?.ok_or_else(|| Invalid::new("it names no generation"))?;
    let Differences { removed, added, replaced } = differences;
    for (kept, came) in [(removed, batch.removed), (added, batch.added), (replaced, batch.replaced)] {
        for proto::SampleRange { first, count } in came {
            let end = first.checked_add(count).filter(|end| *end <= MAX_SAMPLES);
            let end = end.ok_or_else(|| Invalid::new(format!("{count} samples from {first} on are too many")))?;
            // Ranges that are apart are fewer than samples: what comes without end is noticed here.
            if kept.last().is_some_and(|last: &Range<u64>| last.end >= first) || count == 0 {
                return Err(Invalid::new("its ranges are not in order, or one is empty"));
            }
            kept.push(first..end);
        }
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_survive_the_wire_in_any_number_of_batches() {
        let every = |step: u64, count: u64| (0..count).map(|i| i * step..i * step + 1).collect::<Vec<_>>();
        let many = Differences { removed: every(2, 20_000), added: every(3, 9000), replaced: every(5, 1) };
        let to = Digest::of(b"to");
        for (differences, count) in [(many, 3), (Differences::default(), 1)] {
            let mut came = Differences::default();
            let batches: Vec<_> = batches(&differences, to).collect();
            assert_eq!(batches.len(), count);
            for batch in batches {
                assert_eq!(extend(&mut came, batch), Ok(to));
            }
            assert_eq!(came, differences);
        }
        let compare = Compare { dataset: "d".into(), from: Digest::of(b"from"), to: Some(to) };
        assert_eq!(Compare::try_from(proto::DifferencesRequest::from(compare.clone())), Ok(compare));
        assert!(Compare::try_from(proto::DifferencesRequest::default()).is_err());
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let range = |first, count| proto::SampleRange { first, count };
        for bad in
            [vec![range(0, 0)], vec![range(u64::MAX, 2)], vec![range(0, u64::MAX)], vec![range(3, 1), range(2, 1)]]
        {
            let batch =
                proto::DifferencesBatch { added: bad, to: vec![0; 32].into(), ..proto::DifferencesBatch::default() };
            assert!(extend(&mut Differences::default(), batch.clone()).is_err(), "{batch:?}");
        }
        assert!(extend(&mut Differences::default(), proto::DifferencesBatch::default()).is_err());
    }
}
