//! Which samples a server has of a training.

use headwater_learn::in_validation;
use headwater_store::Catalog;
use headwater_types::{ClassId, SampleIndex, SampleKey};
use headwater_wire::training::{PrepareTraining, SplitRule, TrainingSplit};

/// A sample of a training, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dealt {
    pub(super) index: SampleIndex,
    pub(super) label: ClassId,
    /// Whether it is kept from training.
    pub(super) held_out: bool,
}

/// The samples of a training, in their order, and how many were left out because they have no label.
pub(super) fn deal(catalog: &Catalog, prepare: &PrepareTraining) -> (Vec<Dealt>, u64) {
    let classes = catalog.classes().len();
    let (mut dealt, mut unlabelled) = (Vec::new(), 0);
    for (index, entry) in catalog.iter() {
        let Some(label) = entry.label else {
            unlabelled += 1;
            continue;
        };
        let is_dealt = |split: TrainingSplit| is_of(split, entry.key, label, classes);
        if !prepare.split.is_none_or(is_dealt) {
            continue;
        }
        let key = entry.key.parse::<SampleKey>();
        let held_out = key.is_ok_and(|key| in_validation(&key, prepare.seed, prepare.held_out));
        dealt.push(Dealt { index, label, held_out });
    }
    (dealt, unlabelled)
}

/// Whether a sample is of a part of a split.
fn is_of(split: TrainingSplit, key: &str, label: ClassId, classes: usize) -> bool {
    // A number in [0, 1), as good as drawn at random.
    let drawn = (headwater_types::Partition::address(key) >> 11) as f64 / (1_u64 << 53) as f64;
    let place = match split.rule {
        SplitRule::Iid => drawn,
        SplitRule::ByClass => (f64::from(label.0) + drawn) / classes.max(1) as f64,
    };
    (place * f64::from(split.parts)) as u32 == split.part
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: u32 = 6;

    fn part_of(rule: SplitRule, sample: u32) -> u32 {
        let (key, label) = (format!("{}/{sample}.png", sample % 10), ClassId(sample % 10));
        let of = |part| is_of(TrainingSplit { rule, part, parts: PARTS }, &key, label, 10);
        let parts: Vec<u32> = (0..PARTS).filter(|part| of(*part)).collect();
        assert_eq!(parts.len(), 1, "{key} is in {parts:?}");
        parts[0]
    }

    #[test]
    fn every_sample_is_in_one_part_and_parts_are_about_as_long() {
        for rule in [SplitRule::Iid, SplitRule::ByClass] {
            let mut sizes = [0; PARTS as usize];
            (0..12_000).for_each(|sample| sizes[part_of(rule, sample) as usize] += 1);
            // Five standard deviations of a binomial with n = 12,000 and p = 1/6.
            assert!(sizes.iter().all(|size| (1_800..2_200).contains(size)), "{rule:?}: {sizes:?}");
        }
    }

    #[test]
    fn by_class_a_part_has_the_classes_next_to_each_other() {
        for sample in 0..3_000 {
            let (class, part) = (sample % 10, part_of(SplitRule::ByClass, sample));
            assert!((class * PARTS / 10..=(class + 1) * PARTS / 10).contains(&part), "class {class} in part {part}");
        }
    }
}
