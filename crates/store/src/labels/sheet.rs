//! A labels file while a dataset is listed: it is asked for every key, and remembers which of its rows were of samples.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use headwater_types::Fields;
use tracing::{info, warn};

use super::classes::Labels;
use super::error::LabelsError;
use super::names::Names;
use super::reading::Read;
use super::table::{NO_LABEL, Table};
use crate::given::Given;

/// The rows of a labels file, and what came of them.
#[derive(Debug)]
pub(crate) struct Sheet {
    table: Table,
    labels: Labels,
    has_labels: bool,
    /// The hash of the sample's key that each row is of, or [`NOBODY`].
    owners: Box<[AtomicU32]>,
    /// Samples that were found without their suffix.
    without_suffix: AtomicU64,
    without_row: Mutex<Names>,
    ambiguous: Mutex<Option<LabelsError>>,
}

/// Where a dataset's labels file is for the listing that runs: nothing, where it has none. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct SheetSlot(Arc<Mutex<Option<Arc<Sheet>>>>);

/// A row that no sample was found for.
const NOBODY: u32 = 0;

// === impl SheetSlot ===

impl SheetSlot {
    /// The file that labels the samples, if one does.
    pub(crate) fn get(&self) -> Option<Arc<Sheet>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, sheet: Option<Arc<Sheet>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = sheet;
    }
}

// === impl Sheet ===

impl Sheet {
    /// # Errors
    /// Labels that are numbers, but not those of classes.
    pub(crate) fn new(read: Read) -> Result<Self, LabelsError> {
        Ok(Self {
            labels: Labels::of(read.labels)?,
            has_labels: read.column.is_some(),
            owners: (0..read.table.len()).map(|_| AtomicU32::new(NOBODY)).collect(),
            table: read.table,
            without_suffix: AtomicU64::new(0),
            without_row: Mutex::default(),
            ambiguous: Mutex::default(),
        })
    }

    /// The fields of which each row has a record.
    pub(crate) fn fields(&self) -> &Fields {
        &self.table.fields
    }

    /// The label and the record of the sample with this key: where the file has no column of labels, the label that
    /// the source gives. Called for every sample of the dataset, whichever partition it is of, so that all servers
    /// count the same.
    pub(crate) fn of<'a>(&'a self, key: &str, by_source: Given<'a>) -> (Given<'a>, &'a [u8]) {
        let label = |label| if self.has_labels { self.labels.given(label) } else { by_source };
        match self.row(key) {
            Some(at) => (label(self.table.label(at)), self.table.record(at)),
            None => {
                self.without_row.lock().unwrap_or_else(PoisonError::into_inner).add(key);
                (label(NO_LABEL), &[])
            }
        }
    }

    /// The row of this key: of the same key, or of the key without its suffix.
    fn row(&self, key: &str) -> Option<usize> {
        if let Some(at) = self.table.find(key) {
            self.claim(at, key);
            return Some(at);
        }
        let at = stems(key).find_map(|stem| self.table.find(stem))?;
        if self.claim(at, key) {
            self.without_suffix.fetch_add(1, Ordering::Relaxed);
        }
        Some(at)
    }

    /// Notes that a row is of this sample; `false` where it was noted before.
    fn claim(&self, at: usize, key: &str) -> bool {
        // Never 0. That two keys of one row have the same hash is a chance of 2^-31.
        let hash = BuildHasherDefault::<DefaultHasher>::new().hash_one(key) as u32 | 1;
        let owner = self.owners[at].compare_exchange(NOBODY, hash, Ordering::Relaxed, Ordering::Relaxed);
        if owner.is_err_and(|owner| owner != hash) {
            let error = LabelsError::Ambiguous { row: self.table.key(at).to_owned(), sample: key.to_owned() };
            self.ambiguous.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        owner.is_ok()
    }

    /// Says what came of the file, once all of the dataset's samples have been asked for.
    ///
    /// # Errors
    /// A row that two samples could be of; rows of which few are of samples.
    pub(crate) fn judge(&self, file: &str, samples: u64, unused: &[String]) -> Result<(), LabelsError> {
        if let Some(error) = self.ambiguous.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        let mut unclaimed = Names::default();
        let is_free = |at: &usize| self.owners[*at].load(Ordering::Relaxed) == NOBODY;
        (0..self.table.len()).filter(is_free).for_each(|at| unclaimed.add(self.table.key(at)));
        let rows = self.table.len() as u64;
        let matched = rows - unclaimed.count();
        let without_row = self.without_row.lock().unwrap_or_else(PoisonError::into_inner);
        if matched.saturating_mul(2) < rows.min(samples) {
            let (in_file, in_dataset) = (unclaimed.to_string(), without_row.to_string());
            return Err(LabelsError::Strange { rows, samples, matched, in_file, in_dataset });
        }
        let without_suffix = self.without_suffix.load(Ordering::Relaxed);
        let fields: Vec<_> = self.fields().iter().map(|field| format!("{}: {}", field.name, field.kind)).collect();
        let (fields, unused) = (fields.join(", "), unused.join(", "));
        info!(file, rows, matched, without_suffix, fields, unused, "labels file read");
        if without_row.count() > 0 {
            warn!(file, count = without_row.count(), first = %without_row, "samples without a row have no label");
        }
        if unclaimed.count() > 0 {
            warn!(file, count = unclaimed.count(), first = %unclaimed, "rows of the labels file are of no sample");
        }
        let unlabelled = (0..self.table.len()).filter(|at| self.table.label(*at) == NO_LABEL).count();
        if unlabelled > 0 && self.has_labels {
            warn!(file, count = unlabelled, "rows of the labels file have no label, and so have their samples");
        }
        Ok(())
    }
}

