//! The dataset's own fields of a batch's rows, as Python has them: int, float, str, a NumPy array, or None.

use headwater_client::BatchRow;
use headwater_types::FieldValue;
use numpy::IntoPyArray as _;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList, PyString};

/// Takes the values of so many fields out of the rows: for each field one value a row.
pub(crate) fn of<'py>(py: Python<'py>, rows: &mut [BatchRow], fields: usize) -> PyResult<Vec<Bound<'py, PyList>>> {
    of_values(py, rows.iter_mut().map(|row| std::mem::take(&mut row.fields)), fields)
}

/// The values of so many fields, of which each row has one: for each field one value a row.
pub(crate) fn of_values(
    py: Python<'_>,
    rows: impl ExactSizeIterator<Item = Vec<FieldValue>>,
    fields: usize,
) -> PyResult<Vec<Bound<'_, PyList>>> {
    let mut columns: Vec<Vec<Py<PyAny>>> = (0..fields).map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        let mut values = row.into_iter();
        for column in &mut columns {
            // A sample that failed may have none.
            column.push(value(py, values.next().unwrap_or_default())?);
        }
    }
    columns.into_iter().map(|column| PyList::new(py, column)).collect()
}

fn value(py: Python<'_>, value: FieldValue) -> PyResult<Py<PyAny>> {
    Ok(match value {
        FieldValue::Absent => py.None(),
        FieldValue::Integer(whole) => PyInt::new(py, whole).into_any().unbind(),
        FieldValue::Number(number) => PyFloat::new(py, number).into_any().unbind(),
        FieldValue::Text(text) => PyString::new(py, &text).into_any().unbind(),
        FieldValue::Integers(list) => list.into_pyarray(py).into_any().unbind(),
        FieldValue::Numbers(list) => list.into_pyarray(py).into_any().unbind(),
    })
}
