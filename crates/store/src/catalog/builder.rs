//! How a catalog comes to be: samples in any order, from one listing thread or several.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::field::Fields;
use headwater_types::listing::ListingDigester;
use headwater_types::{Partition, SampleKey};

use super::base::{Base, Seen};
use super::body::Body;
use super::classes::Classes;
use super::columns::Columns;
use super::labels::Labelling;
use super::merge::merged;
use super::spot::Spot;
use super::{Catalog, Skipped};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::found::Found;
use crate::given::Given;
use crate::labels::Sheet;
use crate::options::StoreOptions;
use crate::part::Part;
use crate::scope::Scope;
use crate::skip::Skip;
use crate::version::Version;

/// Gathers the samples of one partition.
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    scope: Scope,
    /// What is not in the base, or is another there.
    columns: Columns,
    /// What each record holds.
    fields: Fields,
    /// The labels file, where one says the labels.
    sheet: Option<Arc<Sheet>>,
    base: Option<Base>,
    classes: Classes,
    /// The folders right under the root, with samples or without.
    folders: BTreeSet<String>,
    /// The digest of every sample of the dataset, whichever partition the sample is of.
    listing: ListingDigester,
    found: Found,
    skipped: Skipped,
}

// === impl CatalogBuilder ===

impl CatalogBuilder {
    /// An empty builder, which takes only the samples of this partition and of these files.
    pub fn new(partition: Partition, files: Files) -> Self {
        Self { scope: Scope::begin(partition, files), ..Self::default() }
    }

    /// An empty builder for a dataset that is opened with these options. What is the same in `base` takes no memory but
    /// a bit, and if all is the same, the catalog shares the memory of the base.
    pub fn of(options: &StoreOptions, base: Option<&Catalog>) -> Self {
        let sheet = options.sheet.get();
        let fields = sheet.as_ref().map(|sheet| sheet.fields().clone()).unwrap_or_default();
        let builder = Self {
            found: options.found.clone(),
            classes: Classes::new(options.classes.clone()),
            base: base.map(|base| Base::new(&base.body)),
            ..Self::new(options.partition, options.files)
        };
        Self { sheet, ..builder.with_fields(fields) }
    }

    /// An empty builder for another thread of the same listing, to be absorbed by this one.
    pub fn fork(&self) -> Self {
        Self {
            scope: self.scope,
            found: self.found.clone(),
            classes: self.classes.fork(),
            fields: self.fields.clone(),
            sheet: self.sheet.clone(),
            base: self.base.clone(),
            ..Self::default()
        }
    }

    /// Says what the records of the samples hold, where no labels file gives them. A base with other fields is of no
    /// use any more.
    #[must_use]
    pub fn with_fields(mut self, fields: Fields) -> Self {
        if self.sheet.is_some() {
            return self;
        }
        self.base = self.base.filter(|base| base.body().fields == fields);
        self.fields = fields;
        self
    }

    /// Counts a file whose name alone says that it is no sample; `false` for any other file.
    pub fn leaves_out(&mut self, key: &str) -> bool {
        let reason = self.scope.files.leave_out(key);
        reason.inspect(|&reason| self.skip(reason, key)).is_some()
    }