/// The key without its last suffix, and without all that follows the first dot of its last part, as WebDataset names
/// samples.
fn stems(key: &str) -> impl Iterator<Item = &str> {
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    // A dot at the beginning of a name begins no suffix.
    let dots = |dot: Option<usize>| dot.filter(|dot| *dot > 0).map(|dot| &key[..name + dot]);
    let (last, first) = (dots(key[name..].rfind('.')), dots(key[name..].find('.')));
    last.into_iter().chain(first.filter(move |stem| Some(*stem) != last))
}

#[cfg(test)]
mod tests {
    use super::super::columns::Wanted;
    use super::super::csv;
    use super::*;

    fn sheet(text: &str) -> Sheet {
        let read = csv::read(text.as_bytes(), b',', &Wanted::default()).unwrap();
        Sheet::new(read).unwrap()
    }

    fn judged(sheet: &Sheet, keys: &[&str]) -> Result<(), String> {
        for key in keys {
            let _row = sheet.of(key, Given::Nothing);
        }
        sheet.judge("labels.csv", keys.len() as u64, &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_found_with_and_without_their_suffix() {
        let sheet = sheet("key,label\na/1.jpg,x\na/2,y\nb.c/3,z\nb.c/4.x,w\n");
        let label = |key| sheet.of(key, Given::Class("folder")).0;
        assert_eq!(label("a/1.jpg"), Given::Class("x"));
        assert_eq!(label("a/2.png"), Given::Class("y"));
        assert_eq!(label("b.c/3.seg.png"), Given::Class("z"));
        assert_eq!(label("b.c/4.x.png"), Given::Class("w"));
        assert_eq!(label("b.png"), Given::Nothing);
        assert_eq!(label("a/1"), Given::Nothing);
        assert_eq!(sheet.without_suffix.load(Ordering::Relaxed), 3);
        assert_eq!(stems(".x/.y").count(), 0);
    }

    #[test]
    fn a_row_without_a_suffix_is_of_one_sample_or_the_start_is_refused() {
        let table = "key,label\na,x\nb,y\n";
        assert_eq!(judged(&sheet(table), &["a.jpg", "b.jpg", "a.jpg"]), Ok(()));
        let error = judged(&sheet(table), &["a.jpg", "b.jpg", "a.png"]).unwrap_err();
        assert!(error.contains("the row of \"a\" could be of \"a.png\" and of another"), "{error}");
    }

    #[test]
    fn a_file_of_another_dataset_is_refused_with_examples_of_both_sides() {
        let table = "key,label\nx/a.jpg,x\nx/b.jpg,y\nc.jpg,x\n";
        let error = judged(&sheet(table), &["a.jpg", "b.jpg", "c.jpg"]).unwrap_err();
        assert!(error.contains("\"x/a.jpg\", \"x/b.jpg\"") && error.contains("\"a.jpg\", \"b.jpg\""), "{error}");
        assert_eq!(judged(&sheet(table), &["c.jpg"]), Ok(()), "one file of labels for several datasets");
        assert_eq!(judged(&sheet("key,label\na,1\n"), &["a.jpg", "b.jpg", "c.jpg"]), Ok(()), "labels of a few samples");
    }
}
