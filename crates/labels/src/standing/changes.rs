//! What two runs over one listing say differently.

use std::cmp::Reverse;
use std::collections::HashMap;

use headwater_types::ClassId;

use super::{OTHER, Standing};

/// A sample of which two runs say different classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The sample.
    pub sample: u64,
    /// What the earlier run says.
    pub from: ClassId,
    /// What the later one says.
    pub to: ClassId,
}

/// How two runs over one listing differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Samples that both have labelled.
    pub both: u64,
    /// Those of another best class, in the order of the listing.
    pub samples: Vec<Changed>,
    /// How many there are by earlier and later class: the most first, then by class.
    pub counts: Vec<(ClassId, ClassId, u64)>,
}

impl Standing {
    /// What a later run says otherwise than this one.
    pub fn differences(&self, later: &Self) -> Changes {
        let mut changes = Changes::default();
        let mut counts = HashMap::<(u32, u32), u64>::new();
        for (sample, (from, to)) in (0_u64..).zip(self.classes.iter().zip(&later.classes)) {
            let has_both = *from < OTHER && *to < OTHER;
            changes.both += u64::from(has_both);
            if has_both && from != to {
                changes.samples.push(Changed { sample, from: ClassId(*from), to: ClassId(*to) });
                *counts.entry((*from, *to)).or_default() += 1;
            }
        }
        changes.counts = counts.into_iter().map(|((from, to), count)| (ClassId(from), ClassId(to), count)).collect();
        changes.counts.sort_unstable_by_key(|(from, to, count)| (Reverse(*count), *from, *to));
        changes
    }
}