    /// Adds a sample that is an object of its own under this key, or counts why it is none.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push(&mut self, key: &str, version: Version) -> Result<(), StoreError> {
        if self.leaves_out(key) { Ok(()) } else { self.add(key, Spot::whole(key, version), Given::Nothing, &[]) }
    }

    /// Adds a sample that lies anywhere, as in a part of an archive, or counts why it is none.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push_at(&mut self, key: &str, extent: &Extent) -> Result<(), StoreError> {
        if self.leaves_out(key) { Ok(()) } else { self.push_labelled(key, extent, Given::Nothing) }
    }

    /// Adds a sample of which the source says the label, or counts why it is none. Whether its name is that of a photo
    /// is not looked at: the source may ask [`Self::leaves_out`], and knows better.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push_labelled(&mut self, key: &str, extent: &Extent, label: Given<'_>) -> Result<(), StoreError> {
        self.push_described(key, extent, label, &[])
    }

    /// The same, of a sample that has values of the dataset's fields: its record, as `headwater_types::field` encodes
    /// it.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push_described(
        &mut self,
        key: &str,
        extent: &Extent,
        label: Given<'_>,
        record: &[u8],
    ) -> Result<(), StoreError> {
        self.add(key, Spot::of(extent), label, record)
    }

    /// Counts something that is no sample. `name` says where it is, for people.
    pub fn skip(&mut self, reason: Skip, name: &str) {
        self.skipped.add(reason, name);
    }

    /// Notes a folder right under the root, which is a class once a sample is found in it.
    ///
    /// # Errors
    /// More folders than there may be classes.
    pub fn folder(&mut self, name: &str) -> Result<(), StoreError> {
        self.folders.insert(name.to_owned());
        if self.folders.len() > MAX_CLASSES { Err(StoreError::TooManyClasses) } else { Ok(()) }
    }

    /// Counts a folder or a file that could not be seen, and why. Its class is a class all the same, so that the other
    /// classes keep their numbers whoever may read what.
    ///
    /// # Errors
    /// More classes than a catalog may have.
    pub fn unreadable(&mut self, key: &str, is_folder: bool, why: impl fmt::Display) -> Result<(), StoreError> {
        self.skip(Skip::Unreadable, &format!("{key} ({why})"));
        match key.split_once('/').map_or(key, |(class, _)| class) {
            class if is_folder || class.len() < key.len() => self.classes.folder(class, 0),
            _ => Ok(()),
        }
    }

    /// Adds what another listing thread gathered.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn absorb(&mut self, other: Self) -> Result<(), StoreError> {
        let labels = self.classes.absorb(other.classes)?;
        self.columns.absorb(other.columns, |label| labels[label as usize]);
        self.listing.absorb(&other.listing);
        for folder in &other.folders {
            self.folder(folder)?;
        }
        self.skipped.absorb(other.skipped);
        self.check_count()
    }

    /// Sorts, labels and digests the samples. Of samples with the same key one is kept, always the same one.
    pub fn finish(self) -> Catalog {
        let Self { scope, columns, fields, base, classes, folders, listing, mut skipped, .. } = self;
        let empty: Vec<_> = folders.iter().filter(|folder| !classes.has_folder(folder)).collect();
        let labelling = classes.finish(&mut skipped);
        if !labelling.is_given() {
            empty.iter().for_each(|folder| skipped.add(Skip::EmptyFolder, folder));
        }
        let listing = listing.finish(labelling.classes());
        let body = match base {
            Some(base) if columns.is_empty() && base.is_whole() && labelling.is_that_of(base.body()) => {
                Arc::clone(base.body())
            }
            Some(base) => body(Some(&base), columns, &labelling, fields, &mut skipped),
            None => body(None, columns, &labelling, fields, &mut skipped),
        };
        Catalog { body, scope, skipped, listing }
    }

    /// Notes a sample of whichever partition, and holds it if it is of this one and not in the base.
    fn add(&mut self, key: &str, spot: Spot<'_>, label: Given<'_>, record: &[u8]) -> Result<(), StoreError> {
        if SampleKey::check(key).is_err() {
            self.skip(Skip::Key, key);
            return Ok(());
        }
        let is_row = matches!(spot.part, Part::Row { .. });
        if !is_row && (key.starts_with('.') || key.contains("/.")) {
            self.skip(Skip::Hidden, key);
            return Ok(());
        }
        if let Some((class, _)) = key.split_once('/') {
            self.classes.folder(class, 1)?;
        }
        let sheet = self.sheet.clone();
        let (label, record) = sheet.as_ref().map_or((label, record), |sheet| sheet.of(key, label));
        let label = self.classes.give(label)?;
        self.found.add(1);
        self.listing.push(key, spot.size());
        if !self.scope.part.contains(key) {
            self.skip(Skip::OtherPartition, key);
            return Ok(());
        }
        let name = self.classes.name(label);
        match self.base.as_mut().map_or(Seen::New, |base| base.see(key, spot, name, record)) {
            Seen::Same => {}
            Seen::Again => self.skip(Skip::Duplicate, key),
            Seen::New if !self.columns.push(key, spot, label, record) => self.skip(Skip::Key, key),
            Seen::New => {}
        }
        self.check_count()
    }

    fn check_count(&self) -> Result<(), StoreError> {
        let old = self.base.as_ref().map_or(0, |base| base.body().columns.len());
        if (self.columns.len() + old) as u64 > MAX_SAMPLES { Err(StoreError::TooManySamples) } else { Ok(()) }
    }
}

/// What the listing found again in the base, and what is new.
fn body(base: Option<&Base>, new: Columns, labelling: &Labelling, fields: Fields, skipped: &mut Skipped) -> Arc<Body> {
    let none = Columns::default();
    let old = base.map(|base| base.body());
    let kept = base.into_iter().flat_map(Base::seen);
    let again = |key: &str| skipped.add(Skip::Duplicate, key);
    let translated = old.map(|old| labelling.translated_from(old)).unwrap_or_default();
    let label = |label: Result<u32, u32>| labelling.number(label, &translated);
    let mut columns = merged(old.map_or(&none, |old| &old.columns), kept, new, again, label);
    if !labelling.is_given() {
        columns.labels = labelling.of_folders(columns.keys());
    }
    Arc::new(Body::new(columns, Arc::clone(labelling.classes()), labelling.is_given(), fields))
}
