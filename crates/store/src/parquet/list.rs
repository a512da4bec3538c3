//! The rows of all files as a catalog.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, stream};
use headwater_types::ByteCount;
use tracing::{info, warn};

use super::file::File;
use super::footer::Group;
use super::keys::{self, NoKeys};
use super::rows::{Label, Refused, Rows};
use crate::blocking::blocking;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::given::Given;
use crate::kind::Kind;
use crate::listed::listed;
use crate::options::StoreOptions;
use crate::shards::Shards;
use crate::skip::Skip;

/// How many files are listed at once: enough for a bucket's answers to overlap.
const AT_ONCE: usize = 8;

/// Lists the rows of all files; `opened` hears of each file.
pub(super) async fn list(
    shards: &Shards,
    options: &StoreOptions,
    base: Option<&Catalog>,
    mut opened: impl FnMut(&Rows),
) -> Result<Catalog, StoreError> {
    let began = Instant::now();
    let shelf = shards.list(|name| Kind::Parquet.has_shard(name)).await?;
    let (files, damaged) = read(shards, options, shelf.shards).await?;
    let names = agree(shards, &files)?;
    let pinned = options.classes.clone().or(names);
    // Rows are taken by whatever key they have.
    let rules = StoreOptions { classes: pinned, files: Files::All, ..options.clone() };
    let mut found = CatalogBuilder::of(&rules, base);
    if let Some(first) = files.first() {
        found = found.with_fields(first.fields().map_err(|error| refused(shards, first, &error.to_string()))?);
    }
    shelf.left_out.iter().chain(&damaged).for_each(|(reason, name)| found.skip(*reason, name));
    has_photos(shards, &files)?;
    let from_column = keyed(shards, options, &files)?;
    tell(shards, &files, from_column);
    for rows in &files {
        opened(rows);
        push(rows, from_column, &mut found)?;
    }
    let catalog = blocking(move || found.finish()).await?;
    listed(shards.location(), catalog, options, began.elapsed())
}

type Read = (Vec<Rows>, Vec<(Skip, String)>);

/// Reads what a listing needs of each file, and says which files are damaged.
async fn read(shards: &Shards, options: &StoreOptions, files: Vec<Extent>) -> Result<Read, StoreError> {
    let read = stream::iter(files).map(|whole| async {
        let file = File::new(shards.store(), whole.clone());
        (whole, Rows::read(file, &options.dataset).await)
    });
    let mut read = std::pin::pin!(read.buffered(AT_ONCE));
    let (mut all, mut damaged) = (Vec::new(), Vec::new());
    while let Some((whole, rows)) = read.next().await {
        match rows {
            Ok(rows) => all.push(rows),
            Err(Refused::File(failure)) => damaged.push((Skip::Unreadable, format!("{} ({failure})", whole.object()))),
            Err(Refused::Table(reason)) => {
                let (location, object) = (shards.location().to_owned(), whole.object().to_string());
                return Err(StoreError::Table { location, object, reason });
            }
        }
    }
    Ok((all, damaged))
}

/// Refuses files that are not of one table; gives the names of its classes, where it has any.
fn agree(shards: &Shards, files: &[Rows]) -> Result<Option<Arc<[String]>>, StoreError> {
    let Some(first) = files.first() else { return Ok(None) };
    let kinds = |rows: &Rows| rows.columns.fields.iter().map(|(_, field)| field.kind).collect::<Vec<_>>();
    for rows in files {
        let same = rows.columns.names == first.columns.names
            && rows.columns.label.is_some() == first.columns.label.is_some()
            && kinds(rows) == kinds(first);
        if !same {
            let reason = format!(
                "its labels or fields are of other types or names than those of {}: serve it as a dataset of its own",
                first.file.whole.object()
            );
            return Err(refused(shards, rows, &reason));
        }
    }
    Ok(first.columns.names.as_deref().map(Arc::from))
}

/// Refuses a table whose rows have no photo, as far as its footers say so: each sample would fail.
fn has_photos(shards: &Shards, files: &[Rows]) -> Result<(), StoreError> {
    let Some(first) = files.first() else { return Ok(()) };
    let rows: u64 = files.iter().map(Rows::count).sum();
    if rows == 0 || files.iter().map(Rows::nulls).sum::<u64>() < rows {
        return Ok(());
    }
    let reason = format!(
        "none of {rows} rows has the bytes of a photo in the column {}. Where `datasets` was given paths, its \
         to_parquet writes those alone. Embed the bytes before: `from datasets.table import embed_table_storage`, \
         then `table.with_format(\"arrow\").map(embed_table_storage, batched=True).with_format(None)`",
        first.columns.image.name()
    );
    Err(refused(shards, first, &reason))
}

