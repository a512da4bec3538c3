//! The columns of a catalog as bytes.
//!
//! ```text
//! samples u64 | bytes of keys u64, keys | length of each key u16 | class of each u32
//! are parts: flag
//!   no:  version of each 16
//!   yes: objects: count u64, each: name text, version 16, has rows flag | place of each: object u32, begin 6, length 6
//! records: count u64, end of each u64 | bytes u64, records
//! ```

use std::io;

use headwater_types::SampleKey;
use headwater_types::caps::MAX_SAMPLES;

use super::super::columns::{Columns, UNLABELLED};
use super::super::ends::Ends;
use super::super::places::{Object, Place, Places};
use super::super::records::Records;
use crate::kept::{Reader, Writer, damaged};
use crate::part::Part;
use crate::version::Version;

pub(super) fn write(columns: &Columns, out: &mut Writer<'_>) -> io::Result<()> {
    out.u64(columns.len() as u64)?;
    out.text(&columns.keys)?;
    // A key has at most MAX_KEY_BYTES.
    out.column(columns.keys().map(|key| (key.len() as u16).to_le_bytes()))?;
    out.column((0..columns.len()).map(|at| columns.label(at).to_le_bytes()))?;
    match &columns.places {
        Places::Whole(versions) => {
            out.flag(false)?;
            out.column(versions.iter().map(|version| version.to_bytes()))?;
        }
        Places::Parts { places, objects } => {
            out.flag(true)?;
            write_objects(objects, out)?;
            out.column(places.iter().map(|place| place.to_bytes()))?;
        }
    }
    out.u64(columns.records.ends.len() as u64)?;
    out.column(columns.records.ends.iter().map(|end| end.to_le_bytes()))?;
    out.u64(columns.records.bytes.len() as u64)?;
    out.bytes(&columns.records.bytes)
}

/// Reads columns of samples that are of so many classes.
pub(super) fn read(from: &mut Reader<'_>, classes: usize) -> io::Result<Columns> {
    // A sample's key has a byte at least.
    let samples = from.count(1 + 2 + 4 + 16, MAX_SAMPLES)?;
    let keys = from.text()?;
    let ends = read_ends(from, samples, &keys)?;
    let labels = from.column(samples, |bytes| match u32::from_le_bytes(bytes) {
        UNLABELLED => Ok(UNLABELLED),
        label if (label as usize) < classes => Ok(label),
        _ => Err(damaged("a label is of no class")),
    })?;
    let places = match from.flag()? {
        false => Places::Whole(from.column(samples, |bytes| Ok(Version::from_bytes(bytes)))?),
        true => read_parts(from, samples)?,
    };
    let records = read_records(from, samples)?;
    Ok(Columns { keys, ends, places, labels, records })
}

/// Where each key ends. The keys are keys, and ascend.
fn read_ends(from: &mut Reader<'_>, samples: usize, keys: &str) -> io::Result<Ends> {
    let (mut start, mut last, mut ends) = (0, "", Ends::with_capacity(samples));
    from.each(samples, |bytes| {
        let end = start + usize::from(u16::from_le_bytes(bytes));
        let key = keys.get(start..end).ok_or_else(|| damaged("a key ends within a character, or behind the end"))?;
        if key <= last || SampleKey::check(key).is_err() {
            return Err(damaged("its keys are none, or are not in order"));
        }
        (start, last) = (end, key);
        ends.push(end);
        Ok(())
    })?;
    if start == keys.len() { Ok(ends) } else { Err(damaged("there are bytes behind the last key")) }
}

fn write_objects(objects: &[Object], out: &mut Writer<'_>) -> io::Result<()> {
    out.u64(objects.len() as u64)?;
    for object in objects {
        out.text(object.name.as_str())?;
        out.bytes(&object.listed.to_bytes())?;
        out.flag(object.has_rows)?;
    }
    Ok(())
}

fn read_parts(from: &mut Reader<'_>, samples: usize) -> io::Result<Places> {
    let objects = from.many(8 + 16 + 1, u32::MAX as usize, |from| {
        let name = from.text()?.parse().map_err(|_| damaged("an object's name is none"))?;
        Ok(Object { name, listed: Version::from_bytes(from.array()?), has_rows: from.flag()? })
    })?;
    let places = from.column(samples, |bytes| {
        let place = Place::from_bytes(bytes);
        let object = objects.get(place.object as usize).ok_or_else(|| damaged("a sample is a part of nothing"))?;
        match place.part(object.has_rows) {
            // Each has 48 bits.
            Part::Bytes { offset, length } if offset + length > object.listed.size().get() => {
                Err(damaged("a sample ends behind its object"))
            }
            _ => Ok(place),
        }
    })?;
    Ok(Places::Parts { places, objects })
}

fn read_records(from: &mut Reader<'_>, samples: usize) -> io::Result<Records> {
    let count = from.count(8, samples as u64)?;
    let mut last = 0;
    let ends = from.column(count, |bytes| {
        let end = u64::from_le_bytes(bytes);
        let is_in_order = end >= last;
        last = end;
        if is_in_order { Ok(end) } else { Err(damaged("its records are not in order")) }
    })?;
    let len = from.count(1, u64::MAX)?;
    if len as u64 != last {
        return Err(damaged("its records do not end where the last one does"));
    }
    Ok(Records { bytes: from.bytes(len)?, ends })
}
