//! A labels file in JSON Lines: an object in each line, whose names are the columns.

use std::io::{BufRead, BufReader, Read as _};

use headwater_types::FieldValue;
use headwater_types::caps::MAX_LABELS_ROW_BYTES;
use serde_json::{Map, Value};

use super::columns::{Columns, Wanted};
use super::error::{LabelsError, RowFault};
use super::kinds::Writing;
use super::reading::{Read, Reading};

/// Reads a table. Its columns are the names of the first object.
///
/// # Errors
/// See [`LabelsError`].
pub(super) fn read(from: impl std::io::Read, wanted: &Wanted) -> Result<Read, LabelsError> {
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    let mut reading: Option<Reading> = None;
    loop {
        let at_row = |reason| match &reading {
            Some(reading) => reading.fault(reason),
            None => LabelsError::Row { row: 1, reason },
        };
        if !next(&mut lines, &mut line).map_err(at_row)? {
            break;
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            continue;
        }
        let row = object(text).map_err(at_row)?;
        let reading = match &mut reading {
            Some(reading) => reading,
            none => {
                let columns = Columns::find(row.keys().cloned().collect(), wanted)?;
                none.insert(Reading::new(columns, Writing::Typed))
            }
        };
        push(reading, row)?;
    }
    reading.ok_or(LabelsError::Empty)?.finish()
}

/// Reads the next line, at most so long; `false` at the end.
fn next(lines: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, RowFault> {
    line.clear();
    let most = MAX_LABELS_ROW_BYTES as u64 + 1;
    let read = lines.take(most).read_until(b'\n', line).map_err(|error| RowFault::Syntax(error.to_string()))?;
    if read > MAX_LABELS_ROW_BYTES { Err(RowFault::TooLong) } else { Ok(read > 0) }
}

fn object(text: &[u8]) -> Result<Map<String, Value>, RowFault> {
    let text = std::str::from_utf8(text).map_err(|_| RowFault::NotUtf8)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(RowFault::Syntax("it is no object: each line is one, as {\"key\": …, \"label\": …}".to_owned())),
        Err(error) => Err(RowFault::Syntax(format!("{error}: each line is an object of JSON by itself"))),
    }
}

fn push(reading: &mut Reading, mut row: Map<String, Value>) -> Result<(), LabelsError> {
    let columns = reading.columns();
    let mut read = || {
        let fields = columns.fields.iter();
        let cells =
            fields.map(|at| value(columns.name(*at), row.get(columns.name(*at)))).collect::<Result<Vec<_>, _>>();
        let mut text = |at: usize, what| plain(columns.name(at), row.remove(columns.name(at)), what);
        let label =
            columns.label.map_or(Ok(String::new()), |at| text(at, "no text and no number: name a column of them"));
        Ok((text(columns.key, "no text and no number")?, label?, cells?))
    };
    let (key, label, cells) = read().map_err(|reason| reading.fault(reason))?;
    reading.push(&key, &label, &cells)
}

/// A key or a label as text: a number is written as in the file.
fn plain(column: &str, value: Option<Value>, what: &'static str) -> Result<String, RowFault> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(truth)) => Ok(truth.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(RowFault::Value { column: column.to_owned(), what }),
    }
}

/// The value of a field. `true` is 1 and `false` is 0.
fn value(column: &str, value: Option<&Value>) -> Result<FieldValue, RowFault> {
    let wrong = |what| RowFault::Value { column: column.to_owned(), what };
    Ok(match value {
        None | Some(Value::Null) => FieldValue::Absent,
        Some(Value::String(text)) => FieldValue::Text(text.clone()),
        Some(Value::Array(items)) => list(items).ok_or_else(|| wrong("a list of something else than numbers"))?,
        Some(Value::Object(_)) => return Err(wrong("an object: fields are numbers, texts and lists of numbers")),
        Some(one) => match whole(one) {
            Some(whole) => FieldValue::Integer(whole),
            None => FieldValue::Number(one.as_f64().ok_or_else(|| wrong("a number that is too large"))?),
        },
    })
}

fn list(items: &[Value]) -> Option<FieldValue> {
    if let Some(integers) = items.iter().map(whole).collect() {
        return Some(FieldValue::Integers(integers));
    }
    items.iter().map(Value::as_f64).collect::<Option<_>>().map(FieldValue::Numbers)
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_bool().map(i64::from))
}

#[cfg(test)]
mod tests {
    use headwater_types::field::Record;

    use super::*;

    fn error(text: &str) -> String {
        let wanted = Wanted { fields: vec!["x".to_owned()], ..Wanted::default() };
        read(text.as_bytes(), &wanted).unwrap_err().to_string()
    }

    #[test]
    fn values_keep_their_kinds_and_absent_ones_are_absent() {
        let text =
            "\u{feff}{\"key\": \"b\", \"label\": 3, \"tags\": [1, 0], \"x\": 1}\r\n\n{\"x\": 0.5, \"key\": \"a\"}\n";
        let wanted = Wanted { fields: vec!["tags".to_owned(), "x".to_owned()], ..Wanted::default() };
        let read = read(text.as_bytes(), &wanted).unwrap();
        assert_eq!(read.labels, ["3"]);
        let table = read.table;
        let values = |at| Record::decode(table.record(at), &table.fields).unwrap();
        assert_eq!((table.key(0), table.label(0)), ("a", super::super::table::NO_LABEL));
        assert_eq!(values(0), [FieldValue::Absent, FieldValue::Number(0.5)]);
        assert_eq!(values(1), [FieldValue::Integers(vec![1, 0]), FieldValue::Number(1.0)]);
    }

    #[test]
    fn lines_that_cannot_be_right_are_refused_with_their_number() {
        let first = "{\"key\": \"a\", \"x\": 1}\n";
        assert!(error("[{\"key\": 1}]").starts_with("row 1: it is no object"));
        assert!(error(&format!("{first}{{")).starts_with("row 2: EOF"));
        let of_x = |value: &str| error(&format!("{{\"key\": \"a\", \"x\": {value}}}"));
        assert_eq!(of_x("[\"t\"]"), "row 1: column \"x\" has a list of something else than numbers");
        assert!(of_x("{}").contains("an object"));
        assert_eq!(error(&format!("{first}{{\"x\": 1}}")), "row 2: it has no key");
        let mixed = error(&format!("{first}{{\"key\": \"b\", \"x\": \"t\"}}"));
        assert!(mixed.starts_with("the values of column \"x\" are of several kinds"), "{mixed}");
        let long = format!("{first}{{\"key\": \"{}\"}}", "k".repeat(MAX_LABELS_ROW_BYTES));
        assert!(error(&long).starts_with("row 2: it is longer than"));
        assert!(error(&"[".repeat(100_000)).starts_with("row 1: recursion limit"));
    }
}
