//! How a catalog comes to be: samples in any order, from one listing thread or several.

use std::collections::BTreeSet;
use std::fmt;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::listing::ListingDigester;
use headwater_types::{ByteCount, Partition, SampleKey};

use super::columns::Columns;
use super::labels::labels;
use super::rows::Rows;
use super::{Catalog, Skipped};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::found::Found;
use crate::options::StoreOptions;
use crate::scope::Scope;
use crate::skip::Skip;
use crate::version::Version;

/// Gathers the samples of one partition.
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    scope: Scope,
    rows: Rows,
    classes: BTreeSet<String>,
    /// The class of the last key. A listing goes folder by folder, so most keys need no look at `classes`.
    last_class: String,
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

    /// An empty builder for a dataset that is opened with these options.
    pub fn of(options: &StoreOptions) -> Self {
        Self { found: options.found.clone(), ..Self::new(options.partition, options.files) }
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
        if self.takes(key, version.size())? && !self.rows.push(key, version) {
            self.skip(Skip::Key, key);
        }
        self.check_count()
    }

    /// Adds a sample that lies anywhere, as in a part of an archive, or counts why it is none.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push_at(&mut self, key: &str, extent: &Extent) -> Result<(), StoreError> {
        if self.takes(key, extent.length())? && !self.rows.push_at(key, extent) {
            self.skip(Skip::Key, key);
        }
        self.check_count()
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
            class if is_folder || class.len() < key.len() => self.add_class(class),
            _ => Ok(()),
        }
    }

    /// Adds what another listing thread gathered.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn absorb(&mut self, other: Self) -> Result<(), StoreError> {
        self.rows.absorb(other.rows);
        for class in &other.classes {
            self.add_class(class)?;
        }
        self.listing.absorb(&other.listing);
        for folder in &other.folders {
            self.folder(folder)?;
        }
        self.skipped.absorb(other.skipped);
        self.check_count()
    }

    /// Sorts, labels and digests the samples. Of samples with the same key one is kept, always the same one.
    pub fn finish(self) -> Catalog {
        let Self { scope, rows, classes, folders, listing, mut skipped, .. } = self;
        let columns = Columns::sorted(rows, |key| skipped.add(Skip::Duplicate, key));
        for folder in folders.difference(&classes) {
            skipped.add(Skip::EmptyFolder, folder);
        }
        let classes: Box<[String]> = classes.into_iter().collect();
        let (labels, listing) = (labels(columns.keys(), &classes), listing.finish(&classes));
        Catalog::new(columns, labels, classes, scope, skipped, listing)
    }

    /// Counts why this key is no sample of the partition, or notes that it is one.
    fn takes(&mut self, key: &str, size: ByteCount) -> Result<bool, StoreError> {
        if SampleKey::check(key).is_err() {
            self.skip(Skip::Key, key);
            return Ok(false);
        }
        if key.starts_with('.') || key.contains("/.") {
            self.skip(Skip::Hidden, key);
            return Ok(false);
        }
        if self.leaves_out(key) {
            return Ok(false);
        }
        if let Some((class, _)) = key.split_once('/') {
            self.add_class(class)?;
        }
        self.found.add(1);
        self.listing.push(key, size);
        let is_here = self.scope.part.contains(key);
        if !is_here {
            self.skip(Skip::OtherPartition, key);
        }
        Ok(is_here)
    }

    fn add_class(&mut self, class: &str) -> Result<(), StoreError> {
        if self.last_class == class {
            return Ok(());
        }
        class.clone_into(&mut self.last_class);
        if !self.classes.contains(class) {
            self.classes.insert(class.to_owned());
        }
        if self.classes.len() > MAX_CLASSES { Err(StoreError::TooManyClasses) } else { Ok(()) }
    }

    fn check_count(&self) -> Result<(), StoreError> {
        if self.rows.len() as u64 > MAX_SAMPLES { Err(StoreError::TooManySamples) } else { Ok(()) }
    }
}
