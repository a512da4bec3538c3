//! What a listing found and left out, and why. It is counted, and the first few are named, so that nothing is missing
//! in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use headwater_types::caps::{LISTED_NAMES, LISTED_SUFFIXES};
use headwater_types::key;

use crate::files::{self, Files};
use crate::skip::Skip;

/// The number of things that were left out, by reason, and the names of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    counts: [u64; Skip::ALL.len()],
    /// The first names in byte order, whatever the order in which they were found.
    first: [BTreeSet<String>; Skip::ALL.len()],
    /// Files left out by their suffix, by suffix in lower case.
    suffixes: BTreeMap<String, u64>,
}

/// The things that were left out for one reason, in words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The reason.
    pub reason: Skip,
    /// The number of things.
    pub count: u64,
    /// What the things are and what can be done about them.
    pub warning: &'static str,
    /// The names of the first few, and how many more there are.
    pub first: String,
    /// The files by suffix, where the suffix is the reason; else empty.
    pub suffixes: String,
    /// Whether such things stand beside the photos of most datasets, and here are fewer than one in a hundred of the
    /// samples.
    pub is_usual: bool,
}

/// The name under which `suffixes` counts those that are too long, or too many to be counted one by one.
const OTHERS: &str = "others";
/// The name under which `suffixes` counts files without a suffix.
const NO_SUFFIX: &str = "no suffix";
/// A suffix of more bytes is a part of a name.
const LONGEST_SUFFIX: usize = 8;

// === impl Skipped ===

impl Skipped {
    /// How many were left out for this reason.
    pub fn count(&self, reason: Skip) -> u64 {
        self.counts[reason as usize]
    }

    /// The reasons that occurred, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Skip, u64)> {
        Skip::ALL.into_iter().map(|reason| (reason, self.count(reason))).filter(|(_, count)| *count > 0)
    }

    /// The first few that were left out for this reason, in byte order; of unreadable ones with what the system said.
    pub fn first(&self, reason: Skip) -> impl Iterator<Item = &str> {
        self.first[reason as usize].iter().map(String::as_str)
    }

    /// Files that were left out by their suffix, by suffix.
    pub fn suffixes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.suffixes.iter().map(|(suffix, count)| (suffix.as_str(), *count))
    }

    /// What was left out of a listing with so many samples, reason by reason, but for what was meant to be left out.
    pub fn left_out(&self, samples: u64) -> Vec<LeftOut> {
        let reasons = self.iter().filter_map(|(reason, count)| Some((reason, count, reason.warning()?)));
        let of_reason = |(reason, count, warning): (Skip, u64, _)| LeftOut {
            reason,
            count,
            warning,
            first: self.first_and_more(reason),
            suffixes: by_suffix(self, reason),
            is_usual: matches!(reason, Skip::NoPhoto | Skip::Hidden) && count.saturating_mul(100) <= samples,
        };
        reasons.map(of_reason).collect()
    }

    /// The first that were left out for this reason, and how many more there are.
    pub(crate) fn first_and_more(&self, reason: Skip) -> String {
        let names: Vec<_> = self.first(reason).map(key::shown).collect();
        let more = self.count(reason).saturating_sub(names.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        names.join(", ") + &more
    }

    /// Counts one more thing. `name` says where it is, for people.
    pub(crate) fn add(&mut self, reason: Skip, name: &str) {
        self.add_many(reason, name, 1);
    }

    /// Counts so many things that have one name.
    pub(crate) fn add_many(&mut self, reason: Skip, name: &str, count: u64) {
        self.counts[reason as usize] += count;
        if matches!(reason, Skip::NoPhoto | Skip::UnsupportedFormat) {
            *self.suffixes.entry(self.suffix_of(reason, name)).or_default() += count;
        }
        if reason.warning().is_some() {
            self.keep_name(reason, name);
        }
    }

    /// Says how many were left out for a reason, and the names of the first.
    pub(super) fn set(&mut self, reason: Skip, count: u64, first: BTreeSet<String>) {
        (self.counts[reason as usize], self.first[reason as usize]) = (count, first);
    }

    /// Says how many files were left out by their suffix.
    pub(super) fn set_suffixes(&mut self, suffixes: BTreeMap<String, u64>) {
        self.suffixes = suffixes;
    }

    /// Adds what another listing thread has counted.
    pub(crate) fn absorb(&mut self, other: Self) {
        for (reason, count) in other.iter() {
            self.counts[reason as usize] += count;
        }
        for (reason, names) in Skip::ALL.into_iter().zip(&other.first) {
            names.iter().for_each(|name| self.keep_name(reason, name));
        }
        for (suffix, count) in other.suffixes {
            *self.suffixes.entry(suffix).or_default() += count;
        }
    }

    fn keep_name(&mut self, reason: Skip, name: &str) {
        let names = &mut self.first[reason as usize];
        if names.len() < LISTED_NAMES || names.last().is_some_and(|last| name < last.as_str()) {
            names.insert(name.to_owned());
            if names.len() > LISTED_NAMES {
                names.pop_last();
            }
        }
    }

    /// The name under which the suffix of this file is counted.
    fn suffix_of(&self, reason: Skip, name: &str) -> String {
        let Some(suffix) = files::suffix(name) else { return NO_SUFFIX.to_owned() };
        let suffix = format!(".{}", suffix.to_lowercase());
        let has_room = self.suffixes.contains_key(&suffix) || self.suffixes.len() < LISTED_SUFFIXES;
        let is_one = reason == Skip::UnsupportedFormat || has_room && suffix.len() <= 1 + LONGEST_SUFFIX;
        if is_one { suffix } else { OTHERS.to_owned() }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.iter().next().is_none() {
            return f.write_str("nothing");
        }
        for (at, (reason, count)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{count} {}", reason.as_str())?;
        }
        Ok(())
    }
}

