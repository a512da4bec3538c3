//! How a catalog comes to be: samples in any order, from one listing thread or several.

use std::collections::BTreeSet;
use std::fmt;

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::digest::Digester;
use headwater_types::listing::ListingDigester;
use headwater_types::{Digest, Partition, SampleKey};

use super::{Catalog, Skip, Skipped, UNLABELLED};
use crate::error::StoreError;
use crate::files::Files;
use crate::found::Found;
use crate::options::StoreOptions;
use crate::scope::Scope;
use crate::version::Version;

/// Gathers the samples of one partition.
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    scope: Scope,
    keys: String,
    rows: Vec<Row>,
    classes: BTreeSet<String>,
    /// The class of the last key: a listing goes folder by folder, so most keys need no look at `classes`.
    last_class: String,
    /// Right under the root, with samples or without.
    folders: BTreeSet<String>,
    /// Every sample of the dataset, whichever partition it is of.
    listing: ListingDigester,
    found: Found,
    skipped: Skipped,
}

/// A sample before sorting.
#[derive(Debug)]
struct Row {
    /// Where its key begins in `keys`.
    start: u64,
    /// Bytes of its key, of which there are at most `MAX_KEY_BYTES`.
    len: u16,
    version: Version,
}

// === impl CatalogBuilder ===

impl CatalogBuilder {
    /// No samples yet, and only those of this partition ever, and of these files.
    pub fn new(partition: Partition, files: Files) -> Self {
        Self { scope: Scope::begin(partition, files), ..Self::default() }
    }

    /// As a dataset is opened.
    pub fn of(options: &StoreOptions) -> Self {
        Self { found: options.found.clone(), ..Self::new(options.partition, options.files) }
    }

    /// Counts a file that is no sample by its name alone; `false` for any other.
    pub fn leaves_out(&mut self, key: &str) -> bool {
        let reason = self.scope.files.leave_out(key);
        reason.inspect(|&reason| self.skip(reason, key)).is_some()
    }

    /// Adds a sample, or counts why it is none.
    ///
    /// # Errors
    /// More samples or classes than a catalog may have.
    pub fn push(&mut self, key: &str, version: Version) -> Result<(), StoreError> {
        if SampleKey::check(key).is_err() {
            self.skip(Skip::Key, key);
            return Ok(());
        }
        if key.starts_with('.') || key.contains("/.") {
            self.skip(Skip::Hidden, key);
            return Ok(());
        }
        if self.leaves_out(key) {
            return Ok(());
        }
        if let Some((class, _)) = key.split_once('/') {
            self.add_class(class)?;
        }
        self.found.add(1);
        self.listing.push(key, version.size());
        if !self.scope.part.contains(key) {
            self.skip(Skip::OtherPartition, key);
            return Ok(());
        }
        let Ok(len) = u16::try_from(key.len()) else {
            self.skip(Skip::Key, key);
            return Ok(());
        };
        self.rows.push(Row { start: self.keys.len() as u64, len, version });
        self.keys.push_str(key);
        self.check_count()
    }

    /// Counts something that is no sample; `name` says to people where it is.
    pub fn skip(&mut self, reason: Skip, name: &str) {
        self.skipped.add(reason, name);
    }

    /// Notes a folder right under the root, a class once a sample is found in it.
    ///
    /// # Errors
    /// More folders than there may be classes.
    pub fn folder(&mut self, name: &str) -> Result<(), StoreError> {
        self.folders.insert(name.to_owned());
        if self.folders.len() > MAX_CLASSES { Err(StoreError::TooManyClasses) } else { Ok(()) }
    }

    /// Counts a folder or a file that could not be seen, and why. Its class is a class all the same: the others keep their numbers,
    /// whoever may read what.
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
        let offset = self.keys.len() as u64;
        self.keys.push_str(&other.keys);
        self.rows.extend(other.rows.into_iter().map(|row| Row { start: row.start + offset, ..row }));
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

