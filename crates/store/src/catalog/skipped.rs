//! What a listing found and left out, and why: counted, and the first few named, so that nothing is missing in silence.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use headwater_types::caps::{LISTED_NAMES, LISTED_SUFFIXES};

use super::skip::Skip;
use crate::files::{self, Files};

/// How many things were left out, by reason, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    counts: [u64; Skip::ALL.len()],
    /// The first in byte order, whatever the order in which they were found.
    first: [BTreeSet<String>; Skip::ALL.len()],
    /// Files left out by their suffix, by suffix in lower case.
    suffixes: BTreeMap<String, u64>,
}

/// Things that were left out for one reason, as people are told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub reason: Skip,
    /// How many.
    pub count: u64,
    /// What it is and what can be done about it.
    pub warning: &'static str,
    /// The first of them, and how many more there are.
    pub first: String,
    /// Files by suffix, where that is why; else empty.
    pub suffixes: String,
    /// Of the kind that stands beside the photos of most datasets, and fewer than one in a hundred of them.
    pub is_usual: bool,
}

/// In `suffixes`: those that are too long or too many to be told apart.
const OTHERS: &str = "others";
/// The same: files without one.
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

    /// What people are told, of a listing with so many samples.
    pub fn left_out(&self, samples: u64) -> Vec<LeftOut> {
        let told = self.iter().filter_map(|(reason, count)| Some((reason, count, reason.warning()?)));
        let of_reason = |(reason, count, warning): (Skip, u64, _)| LeftOut {
            reason,
            count,
            warning,
            first: self.first_and_more(reason),
            suffixes: by_suffix(self, reason),
            is_usual: matches!(reason, Skip::NoPhoto | Skip::Hidden) && count.saturating_mul(100) <= samples,
        };
        told.map(of_reason).collect()
    }

    /// The first that were left out for this reason, and how many more there are.
    pub(crate) fn first_and_more(&self, reason: Skip) -> String {
        let names: Vec<_> = self.first(reason).collect();
        let more = self.count(reason).saturating_sub(names.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        names.join(", ") + &more
    }

    /// Counts one of these, of which `name` tells a person where it is.
    pub(crate) fn add(&mut self, reason: Skip, name: &str) {
        self.counts[reason as usize] += 1;
        if matches!(reason, Skip::NoPhoto | Skip::UnsupportedFormat) {
            *self.suffixes.entry(self.told_apart(reason, name)).or_default() += 1;
        }
        if reason.warning().is_some() {
            self.keep_name(reason, name);
        }
    }

    /// Adds what another counted.
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

    /// Under which name the suffix of this file is counted.
    fn told_apart(&self, reason: Skip, name: &str) -> String {
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

/// By suffix, as people read it: `.csv 2, no suffix 1`.
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
        let names: Vec<_> = (0..20).map(|n| format!("{n:02}.{}", ["csv", "TXT", "bmp"][n % 3])).collect();
        let (mut one, mut two) = (Skipped::default(), Skipped::default());
        for (at, name) in names.iter().rev().enumerate() {
            let reason = Files::Photos.leave_out(name).unwrap();
            if at % 2 == 0 { one.add(reason, name) } else { two.add(reason, name) }
        }
        one.absorb(two);
        assert_eq!(one.first(Skip::NoPhoto).next(), Some("00.csv"));
        assert_eq!(one.first(Skip::NoPhoto).count(), LISTED_NAMES);
        assert_eq!(one.suffixes().collect::<Vec<_>>(), [(".bmp", 6), (".csv", 7), (".txt", 7)]);
        assert_eq!(by_suffix(&one, Skip::NoPhoto), ".csv 7, .txt 7");
        assert_eq!(by_suffix(&one, Skip::UnsupportedFormat), ".bmp 6");
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
