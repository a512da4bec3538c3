//! The rows of a labels file as they come, whatever its format: keys, labels and cells, checked and counted.

use std::collections::HashMap;

use headwater_types::FieldValue;
use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES};
use headwater_types::field::Record;

use super::columns::Columns;
use super::error::{LabelsError, RowFault};
use super::kinds::Writing;
use super::table::{NO_LABEL, Rows, Table};

/// Gathers the rows of one file.
#[derive(Debug)]
pub(crate) struct Reading {
    columns: Columns,
    rows: Rows,
    numbers: HashMap<String, u32>,
    last: (String, u32),
}

/// What a labels file says: its rows, its different labels, and the columns that it has beside.
#[derive(Debug)]
pub(crate) struct Read {
    pub(super) table: Table,
    /// The different labels, in the order of their numbers in the table.
    pub(super) labels: Vec<String>,
    /// The column of labels, where there is one.
    pub(super) column: Option<String>,
    /// The columns that nobody asked for.
    pub(crate) unused: Vec<String>,
}

// === impl Read ===

impl Read {
    /// The number of different keys.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Key, label and values of each row, in the order of the keys.
    #[cfg(test)]
    pub(crate) fn said(&self) -> Vec<(String, Option<String>, Vec<FieldValue>)> {
        let label = |at| self.labels.get(self.table.label(at) as usize).cloned();
        let values = |at| Record::decode(self.table.record(at), &self.table.fields).unwrap_or_default();
        (0..self.len()).map(|at| (self.table.key(at).to_owned(), label(at), values(at))).collect()
    }
}

// === impl Reading ===

impl Reading {
    pub(crate) fn new(columns: Columns, writing: Writing) -> Self {
        let rows = Rows::new(columns.fields.len(), writing);
        Self { columns, rows, numbers: HashMap::new(), last: (String::new(), NO_LABEL) }
    }

    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Takes in one row. An empty label is none.
    ///
    /// # Errors
    /// What keeps the row, and so the file, from being used.
    pub(crate) fn push(&mut self, key: &str, label: &str, cells: &[FieldValue]) -> Result<(), LabelsError> {
        if self.rows.len() as u64 >= MAX_SAMPLES {
            return Err(LabelsError::TooManyRows);
        }
        let key = key.trim_start_matches("./");
        if key.is_empty() {
            return Err(self.fault(RowFault::NoKey));
        }
        let label = self.number(label)?;
        let record = Record::of(cells).map_err(|error| self.fault(error.into()))?;
        for (kinds, cell) in self.rows.kinds.iter_mut().zip(cells) {
            kinds.narrow(cell, self.rows.writing);
        }
        match key.contains('\\') {
            // Written on Windows.
            true => self.rows.push(&key.replace('\\', "/"), label, &record),
            false => self.rows.push(key, label, &record),
        }
        Ok(())
    }

    /// An error about the row that is read.
    pub(crate) fn fault(&self, reason: RowFault) -> LabelsError {
        LabelsError::Row { row: self.rows.len() as u64 + 1, reason }
    }

    /// Sorts what was read.
    ///
    /// # Errors
    /// No rows; those of [`Table::sorted`].
    pub(crate) fn finish(self) -> Result<Read, LabelsError> {
        if self.rows.len() == 0 {
            return Err(LabelsError::Empty);
        }
        let names: Vec<_> = self.columns.fields.iter().map(|at| self.columns.name(*at)).collect();
        let table = Table::sorted(self.rows, &names)?;
        let mut labels = vec![String::new(); self.numbers.len()];
        for (label, number) in self.numbers {
            labels[number as usize] = label;
        }
        let column = self.columns.label.map(|at| self.columns.name(at).to_owned());
        let unused = self.columns.unused().into_iter().map(str::to_owned).collect();
        Ok(Read { table, labels, column, unused })
    }

    /// The number of a label among the different ones.
    fn number(&mut self, label: &str) -> Result<u32, LabelsError> {
        if label.is_empty() {
            return Ok(NO_LABEL);
        }
        if self.last.0 == label && self.last.1 != NO_LABEL {
            return Ok(self.last.1);
        }
        let next = self.numbers.len();
        let number = match self.numbers.get(label) {
            Some(number) => *number,
            None if next >= MAX_CLASSES => {
                let column = self.columns.label.map_or("", |at| self.columns.name(at));
                return Err(LabelsError::TooManyClasses(column.to_owned()));
            }
            None => {
                // At most MAX_CLASSES.
                self.numbers.insert(label.to_owned(), next as u32);
                next as u32
            }
        };
        self.last = (label.to_owned(), number);
        Ok(number)
    }
}