    /// Sorts, labels and digests. Of samples with the same key one is kept: always the same one.
    pub fn finish(mut self) -> Catalog {
        let found = std::mem::take(&mut self.keys);
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| (a.key(&found), a.version).cmp(&(b.key(&found), b.version)));
        let skipped = &mut self.skipped;
        rows.dedup_by(|later, kept| {
            let is_again = later.key(&found) == kept.key(&found);
            if is_again {
                skipped.add(Skip::Duplicate, kept.key(&found));
            }
            is_again
        });
        for folder in self.folders.difference(&self.classes) {
            skipped.add(Skip::EmptyFolder, folder);
        }

        let classes: Box<[String]> = self.classes.into_iter().collect();
        let mut keys = String::with_capacity(rows.iter().map(|row| usize::from(row.len)).sum());
        let mut ends = Vec::with_capacity(rows.len());
        let mut labels = Vec::with_capacity(rows.len());
        let mut labeller = Labeller { classes: &classes, last: None };
        for row in &rows {
            let key = row.key(&found);
            keys.push_str(key);
            ends.push(keys.len() as u64);
            labels.push(labeller.label(key));
        }
        drop(found);

        let listing = self.listing.finish(&classes);
        let mut catalog = Catalog {
            keys: keys.into(),
            ends: ends.into(),
            bytes_total: rows.iter().map(|row| row.version.size().get()).fold(0, u64::saturating_add),
            versions: rows.iter().map(|row| row.version).collect(),
            labels: labels.into(),
            classes,
            scope: self.scope,
            skipped: self.skipped,
            listing,
            digest: Digest::of(&[]),
            names: Digest::of(&[]),
        };
        (catalog.digest, catalog.names) = digests(&catalog);
        catalog
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

// === impl Row ===

impl Row {
    fn key<'a>(&self, keys: &'a str) -> &'a str {
        // Rows are made beside their keys, from the same string.
        let start = self.start as usize;
        &keys[start..start + usize::from(self.len)]
    }
}

/// Finds the class of each key in turn: sorted keys come class by class.
struct Labeller<'a> {
    classes: &'a [String],
    last: Option<(&'a str, u32)>,
}

impl Labeller<'_> {
    fn label(&mut self, key: &str) -> u32 {
        let Some((class, _)) = key.split_once('/') else { return UNLABELLED };
        if let Some((last, label)) = self.last
            && last == class
        {
            return label;
        }
        let Ok(at) = self.classes.binary_search_by(|name| name.as_str().cmp(class)) else { return UNLABELLED };
        // There are at most MAX_CLASSES.
        let label = at as u32;
        self.last = Some((&self.classes[at], label));
        label
    }
}

/// The digests of a catalog: of all of it, and of its names. The first is over
///
/// ```text
/// "headwater catalog v1"
/// number of classes u64 | each class name
/// number of samples u64 | each: key, version (size u64, stamp u64), class name or nothing
/// ```
///
/// where text is preceded by its length (u64), and numbers are little endian. The class names come first since two
/// partitions with the same samples could still number them differently. The second is over the same without versions, and begins with
/// "headwater names v1".
fn digests(catalog: &Catalog) -> (Digest, Digest) {
    let mut all = headed(b"headwater catalog v1", catalog);
    let mut names = headed(b"headwater names v1", catalog);
    for (_, entry) in catalog.iter() {
        let class = entry.label.and_then(|label| catalog.classes.get(label.0 as usize)).map_or("", String::as_str);
        all.field(entry.key.as_bytes()).update(&entry.version.to_bytes()).field(class.as_bytes());
        names.field(entry.key.as_bytes()).field(class.as_bytes());
    }
    (all.finish(), names.finish())
}

/// A digest that has its kind, the class names, and the number of samples.
fn headed(kind: &[u8], catalog: &Catalog) -> Digester {
    let mut digester = Digester::default();
    digester.update(kind).update(&(catalog.classes.len() as u64).to_le_bytes());
    for class in &catalog.classes {
        digester.field(class.as_bytes());
    }
    digester.update(&(catalog.len() as u64).to_le_bytes());
    digester
}