/// Whether the keys are those of a column: where each row has one, and all differ.
fn keyed(shards: &Shards, options: &StoreOptions, files: &[Rows]) -> Result<bool, StoreError> {
    let missing = files.iter().find_map(|rows| Some((rows, rows.keys.as_ref().err()?.clone())));
    let twice = || keys::differ(files.iter().filter_map(|rows| rows.keys.as_ref().ok()));
    let none: Option<(&Rows, NoKeys)> = missing.or_else(|| Some((files.first()?, twice().err()?)));
    let Some((rows, why)) = none else { return Ok(true) };
    if let Some(column) = &options.dataset.key {
        return Err(refused(shards, rows, &format!("key={column} does not tell rows apart: {why}")));
    }
    if let Some(stem) = keys::shared(files.iter().map(|rows| rows.file.whole.object().as_str())) {
        let reason =
            format!("another file is called {stem} too: rename it, or say which column has keys with key=COLUMN");
        return Err(refused(shards, rows, &reason));
    }
    if rows.columns.key.is_some() {
        let location = shards.location();
        info!(location, %why, "the file's own names do not tell rows apart: keys are file names and row numbers");
    }
    Ok(false)
}

fn push(rows: &Rows, from_column: bool, found: &mut CatalogBuilder) -> Result<(), StoreError> {
    let (object, listed) = (rows.file.whole.object(), rows.file.whole.listed());
    let width = rows.count().saturating_sub(1).to_string().len();
    let stem = keys::stem(object.as_str());
    let mut from = rows.keys.as_ref().ok().filter(|_| from_column).map(|keys| keys.iter());
    let abouts = rows.groups.iter().flat_map(|group| std::iter::repeat_n(about(group), group.rows as usize));
    for (number, about) in abouts.enumerate() {
        let extent = Extent::row(object.clone(), listed, number as u64, about);
        let made;
        let key = match from.as_mut().and_then(Iterator::next) {
            Some(key) => key,
            None => {
                made = format!("{stem}-{number:0width$}");
                &made
            }
        };
        let label = match rows.labels.get(number) {
            Some(Label::Name(name)) => Given::Class(name),
            Some(Label::Number(number)) => Given::Number(*number),
            Some(Label::Nothing) | None => Given::Nothing,
        };
        let record = rows.records.get(number).map(|record| record.as_bytes()).unwrap_or_default();
        found.push_described(key, &extent, label, record)?;
    }
    Ok(())
}

/// About how many bytes a photo of the group has.
fn about(group: &Group) -> ByteCount {
    let bytes = group.chunks.first().map_or(0, |chunk| chunk.unpacked);
    ByteCount::new((bytes / group.rows.max(1)).max(1))
}

/// Says what a user would want to know of the files before an epoch runs.
fn tell(shards: &Shards, files: &[Rows], from_column: bool) {
    let location = shards.location();
    let groups: usize = files.iter().map(|rows| rows.groups.len()).sum();
    let first = files.first();
    let column = first.map(|rows| rows.columns.image.name());
    let label = first.and_then(|rows| rows.columns.label.as_ref()).map(super::schema::Leaf::name);
    info!(location, files = files.len(), groups, column, label, from_column, "parquet files read");
    let nulls: u64 = files.iter().map(Rows::nulls).sum();
    if nulls > 0 {
        warn!(location, count = nulls, "rows without a photo fail one by one");
    }
    if let Some(column) = first.and_then(|rows| rows.columns.passed_over.as_ref()) {
        warn!(location, column, "the column is no label: it has neither one whole number nor one text for each row");
    }
    let largest = files.iter().flat_map(|rows| &rows.groups).filter_map(largest_dictionary).max();
    if let Some(bytes) = largest.filter(|&bytes| bytes > LARGE_PAGE) {
        let page = ByteCount::new(bytes).to_string();
        warn!(
            location,
            page,
            "photos lie in pages of that size, each read whole for one photo unless --page-memory holds all of them: \
             write the files with pyarrow's use_dictionary=False or with datasets 4 or later"
        );
    }
}

/// Pages of photos above this size are told of: one megabyte is what writers mean to make.
const LARGE_PAGE: u64 = 8 << 20;

fn largest_dictionary(group: &Group) -> Option<u64> {
    group.chunks.first()?.dictionary().map(|range| range.end - range.start)
}

fn refused(shards: &Shards, rows: &Rows, reason: &str) -> StoreError {
    let (location, object) = (shards.location().to_owned(), rows.file.whole.object().to_string());
    StoreError::Table { location, object, reason: reason.to_owned() }
}
