//! What a listing reads of one file: its footer, and its keys, labels and fields. Its photos stay where they are.

use headwater_types::SampleFailure;
use headwater_types::field::{FieldValue, Fields, Record};

use super::columns::Columns;
use super::file::{self, File};
use super::footer::Group;
use super::keys::{Keys, NoKeys};
use super::small::{self, Cell, Values};
use super::values::Scalar;
use crate::spec::DatasetOptions;

/// Why a file is not listed.
pub(super) enum Refused {
    /// The file is damaged, or could not be read.
    File(SampleFailure),
    /// The file is no such table as the options say, or has values that cannot be right.
    Table(String),
}

/// One file, as far as a listing reads it.
pub(super) struct Rows {
    pub(super) file: File,
    pub(super) columns: Columns,
    pub(super) groups: Vec<Group>,
    pub(super) keys: Result<Keys, NoKeys>,
    /// Empty, where there is no column of labels.
    pub(super) labels: Vec<Label>,
    /// The values of fields, encoded; empty where none were asked for.
    pub(super) records: Vec<Record>,
}

/// A row's label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Nothing,
    Number(u32),
    Name(String),
}

// === impl Refused ===

impl From<SampleFailure> for Refused {
    fn from(failure: SampleFailure) -> Self {
        Self::File(failure)
    }
}

// === impl Rows ===

impl Rows {
    pub(super) async fn read(file: File, options: &DatasetOptions) -> Result<Self, Refused> {
        // A row of a photo takes a byte at least.
        let opened = file::open(&file, file.size(), |footer| {
            let columns = Columns::choose(footer, options).map_err(Refused::Table)?;
            let places = columns.places.clone();
            Ok::<_, Refused>((columns, places))
        });
        let (columns, _, groups) = opened.await?;
        let keys = if columns.key.is_some() { Ok(Keys::default()) } else { Err(NoKeys::Null(0)) };
        let mut rows = Self { file, columns, groups: Vec::new(), keys, labels: Vec::new(), records: Vec::new() };
        for group in &groups {
            rows.add(group).await?;
        }
        rows.groups = groups;
        Ok(rows)
    }

    /// All rows.
    pub(super) fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.rows).sum()
    }

    /// The rows without a photo, where the footer says it.
    pub(super) fn nulls(&self) -> u64 {
        self.groups.iter().filter_map(|group| group.chunks.first()?.nulls).sum()
    }

    async fn add(&mut self, group: &Group) -> Result<(), Refused> {
        let mut chunks = group.chunks.iter().skip(1);
        let (file, room) = (&self.file, &mut small::room());
        if let (Some(leaf), Some(chunk)) = (&self.columns.key, self.columns.key.as_ref().and_then(|_| chunks.next()))
            && let Ok(keys) = &mut self.keys
            && let Err(none) = keys.add(&Values::read(file, group, chunk, leaf, room).await?)
        {
            self.keys = Err(none);
        }
        if let (Some(leaf), Some(chunk)) =
            (&self.columns.label, self.columns.label.as_ref().and_then(|_| chunks.next()))
        {
            for cell in Values::read(file, group, chunk, leaf, room).await?.iter() {
                let label = label(cell, self.columns.names.as_deref());
                self.labels.push(label.map_err(|why| Refused::Table(format!("row {}: {why}", self.labels.len())))?);
            }
        }
        let mut fields = Vec::new();
        for ((leaf, _), chunk) in self.columns.fields.iter().zip(chunks) {
            fields.push(Values::read(file, group, chunk, leaf, room).await?);
        }
        self.add_records(&fields)
    }

    fn add_records(&mut self, values: &[Values]) -> Result<(), Refused> {
        let Ok(fields) = self.fields() else { return Err(Refused::Table("two fields have one name".to_owned())) };
        let mut values: Vec<_> = values.iter().map(Values::iter).collect();
        loop {
            let row: Option<Vec<_>> = values.iter_mut().map(|values| values.next().map(value)).collect();
            let Some(row) = row.filter(|row| !row.is_empty()) else { return Ok(()) };
            let record = Record::encode(&row, &fields);
            self.records.push(record.map_err(|why| Refused::Table(format!("row {}: {why}", self.records.len())))?);
        }
    }

    /// The fields of each row.
    pub(super) fn fields(&self) -> Result<Fields, headwater_types::field::FieldError> {
        Fields::new(self.columns.fields.iter().map(|(_, field)| field.clone()).collect())
    }
}

/// A row's label; -1 is how Hugging Face writes that there is none.
fn label((cells, row): Cell<'_>, names: Option<&[String]>) -> Result<Label, String> {
    let known = |number: u32| names.is_none_or(|names| (number as usize) < names.len());
    match (cells.scalar(row), cells.bytes(row)) {
        (Some(Scalar::Integer(-1)), _) | (None, None) => Ok(Label::Nothing),
        (Some(Scalar::Integer(number)), _) => match u32::try_from(number) {
            Ok(number) if known(number) => Ok(Label::Number(number)),
            _ => Err(format!("its label is {number}, which has no name in the file's own list of classes")),
        },
        (_, Some(name)) => match std::str::from_utf8(name) {
            Ok(name) => Ok(Label::Name(name.to_owned())),
            Err(_) => Err("its label is not UTF-8".to_owned()),
        },
        (Some(_), None) => Err("its label is no whole number".to_owned()),
    }
}

fn value((cells, row): Cell<'_>) -> FieldValue {
    match (cells.scalar(row), cells.bytes(row)) {
        (Some(Scalar::Integer(number)), _) => FieldValue::Integer(number),
        (Some(Scalar::Real(number)), _) => FieldValue::Number(number),
        (Some(Scalar::Flag(flag)), _) => FieldValue::Integer(i64::from(flag)),
        (None, Some(text)) => FieldValue::Text(String::from_utf8_lossy(text).into_owned()),
        (None, None) => FieldValue::Absent,
    }
}
