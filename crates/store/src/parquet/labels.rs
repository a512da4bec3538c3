//! Labels files in Parquet: their columns of keys, labels and fields, row group by row group.

use headwater_types::FieldValue;
use headwater_types::caps::{MAX_LABELS_BYTES, MAX_LABELS_ROW_BYTES, MAX_SAMPLES};
use tracing::info;

use super::chunk::Chunk;
use super::file::{self, File};
use super::footer::{Footer, Group};
use super::huggingface::Features;
use super::lists;
use super::schema::{Leaf, Physical};
use super::small::{self, Cell, Values};
use super::values::Scalar;
use super::whole::Whole;
use crate::labels::{Columns, LabelsError, Read, Reading, RowFault, Wanted, Writing};

/// What is read of the file: its columns of keys, of labels where there is one, and of fields.
struct Chosen {
    reading: Reading,
    columns: Vec<Column>,
    is_labelled: bool,
    /// What its texts may still have.
    left: u64,
}

/// A column that is read.
struct Column {
    leaf: Leaf,
    name: String,
    /// Whether -1 says that there is no value, as `datasets` writes it.
    has_none: bool,
}

/// A column's values in a row group.
enum Cells {
    One(Values),
    Lists(Vec<FieldValue>),
}

/// Reads the table. A key or a label that is a number is written in decimal, NaN is no label, and `true` is 1.
///
/// # Errors
/// See [`LabelsError`].
pub(crate) async fn read(whole: Whole, wanted: &Wanted) -> Result<Read, LabelsError> {
    let file = whole.file()?;
    let (mut chosen, _, groups) = file::open(&file, MAX_SAMPLES, |footer| Chosen::of(footer, wanted)).await?;
    let stopped = |error: tokio::task::JoinError| LabelsError::Io(error.to_string());
    for group in groups {
        let cells = chosen.cells(&file, &group).await?;
        let pushed = move || chosen.push(&group, &cells).map(|()| chosen);
        chosen = tokio::task::spawn_blocking(pushed).await.map_err(stopped)??;
    }
    tokio::task::spawn_blocking(move || chosen.reading.finish()).await.map_err(stopped)?
}

// === impl Chosen ===

impl Chosen {
    /// Chooses by the names of columns; gives the places of the chosen ones too.
    fn of(footer: &Footer, wanted: &Wanted) -> Result<(Self, Vec<usize>), LabelsError> {
        let found = Columns::find(footer.columns.iter().map(name).collect(), wanted)?;
        let features = Features::read(footer.huggingface.as_deref());
        let column = |at: usize| {
            let leaf = footer.columns[at].clone();
            let name = name(&leaf);
            Column { has_none: features.names(&name).is_some(), leaf, name }
        };
        let places: Vec<_> = [found.key].into_iter().chain(found.label).chain(found.fields.iter().copied()).collect();
        let columns: Vec<_> = places.iter().map(|at| column(*at)).collect();
        let is_labelled = found.label.is_some();
        let ones = 1 + usize::from(is_labelled);
        columns[..ones].iter().try_for_each(Column::check_one)?;
        columns[ones..].iter().try_for_each(Column::check)?;
        if let Some(column) = columns[..ones].iter().find(|column| column.has_none) {
            info!(column = column.name, "the file's own names of classes are not taken: pin them with --classes");
        }
        let reading = Reading::new(found, Writing::Typed);
        Ok((Self { reading, columns, is_labelled, left: MAX_LABELS_BYTES.get() }, places))
    }

    async fn cells(&self, file: &File, group: &Group) -> Result<Vec<Cells>, LabelsError> {
        let (mut room, mut cells) = (small::room(), Vec::new());
        for (column, chunk) in self.columns.iter().zip(&group.chunks) {
            cells.push(column.read(file, group, chunk, &mut room).await?);
        }
        Ok(cells)
    }

