//! Columns of lists of numbers, read whole: fields of labels files.

use headwater_types::{FieldValue, SampleFailure};

use super::chunk::Chunk;
use super::fault::Fault;
use super::file::File;
use super::page::{Decoding, Elements};
use super::schema::{Leaf, Physical};
use super::small::{MAX_PAGE, near, page_of, take};
use super::table::blocking;
use super::values::Scalar;

/// Lists as they come: one may go on in the next page.
struct Lists {
    rows: Vec<FieldValue>,
    /// The definition level of an element, be it null.
    element: u32,
    /// The definition level of a value.
    value: u32,
    is_real: bool,
}

/// Reads a column whose rows are lists, in what is left of `room`. A row whose list is null is absent.
pub(super) async fn read(
    file: &File,
    chunk: &Chunk,
    leaf: &Leaf,
    room: &mut u64,
) -> Result<Vec<FieldValue>, SampleFailure> {
    let file = near(file, chunk).await?;
    let element = leaf.of_list.ok_or_else(|| Fault::Broken("a column has no lists").failure())?;
    let is_real = matches!(leaf.physical, Physical::Float | Physical::Double);
    let mut lists = Lists { rows: Vec::new(), element: u32::from(element), value: u32::from(leaf.optional), is_real };
    for page in file.pages(chunk).await? {
        let (bytes, dictionary) = page_of(&file, chunk, page, leaf).await?;
        let (leaf, codec) = (leaf.clone(), chunk.codec);
        let decoded =
            blocking(move || Decoding { leaf: &leaf, codec, room: MAX_PAGE }.decode_lists(&bytes, dictionary.as_ref()));
        let elements = decoded.await?.map_err(|fault| fault.failure())?;
        // Each row has a list of its own, and each element a number.
        take(room, elements.repetition.len() as u64 * (size_of::<FieldValue>() + size_of::<i64>()) as u64)?;
        lists.add(&elements).map_err(|fault| fault.failure())?;
    }
    Ok(lists.rows)
}

// === impl Lists ===

impl Lists {
    fn add(&mut self, elements: &Elements) -> Result<(), Fault> {
        let mut values = 0..;
        for (repetition, definition) in elements.repetition.iter().zip(&elements.definition) {
            if *repetition == 0 {
                self.rows.push(self.empty(*definition));
            }
            if *definition < self.element {
                continue;
            }
            let value = match *definition == self.value {
                true => values.next().and_then(|at| elements.values.scalar(at)),
                false => return Err(Fault::Unsupported("a list has an element that is null".to_owned())),
            };
            match (self.rows.last_mut(), value) {
                (Some(FieldValue::Integers(list)), Some(Scalar::Integer(value))) => list.push(value),
                (Some(FieldValue::Integers(list)), Some(Scalar::Flag(value))) => list.push(i64::from(value)),
                (Some(FieldValue::Numbers(list)), Some(Scalar::Real(value))) => list.push(value),
                _ => return Err(Fault::Broken("a list has elements before its first, or none of its kind")),
            }
        }
        Ok(())
    }

    /// The list of a row that begins with this definition level: none, where it is that of no list.
    fn empty(&self, definition: u32) -> FieldValue {
        match (definition + 1 < self.element, self.is_real) {
            (true, _) => FieldValue::Absent,
            (false, true) => FieldValue::Numbers(Vec::new()),
            (false, false) => FieldValue::Integers(Vec::new()),
        }
    }
}
