//! A model out of its base and a delta.

use headwater_types::{ByteCount, Digest};

use crate::block;
use crate::error::DeltaError;
use crate::header::{self, HEADER_BYTES};
use crate::limits::Limits;
use crate::number::Reader;
use crate::parts::{Kind, Parts};

/// The model that a delta makes of its base, whose digest is the promised one. Takes the memory of the result, and
/// little more.
///
/// # Errors
/// One of [`DeltaError`] for a delta that is too large, not whole, not as it was written, or for another base. No
/// bytes, however made, give a model of another digest than the delta names.
pub fn apply(base: &[u8], delta: &[u8], limits: &Limits) -> Result<Vec<u8>, DeltaError> {
    let facts = header::check(delta, limits)?;
    let actual = Digest::of(base);
    if actual != facts.base || facts.base_bytes != ByteCount::from(base.len()) {
        return Err(DeltaError::WrongBase { expected: facts.base, actual });
    }
    let mut reader = Reader::new(&delta[HEADER_BYTES..]);
    let target_bytes = facts.target_bytes.as_usize();
    let parts = Parts::read(&mut reader, [base.len(), target_bytes], limits)?;
    let mut target = vec![0; target_bytes];
    parts.copy(base, &mut target);
    for kind in Kind::streams() {
        block::restore(&mut reader, base, kind, &parts.runs(kind), &mut target)?;
    }
    if !reader.is_empty() {
        return Err(DeltaError::Malformed("something stands behind its blocks"));
    }
    let actual = Digest::of(&target);
    if actual != facts.target {
        return Err(DeltaError::WrongResult { expected: facts.target, actual });
    }
    Ok(target)
}
