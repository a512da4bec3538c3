//! Weights on their way: announced with their length and digest, and sent in pieces.

use bytes::{Bytes, BytesMut};
use headwater_types::Digest;
use headwater_types::caps::MAX_HEAD_WEIGHTS;

use crate::status::Invalid;

/// Bytes of one piece.
pub const PIECE: usize = 1 << 20;

/// The length and the digest of weights that are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Bytes.
    pub length: usize,
    /// Their BLAKE3.
    pub digest: Digest,
}

/// Weights that are coming, piece by piece.
#[derive(Debug)]
pub struct Gathering {
    announced: Announced,
    bytes: BytesMut,
}

// === impl Announced ===

impl Announced {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self { length: bytes.len(), digest: Digest::of(bytes) }
    }

    /// As it came.
    ///
    /// # Errors
    /// More than a head can have, and what is no digest.
    pub(super) fn read(length: u64, digest: &[u8]) -> Result<Self, Invalid> {
        Self::read_rows(length, digest, 1)
    }

    /// As it came, of so many rows of as many numbers as a head has weights.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn read_rows(length: u64, digest: &[u8], rows: u64) -> Result<Self, Invalid> {
        let most = MAX_HEAD_WEIGHTS as u64 * 4 * rows;
        if length > most || !length.is_multiple_of(4 * rows) {
            return Err(Invalid::new(format!("{length} bytes are no weights of a head: those are numbers of 4 bytes")));
        }
        Ok(Self { length: length as usize, digest: super::digest_of(digest, "a head's weights")? })
    }
}

// === impl Gathering ===

impl Gathering {
    /// Nothing has come yet. Memory is taken as pieces come, not as is announced.
    pub fn new(announced: Announced) -> Self {
        Self { announced, bytes: BytesMut::new() }
    }

    /// Whether all has come.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() == self.announced.length
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// A piece without bytes, and bytes past those that were announced.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), Invalid> {
        let room = self.announced.length - self.bytes.len();
        if piece.is_empty() || piece.len() > room {
            let (came, length) = (piece.len(), self.announced.length);
            return Err(Invalid::new(format!("a piece of {came} bytes, where {room} of {length} were to come")));
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The weights, where they are those that were announced.
    ///
    /// # Errors
    /// Others.
    pub fn finish(self) -> Result<Bytes, Invalid> {
        match self.is_whole() && Digest::of(&self.bytes) == self.announced.digest {
            true => Ok(self.bytes.freeze()),
            false => Err(Invalid::new("the weights that came are not those that were announced: their digest differs")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_that_are_not_those_that_were_announced_are_refused() {
        let weights = [7_u8; 12];
        let gather = |announced, pieces: &[&[u8]]| {
            let mut gathering = Gathering::new(announced);
            pieces.iter().try_for_each(|piece| gathering.take(piece))?;
            gathering.finish()
        };
        let announced = Announced::of(&weights);
        assert_eq!(gather(announced, &[&weights[..5], &weights[5..]]).unwrap(), weights[..]);
        assert!(gather(announced, &[&weights[..5]]).is_err(), "cut");
        assert!(gather(announced, &[&weights, &weights[..1]]).is_err(), "too many");
        assert!(gather(announced, &[&[], &weights]).is_err(), "a piece without bytes");
        assert!(gather(announced, &[&[8; 12]]).is_err(), "others");
    }

    #[test]
    fn what_no_head_can_have_is_refused_before_a_byte_comes() {
        let digest = *Digest::of(b"w").as_bytes();
        let most = MAX_HEAD_WEIGHTS as u64 * 4;
        assert!(Announced::read(most, &digest).is_ok());
        for (length, digest) in [(most + 4, &digest[..]), (u64::MAX, &digest[..]), (6, &digest[..]), (8, &digest[..5])]
        {
            assert!(Announced::read(length, digest).is_err(), "{length}");
        }
    }
}
