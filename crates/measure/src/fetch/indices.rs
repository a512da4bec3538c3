//! Which samples, as people write it: `0-99`, `5`, `1,5,10-20`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use headwater_client::Indices;
use headwater_types::SampleIndex;
use headwater_types::caps::MAX_SAMPLES;

/// A set of indices: ranges in ascending order that neither touch nor overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexSet(Vec<RangeInclusive<u64>>);

/// Text that is not a set of indices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("{0:?} is not an index or a range: write 0-99, 5 or 1,5,10-20")]
    Form(String),
    #[error("the range {0} runs backwards")]
    Backwards(String),
    #[error("{0} samples are more than one run takes ({MAX_SAMPLES})")]
    TooMany(u64),
}

// === impl IndexSet ===

impl IndexSet {
    fn len(&self) -> u64 {
        self.0.iter().map(|range| range.end() - range.start() + 1).sum()
    }

    /// The indices in ascending order, each once.
    pub(super) fn to_indices(&self) -> Indices {
        match &self.0[..] {
            [range] => Indices::Range(*range.start()..range.end() + 1),
            ranges => ranges.iter().cloned().flatten().map(SampleIndex).collect(),
        }
    }
}

impl FromStr for IndexSet {
    type Err = IndexError;

    fn from_str(text: &str) -> Result<Self, IndexError> {
        let mut ranges = text.split(',').map(range).collect::<Result<Vec<_>, _>>()?;
        ranges.sort_unstable_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u64>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end() + 1 => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        let set = Self(merged);
        match set.len() {
            count if count > MAX_SAMPLES => Err(IndexError::TooMany(count)),
            _ => Ok(set),
        }
    }
}

fn range(text: &str) -> Result<RangeInclusive<u64>, IndexError> {
    let text = text.trim();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    // Indices stop far below what a sum of two could overflow.
    let number = |text: &str| text.trim().parse().ok().filter(|&index: &u64| index < 1 << 48);
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        (Some(_), Some(_)) => Err(IndexError::Backwards(text.to_owned())),
        _ => Err(IndexError::Form(text.to_owned())),
    }
}

impl fmt::Display for IndexSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, range) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            if range.start() == range.end() {
                write!(f, "{comma}{}", range.start())?;
            } else {
                write!(f, "{comma}{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_read_as_people_write_them_sorted_and_each_once() {
        for (text, shown) in [
            ("0-99", "0-99"),
            ("5", "5"),
            ("1, 5, 10-20", "1,5,10-20"),
            ("7,5,6", "5-7"),
            ("3-9,1-4,9,20", "1-9,20"),
            ("5,5", "5"),
        ] {
            assert_eq!(text.parse::<IndexSet>().unwrap().to_string(), shown);
        }
        let list = "8,2-3".parse::<IndexSet>().unwrap().to_indices();
        assert_eq!(list, [2, 3, 8].into_iter().map(SampleIndex).collect());
        assert_eq!("4-6".parse::<IndexSet>().unwrap().to_indices(), Indices::Range(4..7));
    }

    #[test]
    fn what_is_no_index_is_refused_and_never_unrolled() {
        for bad in ["", "-", "1-", "-1", "a", "1..3", "1,,2", "1.5", "18446744073709551615", "281474976710656"] {
            assert!(matches!(bad.parse::<IndexSet>(), Err(IndexError::Form(_))), "{bad}");
        }
        assert_eq!("9-3".parse::<IndexSet>(), Err(IndexError::Backwards("9-3".into())));
        assert!(matches!("0-281474976710655".parse::<IndexSet>(), Err(IndexError::TooMany(_))));
    }
}
