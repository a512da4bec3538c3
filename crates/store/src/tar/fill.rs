//! From the members of shards to a catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_types::SampleKey;
use headwater_types::caps::LISTED_SUFFIXES;
use headwater_types::field::{Fields, Record};
use tracing::{info, warn};

use super::companion::{Role, Wanted, split};
use super::fields::{self, Kinds};
use super::group::{Companions, Group, Verdict, folder};
use super::index::{Entry, Index};
use super::label::{Label, has_labels, label};
use crate::catalog::CatalogBuilder;
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::given::Given;
use crate::options::StoreOptions;
use crate::skip::Skip;
use crate::spec::KeyRule;

/// A catalog that is being filled, shard by shard.
pub(super) struct Filling {
    pub(super) found: CatalogBuilder,
    pub(super) rules: Rules,
    /// Members whose name is in their shard again.
    pub(super) again: u64,
    /// What belongs to photos, by suffix.
    companions: BTreeMap<String, u64>,
}

/// How members become samples.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) files: Files,
    pub(super) keys: KeyRule,
    pub(super) wanted: Arc<Wanted>,
    pub(super) fields: Fields,
    /// Whether the first folder of a member is its class: where keys begin with the shard, and no companion says a
    /// label.
    pub(super) by_folder: bool,
}

// === impl Rules ===

impl Rules {
    /// The rules of a dataset, before anything of its shards is known.
    pub(super) fn new(options: &StoreOptions, wanted: Arc<Wanted>) -> Self {
        let (files, keys) = (options.files, options.dataset.keys);
        Self { files, keys, wanted, fields: Fields::default(), by_folder: false }
    }

    /// With what must be known of all shards: the kinds of fields, and whether folders are classes.
    ///
    /// # Errors
    /// In words, a field that no photo has, or that is of several kinds.
    pub(super) fn knowing(&self, shards: &[(Extent, Index)]) -> Result<Self, String> {
        let mut kinds = Kinds::of(&self.wanted);
        for (shard, index) in shards {
            kinds.see(index).map_err(|why| shown(shard.object(), &why))?;
        }
        let has_labels = shards.iter().any(|(_, index)| has_labels(index, &self.wanted));
        let by_folder = self.keys == KeyRule::Shard && !has_labels;
        Ok(Self { fields: kinds.fields()?, by_folder, ..self.clone() })
    }
}

// === impl Filling ===

impl Filling {
    pub(super) fn new(found: CatalogBuilder, rules: Rules) -> Self {
        Self { found, rules, again: 0, companions: BTreeMap::new() }
    }

    /// Adds the samples of a shard.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub(super) fn shard(&mut self, shard: &Extent, index: &Index) -> Result<(), StoreError> {
        let name = shard.object();
        if let Some(damage) = index.damage() {
            let members = index.members();
            warn!(%name, members, damage, "a shard cannot be read to its end: only the members before that are seen");
            self.found.skip(Skip::Unreadable, &format!("{name} ({damage})"));
        }
        if index.behind() > 0 {
            warn!(%name, bytes = index.behind(), "what is behind a shard's end is no member, and is not read");
        }
        let rules = self.rules.clone();
        let group = Group::of(index, rules.files, &rules.wanted);
        group.each(|entry, verdict| match verdict {
            Verdict::Sample(content, companions) => {
                let Some(place) = Extent::part(name.clone(), shard.listed(), content) else { return Ok(()) };
                self.sample(name, entry, &place, companions)
            }
            Verdict::Companion => {
                self.companion(entry.name);
                Ok(())
            }
            Verdict::LeftOut(reason) => {
                self.again += u64::from(reason == Skip::Duplicate);
                self.found.skip(reason, &shown(name, entry.name));
                Ok(())
            }
        })
    }

    /// Says in the log what belongs to photos.
    pub(super) fn tell(&self, location: &str) {
        if !self.companions.is_empty() {
            let counts: Vec<_> = self.companions.iter().map(|(suffix, count)| format!(".{suffix} {count}")).collect();
            let counts = counts.join(", ");
            info!(location, counts, "files that belong to photos: labels are of .cls or .json, others are fields=");
        }
    }

    fn sample(
        &mut self,
        shard: &SampleKey,
        entry: &Entry<'_>,
        place: &Extent,
        companions: Option<&Companions>,
    ) -> Result<(), StoreError> {
        let label = match companions.map_or(Ok(None), label) {
            Ok(label) => label,
            Err(role) => {
                let suffix = if role == Role::Class { "cls" } else { "json" };
                let stem = split(entry.name).map_or(entry.name, |(stem, _)| stem);
                let name = shown(shard, &format!("{stem}.{suffix}"));
                self.found.skip(Skip::Unreadable, &format!("{name} (it says no class)"));
                None
            }
        };
        let given = match &label {
            Some(Label::Number(number)) => Given::Number(*number),
            Some(Label::Name(name)) => Given::Class(name),
            None if self.rules.by_folder => folder(entry.name).map_or(Given::Nothing, Given::Class),
            None => Given::Nothing,
        };
        let record = companions.filter(|_| !self.rules.fields.is_empty());
        let record = record.map_or(Ok(Record::default()), |companions| fields::record(companions, &self.rules.fields));
        let record = record.unwrap_or_else(|error| {
            self.found.skip(Skip::Unreadable, &format!("{} ({error})", shown(shard, entry.name)));
            Record::default()
        });
        match self.rules.keys {
            KeyRule::Member => self.found.push_described(entry.name, place, given, record.as_bytes()),
            KeyRule::Shard => {
                let key = format!("{}/{}", stem(shard), entry.name);
                self.found.push_described(&key, place, given, record.as_bytes())
            }
        }
    }

    fn companion(&mut self, name: &str) {
        let suffix = split(name).map_or("", |(_, suffix)| suffix);
        let has_room = self.companions.len() < LISTED_SUFFIXES;
        let suffix = if has_room || self.companions.contains_key(suffix) { suffix } else { "others" };
        match self.companions.get_mut(suffix) {
            Some(count) => *count += 1,
            None => drop(self.companions.insert(suffix.to_owned(), 1)),
        }
    }
}

/// The shard's name without its suffix.
fn stem(shard: &SampleKey) -> &str {
    let name = shard.as_str();
    name.len()
        .checked_sub(4)
        .filter(|at| name.get(*at..).is_some_and(|end| end.eq_ignore_ascii_case(".tar")))
        .map_or(name, |at| &name[..at])
}

/// A member as people find it: with its shard.
pub(super) fn shown(shard: &SampleKey, member: &str) -> String {
    format!("{shard}: {member}")
}