    fn push(&mut self, group: &Group, cells: &[Cells]) -> Result<(), LabelsError> {
        let mut rows: Vec<_> = self.columns.iter().zip(cells).map(|(column, cells)| cells.iter(column)).collect();
        for _ in 0..group.rows {
            let next = |values: &mut Iter<'_>| values.next().unwrap_or(Ok(FieldValue::Absent));
            let row = rows.iter_mut().map(next).collect::<Result<Vec<_>, _>>();
            let row = row.map_err(|reason| self.reading.fault(reason))?;
            let (key, rest) = row.split_first().ok_or(LabelsError::Empty)?;
            let (label, fields) = rest.split_at(usize::from(self.is_labelled).min(rest.len()));
            let (key, label) = (plain(key), label.first().map(plain).unwrap_or_default());
            let bytes = key.len() + label.len();
            if bytes > MAX_LABELS_ROW_BYTES {
                return Err(self.reading.fault(RowFault::TooLong));
            }
            let texts = fields.iter().map(|value| if let FieldValue::Text(text) = value { text.len() } else { 8 });
            let bytes = (bytes + texts.sum::<usize>()) as u64;
            self.left = self.left.checked_sub(bytes).ok_or(LabelsError::TooLarge(MAX_LABELS_BYTES.get() + 1))?;
            self.reading.push(&key, &label, fields)?;
        }
        Ok(())
    }
}

// === impl Column ===

impl Column {
    /// Refuses what has not one text or number in each row.
    fn check_one(&self) -> Result<(), LabelsError> {
        if self.leaf.is_repeated { Err(self.wrong("lists: keys and labels are text or numbers")) } else { self.check() }
    }

    /// Refuses what can be no field.
    fn check(&self) -> Result<(), LabelsError> {
        let is_list = self.leaf.is_repeated;
        match self.leaf.physical {
            _ if is_list && self.leaf.of_list.is_none() => Err(self.wrong("lists of lists")),
            Physical::Bytes if is_list => Err(self.wrong("lists of something else than numbers")),
            Physical::Bytes if !self.leaf.is_text => Err(self.wrong("bytes that are no text: leave it out")),
            Physical::Other => Err(self.wrong("values that are not read here: write them as text or numbers")),
            _ => Ok(()),
        }
    }

    fn wrong(&self, what: &'static str) -> LabelsError {
        LabelsError::Values { column: self.name.clone(), what }
    }

    async fn read(&self, file: &File, group: &Group, chunk: &Chunk, room: &mut u64) -> Result<Cells, LabelsError> {
        if self.leaf.is_repeated {
            return Ok(Cells::Lists(lists::read(file, chunk, &self.leaf, room).await?));
        }
        Ok(Cells::One(Values::read(file, group, chunk, &self.leaf, room).await?))
    }

    fn value(&self, (cells, row): Cell<'_>) -> Result<FieldValue, RowFault> {
        Ok(match (cells.scalar(row), cells.bytes(row)) {
            (Some(Scalar::Integer(-1)), _) if self.has_none => FieldValue::Absent,
            (Some(Scalar::Integer(number)), _) => FieldValue::Integer(self.signed(number)?),
            (Some(Scalar::Real(number)), _) => FieldValue::Number(number),
            (Some(Scalar::Flag(flag)), _) => FieldValue::Integer(i64::from(flag)),
            (None, Some(text)) => {
                FieldValue::Text(std::str::from_utf8(text).map_err(|_| RowFault::NotUtf8)?.to_owned())
            }
            (None, None) => FieldValue::Absent,
        })
    }

    /// A whole number as it was meant: those without a sign are stored as if they had one.
    fn signed(&self, number: i64) -> Result<i64, RowFault> {
        match (number, self.leaf.unsigned_bits) {
            (0.., _) | (_, 0) => Ok(number),
            (_, 64) => Err(RowFault::Value { column: self.name.clone(), what: "a number that is too large" }),
            (_, bits) => Ok(number & ((1 << bits) - 1)),
        }
    }
}

// === impl Cells ===

type Iter<'a> = Box<dyn Iterator<Item = Result<FieldValue, RowFault>> + 'a>;

impl Cells {
    fn iter<'a>(&'a self, column: &'a Column) -> Iter<'a> {
        match self {
            Self::One(values) => Box::new(values.iter().map(|cell| column.value(cell))),
            Self::Lists(lists) => Box::new(lists.iter().cloned().map(Ok)),
        }
    }
}

/// A list is named as its column: `tags`, not `tags.list.element`.
fn name(leaf: &Leaf) -> String {
    if leaf.is_repeated && leaf.path.len() == 3 { leaf.path[0].clone() } else { leaf.name() }
}

/// A key or a label as text.
fn plain(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Number(number) if !number.is_nan() => number.to_string(),
        _ => String::new(),
    }
}
