//! Thrift's compact protocol, as far as Parquet's footers and page headers use it.
//!
//! It reads a slice and nothing else: no recursion without an end, and no memory by what the bytes claim. The `parquet`
//! crate's own reader follows nested schemas by recursion and takes memory for as many children as a footer names,
//! which a hostile footer turns into a stack overflow or an abort, and neither can be caught.
//!
//! Format: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

use super::fault::Fault;

/// How deep structures may lie within each other, where they are only skipped.
const MAX_DEPTH: u8 = 16;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// A cursor over encoded bytes.
#[derive(Clone, Debug)]
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The number and type of a structure's field, of which the value comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) id: i64,
    kind: u8,
}

// === impl Thrift ===

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The number of bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Reads a structure: `each` must read or skip the value of every field.
    pub(super) fn structure(
        &mut self,
        mut each: impl FnMut(&mut Self, Field) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut id = 0;
        while let Some(field) = self.field(id)? {
            id = field.id;
            each(self, field)?;
        }
        Ok(())
    }

    /// Reads a list of structures, at most so many: `each` reads one.
    pub(super) fn structures(
        &mut self,
        field: Field,
        most: usize,
        mut each: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        field.must_be(&[LIST])?;
        let (kind, length) = self.list()?;
        Field { kind, ..field }.must_be(&[STRUCT])?;
        if length > most {
            return Err(Fault::Broken("a list in it is longer than is read here"));
        }
        (0..length).try_for_each(|_| each(self))
    }

    /// A whole number of any width.
    pub(super) fn integer(&mut self, field: Field) -> Result<i64, Fault> {
        field.must_be(&[BYTE, 4, 5, I64])?;
        if field.kind == BYTE { Ok(i64::from(self.byte()?.cast_signed())) } else { self.zigzag() }
    }

    /// A whole number that may not be negative.
    pub(super) fn natural(&mut self, field: Field) -> Result<u64, Fault> {
        u64::try_from(self.integer(field)?).map_err(|_| Fault::Broken("a size or a count in it is negative"))
    }

    /// A truth value, which is part of its field's type.
    pub(super) fn flag(&self, field: Field) -> Result<bool, Fault> {
        field.must_be(&[TRUE, FALSE])?;
        Ok(field.kind == TRUE)
    }

    pub(super) fn binary(&mut self, field: Field) -> Result<&'a [u8], Fault> {
        field.must_be(&[BINARY])?;
        let length = self.varint()?;
        self.take(length)
    }

    pub(super) fn text(&mut self, field: Field) -> Result<&'a str, Fault> {
        std::str::from_utf8(self.binary(field)?).map_err(|_| Fault::Broken("a name in it is not UTF-8"))
    }

    /// Skips the value of a field.
    pub(super) fn skip(&mut self, field: Field) -> Result<(), Fault> {
        self.skip_kind(field.kind, MAX_DEPTH)
    }

    fn field(&mut self, last: i64) -> Result<Option<Field>, Fault> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let id = if head >> 4 == 0 { self.zigzag()? } else { last.saturating_add(i64::from(head >> 4)) };
        Ok(Some(Field { id, kind: head & 15 }))
    }

    /// The type of a list's elements, and their number, of which each takes a byte at least.
    fn list(&mut self) -> Result<(u8, usize), Fault> {
        let head = self.byte()?;
        let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        let length = usize::try_from(length).ok().filter(|&length| length <= self.bytes.len() - self.at);
        Ok((head & 15, length.ok_or(Fault::Short("a list in it"))?))
    }

    fn skip_kind(&mut self, kind: u8, depth: u8) -> Result<(), Fault> {
        let deeper = depth.checked_sub(1).ok_or(Fault::Broken("structures in it lie too deep within each other"))?;
        match kind {
            TRUE | FALSE => Ok(()),
            BYTE => self.take(1).map(drop),
            4..=I64 => self.varint().map(drop),
            DOUBLE => self.take(8).map(drop),
            BINARY => self.varint().and_then(|length| self.take(length)).map(drop),
            LIST | SET => {
                let (kind, length) = self.list()?;
                (0..length).try_for_each(|_| self.skip_element(kind, deeper))
            }
            MAP => self.skip_map(deeper),
            STRUCT => {
                while let Some(field) = self.field(0)? {
                    self.skip_kind(field.kind, deeper)?;
                }
                Ok(())
            }
            _ => Err(Fault::Broken("a field in it has a type that Thrift does not have")),
        }
    }

    fn skip_map(&mut self, depth: u8) -> Result<(), Fault> {
        let length = self.varint()?;
        if length == 0 {
            return Ok(());
        }
        if length > (self.bytes.len() - self.at) as u64 {
            return Err(Fault::Short("a map in it"));
        }
        let kinds = self.byte()?;
        (0..length).try_for_each(|_| {
            self.skip_element(kinds >> 4, depth)?;
            self.skip_element(kinds & 15, depth)
        })
    }

    /// In a list a truth value is a byte of its own.
    fn skip_element(&mut self, kind: u8, depth: u8) -> Result<(), Fault> {
        if kind <= FALSE { self.take(1).map(drop) } else { self.skip_kind(kind, depth) }
    }

    fn zigzag(&mut self) -> Result<i64, Fault> {
        let coded = self.varint()?;
        Ok((coded >> 1).cast_signed() ^ -(coded & 1).cast_signed())
    }

    fn varint(&mut self) -> Result<u64, Fault> {
        let (value, length) = varint(&self.bytes[self.at..])?;
        self.at += length;
        Ok(value)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let length = usize::try_from(length).ok().filter(|&length| length <= rest.len());
        let length = length.ok_or(Fault::Short("a header"))?;
        self.at += length;
        Ok(&rest[..length])
    }
}

// === impl Field ===

impl Field {
    fn must_be(self, kinds: &[u8]) -> Result<(), Fault> {
        if kinds.contains(&self.kind) { Ok(()) } else { Err(Fault::Broken("a field in it is of another type")) }
    }
}

/// A number in groups of seven bits, the lowest first, and how many bytes it took.
pub(super) fn varint(bytes: &[u8]) -> Result<(u64, usize), Fault> {
    let mut value = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at).min(63);
        if byte < 0x80 {
            return Ok((value, at + 1));
        }
    }
    if bytes.len() < 10 { Err(Fault::Short("a number in it")) } else { Err(Fault::Broken("a number in it has no end")) }
}
