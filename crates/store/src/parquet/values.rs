//! The values of a column, as a page or a dictionary has them: nulls included, in the order of their rows.

use bytes::Bytes;

use super::delta;
use super::fault::Fault;
use super::hybrid::{self, Bits};
use super::schema::Physical;
use super::spans::{Spans, exact};

const PLAIN: i64 = 0;
const RUNS: i64 = 3;
const DELTA_BINARY: i64 = 5;
const DELTA_LENGTH: i64 = 6;
const DELTA_BYTES: i64 = 7;

/// One value of a small column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    Integer(i64),
    Real(f64),
    Flag(bool),
}

/// Values, without the nulls between them.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Bytes(Spans),
    Scalars(Vec<Scalar>),
}

/// The values of a page, one for each of its rows.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    values: Values,
    /// The position of each row's value; empty where no row's is null.
    places: Vec<Option<u32>>,
}

// === impl Values ===

impl Values {
    /// Reads `count` values. `dictionary` is that of the page's chunk, where the values are positions in it. Values
    /// that take more memory than `room` beside `bytes` are refused.
    pub(super) fn read(
        bytes: &Bytes,
        encoding: i64,
        count: usize,
        physical: Physical,
        dictionary: Option<&Self>,
        room: u64,
    ) -> Result<Self, Fault> {
        match (encoding, physical) {
            (encoding, _) if is_dictionary(encoding) && dictionary.is_some() => {
                let dictionary = dictionary.ok_or(Fault::Short("its dictionary"))?;
                dictionary.at(&positions(bytes, count)?)
            }
            (PLAIN, Physical::Bytes) => Spans::plain(bytes, count).map(Self::Bytes),
            (DELTA_LENGTH, Physical::Bytes) => Spans::delta_length(bytes, count).map(Self::Bytes),
            (DELTA_BYTES, Physical::Bytes) => Spans::delta_bytes(bytes, count, room).map(Self::Bytes),
            (PLAIN, physical) => plain_scalars(bytes, count, physical).map(Self::Scalars),
            (RUNS, Physical::Boolean) => {
                let flags = hybrid::read(bytes.get(4..).unwrap_or_default(), 1, count)?;
                Ok(Self::Scalars(flags.into_iter().map(|flag| Scalar::Flag(flag == 1)).collect()))
            }
            (DELTA_BINARY, Physical::Int32 | Physical::Int64) => {
                let (numbers, _) = delta::read(bytes, count)?;
                exact(numbers.len(), count)?;
                Ok(Self::Scalars(numbers.into_iter().map(Scalar::Integer).collect()))
            }
            (encoding, _) => Err(Fault::Unsupported(format!(
                "its values are in encoding {encoding} of the format, which is not read here: write it with pyarrow's \
                 defaults"
            ))),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bytes(spans) => spans.all().len(),
            Self::Scalars(scalars) => scalars.len(),
        }
    }

    /// The values at these positions.
    fn at(&self, positions: &[u32]) -> Result<Self, Fault> {
        fn pick<T: Clone>(all: &[T], positions: &[u32]) -> Result<Vec<T>, Fault> {
            let picked = positions.iter().map(|&position| all.get(position as usize).cloned());
            picked.collect::<Option<_>>().ok_or(Fault::Broken("a value lies outside its dictionary"))
        }
        Ok(match self {
            Self::Bytes(spans) => Self::Bytes(spans.with(pick(spans.all(), positions)?)),
            Self::Scalars(scalars) => Self::Scalars(pick(scalars, positions)?),
        })
    }
}

// === impl Cells ===

impl Cells {
    /// The values of a page in which each row has one.
    pub(super) fn full(values: Values) -> Self {
        Self { values, places: Vec::new() }
    }

    /// The values of a page in which these rows have one.
    pub(super) fn some(values: Values, present: impl Iterator<Item = bool>) -> Self {
        let mut next = 0;
        let place = |is_there: bool| {
            let place = is_there.then_some(next);
            next += u32::from(is_there);
            place
        };
        let places = present.map(place).collect();
        Self { values, places }
    }

    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        if self.places.is_empty() { self.values.len() } else { self.places.len() }
    }

    /// The bytes of a row; `None` where it is null, or is no bytes.
    pub(crate) fn bytes(&self, row: usize) -> Option<&[u8]> {
        let Values::Bytes(spans) = &self.values else { return None };
        spans.get(self.place(row)?)
    }

    /// The number of a row; `None` where it is null, or is none.
    pub(super) fn scalar(&self, row: usize) -> Option<Scalar> {
        let Values::Scalars(scalars) = &self.values else { return None };
        scalars.get(self.place(row)?).copied()
    }

    /// The memory that is held, in bytes.
    pub(super) fn memory(&self) -> u64 {
        let values = match &self.values {
            Values::Bytes(spans) => spans.memory(),
            Values::Scalars(scalars) => size_of_val(&**scalars),
        };
        (values + self.places.capacity() * size_of::<Option<u32>>()) as u64
    }

    fn place(&self, row: usize) -> Option<usize> {
        if self.places.is_empty() { Some(row) } else { (*self.places.get(row)?).map(|place| place as usize) }
    }
}

/// Whether values are positions in a dictionary.
pub(super) fn is_dictionary(encoding: i64) -> bool {
    matches!(encoding, 2 | 8)
}

fn positions(bytes: &[u8], count: usize) -> Result<Vec<u32>, Fault> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let (&width, rest) = bytes.split_first().ok_or(Fault::Short("the positions in a page"))?;
    hybrid::read(rest, u32::from(width), count)
}

fn plain_scalars(bytes: &[u8], count: usize, physical: Physical) -> Result<Vec<Scalar>, Fault> {
    let short = || Fault::Short("a number in a page");
    let fixed = |width: usize| bytes.get(..count.saturating_mul(width)).ok_or_else(short);
    let four = |bytes: &[u8]| bytes.first_chunk().copied().unwrap_or_default();
    let eight = |bytes: &[u8]| bytes.first_chunk().copied().unwrap_or_default();
    let each = |width: usize, read: &dyn Fn(&[u8]) -> Scalar| Ok(fixed(width)?.chunks_exact(width).map(read).collect());
    match physical {
        Physical::Int32 => each(4, &|bytes| Scalar::Integer(i32::from_le_bytes(four(bytes)).into())),
        Physical::Int64 => each(8, &|bytes| Scalar::Integer(i64::from_le_bytes(eight(bytes)))),
        Physical::Float => each(4, &|bytes| Scalar::Real(f32::from_le_bytes(four(bytes)).into())),
        Physical::Double => each(8, &|bytes| Scalar::Real(f64::from_le_bytes(eight(bytes)))),
        Physical::Boolean => {
            let mut bits = Bits::new(bytes.get(..count.div_ceil(8)).ok_or_else(short)?);
            Ok((0..count).map(|_| Scalar::Flag(bits.next(1) == 1)).collect())
        }
        Physical::Bytes | Physical::Other => {
            Err(Fault::Unsupported("a column has values that are not read here".to_owned()))
        }
    }
}
