//! A labels file in CSV: RFC 4180 with a header, in UTF-8 with or without a byte order mark, with any line ends.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use headwater_types::FieldValue;
use headwater_types::caps::MAX_LABELS_ROW_BYTES;

use super::columns::{Columns, Wanted};
use super::error::{LabelsError, RowFault};
use super::kinds::Writing;
use super::reading::{Read, Reading};

/// Bytes that are given on before a row has ended, at most.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<usize>>,
    /// Whether the quotes so far are an odd number: at the end one is not closed, and the rows behind it are one cell.
    in_quotes: Rc<Cell<bool>>,
}

/// What the bytes of one row may be, with those of the next that the reader takes ahead.
const AHEAD: usize = 64 * 1024;

/// Reads a table whose columns are separated by this byte.
///
/// # Errors
/// See [`LabelsError`].
pub(super) fn read(from: impl io::Read, separator: u8, wanted: &Wanted) -> Result<Read, LabelsError> {
    let left = Rc::new(Cell::new(MAX_LABELS_ROW_BYTES + AHEAD));
    let in_quotes = Rc::new(Cell::new(false));
    let bounded = Bounded { inner: from, left: Rc::clone(&left), in_quotes: Rc::clone(&in_quotes) };
    let mut rows =
        ReaderBuilder::new().has_headers(false).delimiter(separator).buffer_capacity(AHEAD / 2).from_reader(bounded);
    let mut row = ByteRecord::new();
    if !rows.read_byte_record(&mut row).map_err(|error| LabelsError::Row { row: 0, reason: fault(error) })? {
        return Err(LabelsError::Empty);
    }
    let names = row.iter().enumerate().map(|(at, name)| {
        let name = if at == 0 { name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name) } else { name };
        text(name).map(str::to_owned).map_err(|reason| LabelsError::Row { row: 0, reason })
    });
    let mut reading = Reading::new(Columns::find(names.collect::<Result<_, _>>()?, wanted)?, Writing::Texts);
    loop {
        left.set(MAX_LABELS_ROW_BYTES + AHEAD);
        match rows.read_byte_record(&mut row) {
            Ok(false) if in_quotes.get() => {
                let words = "behind the last row a quote is not closed, or a cell has one quote alone: double it there";
                return Err(reading.fault(RowFault::Syntax(words.to_owned())));
            }
            Ok(false) => return reading.finish(),
            Ok(true) if row.as_slice().len() > MAX_LABELS_ROW_BYTES => return Err(reading.fault(RowFault::TooLong)),
            Ok(true) => push(&mut reading, &row)?,
            Err(error) => return Err(reading.fault(fault(error))),
        }
    }
}

fn push(reading: &mut Reading, row: &ByteRecord) -> Result<(), LabelsError> {
    let columns = reading.columns();
    let cell = |at: usize| text(row.get(at).unwrap_or_default()).map_err(|reason| reading.fault(reason));
    let (key, label) = (cell(columns.key)?, columns.label.map_or(Ok(""), cell)?);
    let value = |at: &usize| match cell(*at)? {
        "" => Ok(FieldValue::Absent),
        text => Ok(FieldValue::Text(text.to_owned())),
    };
    let cells = columns.fields.iter().map(value).collect::<Result<Vec<_>, LabelsError>>()?;
    reading.push(key, label, &cells)
}

fn text(cell: &[u8]) -> Result<&str, RowFault> {
    std::str::from_utf8(cell).map_err(|_| RowFault::NotUtf8)
}

/// What an error of the reader says of the row.
fn fault(error: csv::Error) -> RowFault {
    match error.into_kind() {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => RowFault::TooLong,
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            RowFault::Syntax(format!("it has {len} columns, and the header has {expected_len}"))
        }
        ErrorKind::Io(error) => RowFault::Syntax(error.to_string()),
        other => RowFault::Syntax(format!("{other:?}")),
    }
}

// === impl Bounded ===

impl<R: io::Read> io::Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = io::Read::take(&mut self.inner, left as u64).read(into)?;
        self.left.set(left - read);
        let quotes = into[..read].iter().filter(|byte| **byte == b'"').count();
        self.in_quotes.set(self.in_quotes.get() ^ (quotes % 2 == 1));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::FieldKind;

    use super::*;

    fn wanted(fields: &[&str]) -> Wanted {
        Wanted { fields: fields.iter().map(|&name| name.to_owned()).collect(), ..Wanted::default() }
    }

    fn error(text: &[u8]) -> String {
        read(text, b',', &wanted(&[])).unwrap_err().to_string()
    }

    #[test]
    fn quotes_line_ends_and_byte_order_marks_are_no_part_of_a_cell() {
        let text =
            b"\xef\xbb\xbfkey,\"label\",caption\r\n./b.jpg,dog,\"a \"\"dog\"\", twice\nover\"\r\na\\1.jpg,cat,\r\n";
        let read = read(&text[..], b',', &wanted(&["caption"])).unwrap();
        assert_eq!((read.labels, read.column.as_deref()), (vec!["dog".to_owned(), "cat".to_owned()], Some("label")));
        let table = read.table;
        assert_eq!((table.key(0), table.label(0)), ("a/1.jpg", 1));
        assert_eq!((table.key(1), table.label(1)), ("b.jpg", 0));
        let values = |at| headwater_types::field::Record::decode(table.record(at), &table.fields);
        assert_eq!(values(0).unwrap(), [FieldValue::Absent]);
        assert_eq!(values(1).unwrap(), [FieldValue::Text("a \"dog\", twice\nover".to_owned())]);
    }

    #[test]
    fn columns_of_numbers_are_numbers_in_every_row() {
        let text = b"key,label,n,x,name\na,0,1,2,01\nb,1,-3,0.5,2\n";
        let read = read(&text[..], b',', &wanted(&["n", "x", "name"])).unwrap();
        let kinds: Vec<_> = read.table.fields.iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [FieldKind::Integer, FieldKind::Number, FieldKind::Text]);
        let values = headwater_types::field::Record::decode(read.table.record(0), &read.table.fields).unwrap();
        assert_eq!(values, [FieldValue::Integer(1), FieldValue::Number(2.0), FieldValue::Text("01".into())]);
    }

    #[test]
    fn rows_that_cannot_be_right_are_refused_with_their_number() {
        assert_eq!(error(b"key,label\na,1\nb\n"), "row 2: it has 1 columns, and the header has 2");
        assert_eq!(error(b"key,label\na,1\n,2\n"), "row 2: it has no key");
        assert!(error(b"key,label\na,\xe9\n").starts_with("row 1: it is not UTF-8"));
        assert_eq!(error(b"key,label\n"), "it has no rows");
        assert_eq!(error(b""), "it has no rows");
        assert!(error(b"key,label\na,\"1\nb,2\nc,3\n").contains("a quote is not closed"));
        let twice = error(b"key,label\na,1\nb,1\na,2\n");
        assert_eq!(twice, "rows 1 and 3 are both of \"a\" and do not say the same: leave one out");
        assert_eq!(read(&b"key,label\na,1\na,1\n"[..], b',', &wanted(&[])).unwrap().table.len(), 1);
    }

    #[test]
    fn a_quote_that_is_not_closed_ends_at_the_limit() {
        let endless = io::Read::chain(&b"key,label\na,\"1"[..], io::repeat(b'\n'));
        let error = read(endless, b',', &wanted(&[])).unwrap_err().to_string();
        assert!(error.starts_with("row 1: it is longer than"), "{error}");
    }
}