/// The files that were left out for this reason, by suffix: `.csv 2, no suffix 1`.
pub(crate) fn by_suffix(skipped: &Skipped, reason: Skip) -> String {
    let of_reason = |suffix: &str| Files::Photos.leave_out(suffix) == Some(reason);
    let listed = skipped.suffixes().filter(|(suffix, _)| of_reason(suffix));
    listed.map(|(suffix, count)| format!("{suffix} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_counted_by_itself() {
        let mut skipped = Skipped::default();
        assert_eq!(skipped.to_string(), "nothing");
        for (count, reason) in (1..).zip(Skip::ALL) {
            (0..count).for_each(|_| skipped.add(reason, "a"));
        }
        let counted: Vec<_> = skipped.iter().map(|(reason, count)| (count, reason)).collect();
        assert_eq!(counted, (1..).zip(Skip::ALL).collect::<Vec<_>>());
        assert!(skipped.to_string().starts_with("1 no-photo, 2 unsupported-format, "));
        assert_eq!(skipped.first(Skip::Hidden).collect::<Vec<_>>(), ["a"]);
        assert_eq!(skipped.first(Skip::OtherPartition).count(), 0, "a listing of millions is no list of names");
    }

    #[test]
    fn the_first_names_and_the_suffixes_do_not_depend_on_who_counted_what() {
        let names: Vec<_> = (0..20).map(|n| format!("{n:02}.{}", ["csv", "TXT", "psd"][n % 3])).collect();
        let (mut one, mut two) = (Skipped::default(), Skipped::default());
        for (at, name) in names.iter().rev().enumerate() {
            let reason = Files::Photos.leave_out(name).unwrap();
            if at % 2 == 0 { one.add(reason, name) } else { two.add(reason, name) }
        }
        one.absorb(two);
        assert_eq!(one.first(Skip::NoPhoto).next(), Some("00.csv"));
        assert_eq!(one.first(Skip::NoPhoto).count(), LISTED_NAMES);
        assert_eq!(one.suffixes().collect::<Vec<_>>(), [(".csv", 7), (".psd", 6), (".txt", 7)]);
        assert_eq!(by_suffix(&one, Skip::NoPhoto), ".csv 7, .txt 7");
        assert_eq!(by_suffix(&one, Skip::UnsupportedFormat), ".psd 6");
    }

    #[test]
    fn a_few_files_of_another_kind_are_usual_and_a_link_to_a_class_never_is() {
        let mut skipped = Skipped::default();
        skipped.add(Skip::FolderLink, "dog");
        (0..20).for_each(|n| skipped.add(Skip::NoPhoto, &format!("{n:02}.csv")));
        let usual =
            |samples| skipped.left_out(samples).iter().map(|left| (left.reason, left.is_usual)).collect::<Vec<_>>();
        assert_eq!(usual(2000), [(Skip::NoPhoto, true), (Skip::FolderLink, false)]);
        assert_eq!(usual(1999), [(Skip::NoPhoto, false), (Skip::FolderLink, false)]);
        let left = &skipped.left_out(10)[0];
        assert!(
            left.first.starts_with("00.csv, 01.csv, ")
                && left.first.ends_with(&format!(" and {} more", 20 - LISTED_NAMES))
        );
        assert_eq!((left.count, left.suffixes.as_str()), (20, ".csv 20"));
    }

    #[test]
    fn however_many_suffixes_there_are_the_count_is_whole_and_small() {
        let mut skipped = Skipped::default();
        (0..1000).for_each(|n| skipped.add(Skip::NoPhoto, &format!("log.{n}")));
        skipped.add(Skip::NoPhoto, "README");
        skipped.add(Skip::NoPhoto, "a.b: a name with a dot, and no suffix");
        assert_eq!(skipped.suffixes().map(|(_, count)| count).sum::<u64>(), 1002);
        assert!(skipped.suffixes().count() <= LISTED_SUFFIXES + 2);
        assert!(skipped.suffixes().any(|each| each == ("no suffix", 1)));
    }
}
