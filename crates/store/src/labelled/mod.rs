//! Datasets whose labels, fields or classes are in files of their own: where those lie, and when they are read.
//!
//! Invariant: the labels file is read anew before each listing, so that a generation has the labels of its time; the
//! file of classes is read once, when the dataset is opened, since a class that changed its number would spoil a
//! training.

mod class_file;
mod file;
mod store;

use self::class_file::ClassFileError;
use crate::error::StoreError;
use crate::labels::SheetSlot;
use crate::options::StoreOptions;
use crate::spec::{ClassList, DatasetOptions};

pub(crate) use store::Labelled;

/// The options as the stores of one dataset share them: with the names of the pinned classes, which a file may list and
/// which is read unless the options have them already.
///
/// # Errors
/// A file that cannot be read, or that lists no classes.
pub async fn prepared(options: &StoreOptions) -> Result<StoreOptions, StoreError> {
    let classes = match &options.dataset.classes {
        _ if options.classes.is_some() => options.classes.clone(),
        None => None,
        Some(ClassList::Names(names)) => Some(names.as_slice().into()),
        Some(ClassList::File(site)) => {
            let failed = |error: ClassFileError| {
                let (file, reason) = (site.to_string(), error.to_string());
                StoreError::ClassFile { file, reason }
            };
            Some(class_file::read(site, &options.s3).await.map_err(failed)?.into())
        }
    };
    // Options may be those of several datasets, and a sheet is of one.
    Ok(StoreOptions { classes, sheet: SheetSlot::default(), ..options.clone() })
}

/// The options of the photos' own store: the columns that they name are of the labels file.
pub(crate) fn inner(options: &StoreOptions) -> StoreOptions {
    let (label, key, fields) = (None, None, Vec::new());
    let dataset = DatasetOptions { label, key, fields, ..options.dataset.clone() };
    StoreOptions { dataset, ..options.clone() }
}
