//! The columns of a file: the leaves of its schema.

use super::fault::Fault;
use super::thrift::{Field, Thrift};

/// How many parts a schema may have, groups included.
pub(super) const MAX_ELEMENTS: usize = 20_000;
/// How deep a column may lie. Photos lie at depth 2; lists of structures at 5.
const MAX_DEPTH: usize = 32;

/// How a column's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Physical {
    Boolean,
    Int32,
    Int64,
    Float,
    Double,
    Bytes,
    /// Types that neither photos, labels nor keys have.
    Other,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its name, and before it those of the groups that it lies in.
    pub(super) path: Vec<String>,
    pub(super) physical: Physical,
    /// Whether bytes are text.
    pub(super) is_text: bool,
    /// How many of the parts of its path may be null: the definition level of a value that is there.
    pub(super) optional: u8,
    /// Whether a row may have several values.
    pub(super) is_repeated: bool,
    /// Of a column that is repeated once: the definition level of an element of its lists, be it null.
    pub(super) of_list: Option<u8>,
    /// The bits of whole numbers that have no sign; 0 of others.
    pub(super) unsigned_bits: u8,
}

/// A part of a schema, as it stands in a footer: a group, followed by its children, or a column.
#[derive(Debug, Default)]
pub(super) struct Element {
    name: String,
    physical: Option<i64>,
    repetition: i64,
    children: u64,
    is_text: bool,
    is_decimal: bool,
    unsigned_bits: u8,
}

/// A group whose children are being read.
struct Open {
    name: String,
    left: u64,
    optional: u8,
    is_repeated: bool,
    of_list: Option<u8>,
}

// === impl Leaf ===

impl Leaf {
    /// The name as it is written in settings and messages: `image.bytes`.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

// === impl Element ===

impl Element {
    pub(super) fn read(thrift: &mut Thrift<'_>) -> Result<Self, Fault> {
        let mut element = Self::default();
        thrift.structure(|thrift, field| element.take(thrift, field))?;
        Ok(element)
    }

    fn take(&mut self, thrift: &mut Thrift<'_>, field: Field) -> Result<(), Fault> {
        match field.id {
            1 => self.physical = Some(thrift.integer(field)?),
            3 => self.repetition = thrift.integer(field)?,
            4 => thrift.text(field)?.clone_into(&mut self.name),
            5 => self.children = thrift.natural(field)?,
            6 => {
                let converted = thrift.integer(field)?;
                // UTF8, ENUM and JSON.
                self.is_text |= matches!(converted, 0 | 4 | 19);
                self.is_decimal |= converted == 5;
                // UINT_8 to UINT_64: writers of the logical type write these too.
                self.unsigned_bits = match converted {
                    11..=14 => 8 << (converted - 11),
                    _ => 0,
                };
            }
            // The logical type is a union: STRING, ENUM and JSON.
            10 => thrift.structure(|thrift, kind| {
                self.is_text |= matches!(kind.id, 1 | 4 | 12);
                self.is_decimal |= kind.id == 5;
                thrift.skip(kind)
            })?,
            _ => thrift.skip(field)?,
        }
        Ok(())
    }

    fn physical(&self) -> Physical {
        match self.physical {
            // Its whole numbers are not the value.
            _ if self.is_decimal => Physical::Other,
            Some(0) => Physical::Boolean,
            Some(1) => Physical::Int32,
            Some(2) => Physical::Int64,
            Some(4) => Physical::Float,
            Some(5) => Physical::Double,
            Some(6) => Physical::Bytes,
            _ => Physical::Other,
        }
    }
}

/// The columns of a schema, in its order, which is that of the chunks in each row group.
pub(super) fn leaves(elements: Vec<Element>) -> Result<Vec<Leaf>, Fault> {
    let mut elements = elements.into_iter();
    let root = elements.next().ok_or(Fault::Short("its schema"))?;
    let (optional, is_repeated, of_list) = Default::default();
    let mut open = vec![Open { name: root.name, left: root.children, optional, is_repeated, of_list }];
    let mut leaves = Vec::new();
    for element in elements {
        while open.last().is_some_and(|group| group.left == 0) {
            open.pop();
        }
        let group = open.last_mut().ok_or(Fault::Broken("its schema has parts that belong to no group"))?;
        group.left -= 1;
        let optional = group.optional + u8::from(element.repetition != 0);
        let is_repeated = group.is_repeated || element.repetition == 2;
        let of_list = match element.repetition {
            // Lists of lists are no lists of values.
            2 => (!group.is_repeated).then_some(optional),
            _ => group.of_list,
        };
        if element.children > 0 {
            let (name, left) = (element.name, element.children);
            open.push(Open { name, left, optional, is_repeated, of_list });
        } else {
            let path = open.iter().skip(1).map(|group| group.name.clone());
            let (physical, is_text, unsigned_bits) = (element.physical(), element.is_text, element.unsigned_bits);
            let path = path.chain([element.name]).collect();
            leaves.push(Leaf { path, physical, is_text, optional, is_repeated, of_list, unsigned_bits });
        }
        if open.len() > MAX_DEPTH {
            return Err(Fault::Broken("its schema has groups too deep within each other"));
        }
    }
    if open.iter().any(|group| group.left > 0) { Err(Fault::Short("its schema")) } else { Ok(leaves) }
}
