//! The header of a delta: which model it makes of which.
//!
//! ```text
//!   0  8  "hwdelta" and a line feed, which a transfer as text would spoil
//!   8  4  version, little endian as all numbers here
//!  12  4  0
//!  16  8  bytes of the delta, the header included
//!  24  8  bytes of the base
//!  32  8  bytes of the target
//!  40 32  BLAKE3 of the base
//!  72 32  BLAKE3 of the target
//! 104 32  BLAKE3 of all other bytes of the delta
//! ```

use headwater_types::{ByteCount, Digest, digest::Digester};

use crate::error::DeltaError;
use crate::limits::Limits;

/// Bytes of the header: all that [`facts`] needs.
pub const HEADER_BYTES: usize = 136;

const MAGIC: [u8; 8] = *b"hwdelta\n";
const VERSION: u32 = 1;
/// Where the checksum of all other bytes stands.
const CHECKSUM: usize = 104;

/// What a delta says of itself. These are claims, until it has been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Size of the delta.
    pub delta_bytes: ByteCount,
    /// Size of the model that it is for.
    pub base_bytes: ByteCount,
    /// Size of the model that it makes.
    pub target_bytes: ByteCount,
    /// BLAKE3 of the model that it is for.
    pub base: Digest,
    /// BLAKE3 of the model that it makes.
    pub target: Digest,
}

/// Reads the facts of a delta, of which the first [`HEADER_BYTES`] are enough.
///
/// # Errors
/// `NotADelta`, `Version`, and `Truncated` for fewer bytes than a header has.
pub fn facts(delta: &[u8]) -> Result<Facts, DeltaError> {
    let magic = delta.len().min(MAGIC.len());
    if delta[..magic] != MAGIC[..magic] {
        return Err(DeltaError::NotADelta);
    }
    let Some(header) = delta.first_chunk::<HEADER_BYTES>() else {
        return Err(DeltaError::Truncated { actual: delta.len().into(), declared: HEADER_BYTES.into() });
    };
    let version = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    if version != VERSION {
        return Err(DeltaError::Version { actual: version, known: VERSION });
    }
    Ok(Facts {
        delta_bytes: count_at(header, 16),
        base_bytes: count_at(header, 24),
        target_bytes: count_at(header, 32),
        base: digest_at(header, 40)?,
        target: digest_at(header, 72)?,
    })
}

/// The facts of a delta that is there whole, within limits, and as it was written.
pub(crate) fn check(delta: &[u8], limits: &Limits) -> Result<Facts, DeltaError> {
    let (actual, limit) = (ByteCount::from(delta.len()), limits.max_delta);
    if actual > limit {
        return Err(DeltaError::TooLarge { what: "file", actual, limit });
    }
    let facts = facts(delta)?;
    let (declared, claimed) = (facts.delta_bytes, facts.target_bytes);
    if claimed > limits.max_target {
        return Err(DeltaError::TooLarge { what: "model", actual: claimed, limit: limits.max_target });
    }
    match actual.cmp(&declared) {
        std::cmp::Ordering::Less => Err(DeltaError::Truncated { actual, declared }),
        std::cmp::Ordering::Greater => Err(DeltaError::Overlong { actual, declared }),
        std::cmp::Ordering::Equal if checksum(delta).as_bytes()[..] != delta[CHECKSUM..HEADER_BYTES] => {
            Err(DeltaError::Tampered)
        }
        std::cmp::Ordering::Equal => Ok(facts),
    }
}

/// Writes the header over the first bytes of a delta that is complete but for it.
pub(crate) fn write(delta: &mut [u8], base: &[u8], target: &[u8]) {
    let length = delta.len();
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&[0; 4]);
    for bytes in [length, base.len(), target.len()] {
        header.extend_from_slice(&(bytes as u64).to_le_bytes());
    }
    header.extend_from_slice(Digest::of(base).as_bytes());
    header.extend_from_slice(Digest::of(target).as_bytes());
    delta[..CHECKSUM].copy_from_slice(&header);
    seal(delta);
}

/// Writes the checksum of a delta anew. Who changes a delta for a test makes it pass the first check by that.
#[doc(hidden)]
pub fn seal(delta: &mut [u8]) {
    if delta.len() >= HEADER_BYTES {
        let checksum = checksum(delta);
        delta[CHECKSUM..HEADER_BYTES].copy_from_slice(checksum.as_bytes());
    }
}

fn checksum(delta: &[u8]) -> Digest {
    Digester::default().update(&delta[..CHECKSUM]).update(&delta[HEADER_BYTES..]).finish()
}

fn count_at(header: &[u8; HEADER_BYTES], at: usize) -> ByteCount {
    let bytes = header[at..].first_chunk().copied().unwrap_or_default();
    ByteCount::new(u64::from_le_bytes(bytes))
}

fn digest_at(header: &[u8; HEADER_BYTES], at: usize) -> Result<Digest, DeltaError> {
    Digest::try_from(&header[at..at + 32]).map_err(|_| DeltaError::NotADelta)
}
