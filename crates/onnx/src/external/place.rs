//! Where a tensor says that its data lie, checked as far as the model's own bytes allow.

use std::path::{Component, Path};

use crate::error::OnnxError;
use crate::schema::{entry, tensor};
use crate::value::ElementType;
use crate::walk::text_in;
use crate::wire::{Field, Payload, fields, varints};

/// Data of a tensor that lie in another file of the model's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside<'a> {
    /// The tensor's name; empty for one without.
    pub tensor: &'a str,
    /// Name of the file: one step from the model's folder, and no other.
    pub location: &'a str,
    /// Where the data begin in that file, in bytes.
    pub offset: u64,
    /// How many bytes they have: what the tensor's axes and type take.
    pub length: u64,
}

/// What a tensor says of itself.
struct Said<'a> {
    name: &'a str,
    element: ElementType,
    elements: Option<u64>,
    is_outside: bool,
    has_data: bool,
    location: Option<&'a str>,
    offset: Option<&'a str>,
    length: Option<&'a str>,
}

/// Where the data of a tensor lie; `None` where they are in the model's own file.
///
/// # Errors
/// `ExternalPlace`: they lie elsewhere than in a file of the same folder, or are not of the tensor's size.
pub(super) fn outside_of(bytes: &[u8]) -> Result<Option<Outside<'_>>, OnnxError> {
    let said = Said::read(bytes)?;
    if !said.is_outside {
        return Ok(None);
    }
    let refused = |why: String| OnnxError::ExternalPlace { name: said.name.to_owned(), why };
    if said.has_data {
        return Err(refused("has data in the model's own file too: save the model again".to_owned()));
    }
    let location = said.location.ok_or_else(|| refused("does not say in which: save the model again".to_owned()))?;
    let location = same_folder(location).ok_or_else(|| refused(not_beside(location)))?;
    let number = |what: &str, text: Option<&str>| match text {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| refused(format!("says {what} {text:?} of its data, which is no number of bytes"))),
    };
    let (offset, given) = (number("offset", said.offset)?.unwrap_or(0), number("length", said.length)?);
    let length = said.length().ok_or_else(|| refused(format!("is of {}, whose size is not known", said.element)))?;
    if let Some(given) = given.filter(|given| *given != length) {
        return Err(refused(format!("says that {given} bytes of it are its data, and its axes take {length}")));
    }
    if offset.checked_add(length).is_none() {
        return Err(refused(format!("says that its data begin at {offset}, where no file has bytes")));
    }
    Ok(Some(Outside { tensor: said.name, location, offset, length }))
}

/// The name of a file in the same folder; `None` for any other path.
fn same_folder(location: &str) -> Option<&str> {
    let mut steps = Path::new(location).components().filter(|step| *step != Component::CurDir);
    match (steps.next(), steps.next()) {
        (Some(Component::Normal(name)), None) if !location.contains('\0') => name.to_str(),
        _ => None,
    }
}

fn not_beside(location: &str) -> String {
    let shown: String = location.chars().take(SHOWN).collect();
    format!("names the place {shown:?}, and only files of the model's own folder are read: put the file beside it")
}

/// Characters of a place that an error shows.
const SHOWN: usize = 128;

// === impl Said ===

impl<'a> Said<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, OnnxError> {
        let element = ElementType::UNDEFINED;
        let (is_outside, has_data) = (false, false);
        let (location, offset, length) = (None, None, None);
        let name = text_in(bytes, tensor::NAME)?;
        let mut said = Self { name, element, elements: Some(1), is_outside, has_data, location, offset, length };
        for field in fields(bytes) {
            said.field(&field?)?;
        }
        Ok(said)
    }

    fn field(&mut self, field: &Field<'a>) -> Result<(), OnnxError> {
        match (field.number, field.payload) {
            (tensor::DIMS, Payload::Varint(dim)) => self.grow(dim),
            (tensor::DIMS, Payload::Bytes(packed)) => {
                for dim in varints(packed) {
                    self.grow(dim?);
                }
            }
            (tensor::DATA_TYPE, _) => self.element = ElementType(field.number()?),
            (tensor::DATA_LOCATION, _) => self.is_outside |= field.number()? == tensor::LOCATION_EXTERNAL,
            (tensor::EXTERNAL_DATA, _) => {
                self.is_outside = true;
                self.entry(field.bytes()?)?;
            }
            (number, Payload::Bytes(data)) if tensor::holds_data(number) => self.has_data |= !data.is_empty(),
            (number, _) if tensor::holds_data(number) => self.has_data = true,
            _ => {}
        }
        Ok(())
    }

    /// One of the entries of `external_data`. A checksum is left to whoever wrote it: data are told apart by digests
    /// here.
    fn entry(&mut self, bytes: &'a [u8]) -> Result<(), OnnxError> {
        let (key, value) = (text_in(bytes, entry::KEY)?, text_in(bytes, entry::VALUE)?);
        let slot = match key {
            "location" => &mut self.location,
            "offset" => &mut self.offset,
            "length" => &mut self.length,
            "checksum" => return Ok(()),
            _ => {
                let why = format!("says {key:?} of its data, which ONNX does not know: save the model again");
                return Err(OnnxError::ExternalPlace { name: self.name.to_owned(), why });
            }
        };
        if slot.replace(value).is_some() {
            let why = format!("says {key} of its data twice: save the model again");
            return Err(OnnxError::ExternalPlace { name: self.name.to_owned(), why });
        }
        Ok(())
    }

    fn grow(&mut self, dim: u64) {
        // A negative length reads as a huge one.
        self.elements = self.elements.and_then(|elements| elements.checked_mul(dim));
    }

    /// Bytes of the data, by axes and type.
    fn length(&self) -> Option<u64> {
        let bits = bits_of(self.element)?;
        // More than there can be is refused as too large.
        Some(self.elements.and_then(|elements| elements.checked_mul(bits)).map_or(u64::MAX, |bits| bits.div_ceil(8)))
    }
}

/// Bits of an element (`TensorProto.DataType` of onnx.proto); `None` for strings, which lie in no other file, and for
/// types that are not known.
fn bits_of(element: ElementType) -> Option<u64> {
    Some(match element.0 {
        2 | 3 | 9 | 17..=20 | 24 => 8,
        4 | 5 | 10 | 16 => 16,
        1 | 6 | 12 => 32,
        7 | 11 | 13 | 14 => 64,
        15 => 128,
        21..=23 => 4,
        25 | 26 => 2,
        _ => return None,
    })
}
