//! A piece of a stream, coded by the method that gives fewest bytes.
//!
//! ```text
//! block = method, length, packed length, that many bytes
//! method 0: planes      1: planes of the XOR with the base
//!        2: planes of the steps from the base      3: differences, under the entropy coder
//! ```

use crate::coder::{self, Decoder};
use crate::element::Element;
use crate::error::DeltaError;
use crate::number::{Reader, push};
use crate::packer::{Packer, Unpacker};
use crate::parts::Kind;
use crate::planes::{self, Planes};
use crate::runs::{Cursor, Run};

/// Most bytes of a block: memory beside the models is a multiple of it.
const MAX_BLOCK: usize = 2 << 20;
/// Bytes after which a block ends where its tensor does: those of one tensor change alike.
const FULL_BLOCK: usize = 64 << 10;
/// Bytes that are restored at once, a multiple of the elements that a decoder takes at once: they stay in the core's
/// cache.
const PIECE: usize = 32 << 10;

const PLANES: u8 = 0;
const XOR_PLANES: u8 = 1;
const STEP_PLANES: u8 = 2;
const DIFFERENCES: u8 = 3;

/// Steps whose planes would take at most about this share of their bytes are tried under the entropy coder too. It
/// saves more there, and takes twice as long to be restored.
const FEW: f32 = 0.3;

// === encoding ===

/// Writes the blocks of one stream.
pub(crate) fn encode(base: &[u8], target: &[u8], kind: Kind, runs: &[Run], out: &mut Vec<u8>) {
    let (mut cursor, mut packer) = (Cursor::new(runs), Packer::default());
    for length in lengths(runs) {
        let mut new = vec![0; length];
        let before = cursor.clone();
        cursor.gather_target(target, &mut new);
        let (method, payload) = match kind {
            Kind::Against(element) => against((before, base), &new, element, &mut packer),
            Kind::Fresh(element) => (PLANES, planes::encode(&new, element.width(), &mut packer)),
            Kind::Copy => return,
        };
        out.push(method);
        push(out, length);
        push(out, payload.len());
        out.extend_from_slice(&payload);
    }
}

/// The lengths of a stream's blocks: of whole runs, but for the long ones.
fn lengths(runs: &[Run]) -> Vec<usize> {
    let (mut lengths, mut open) = (Vec::new(), 0);
    for run in runs {
        if open >= FULL_BLOCK || open + run.length > MAX_BLOCK {
            lengths.push(open);
            open = 0;
        }
        open += run.length;
        while open > MAX_BLOCK {
            lengths.push(MAX_BLOCK);
            open -= MAX_BLOCK;
        }
    }
    lengths.push(open);
    lengths.retain(|length| *length > 0);
    lengths
}

/// A short form of elements that have others in the base, and its method.
fn against((mut at, base): (Cursor<'_>, &[u8]), new: &[u8], element: Element, packer: &mut Packer) -> (u8, Vec<u8>) {
    let (width, mut old) = (element.width(), vec![0; new.len()]);
    at.gather_base(base, &mut old);
    let mut steps = old.clone();
    if planes::steps(&mut steps, new, width) {
        let coded = match planes::share(&steps, width) < FEW {
            true => coder::encode(&old, new, element),
            false => None,
        };
        // Where it is clearly shorter than the planes would be, these are not made.
        let (coded, planes) = match coded {
            Some(coded) if coded.len() < planes::guess(&steps, width, packer) / 8 * 7 => return (DIFFERENCES, coded),
            coded => (coded, planes::encode(&steps, width, packer)),
        };
        if let Some(coded) = coded.filter(|coded| coded.len() < planes.len()) {
            return (DIFFERENCES, coded);
        }
        // Where steps save much, other planes do not save more.
        if planes.len() < new.len() / 8 * 7 {
            return (STEP_PLANES, planes);
        }
    }
    old.iter_mut().zip(new).for_each(|(old, new)| *old ^= new);
    let forms = [(PLANES, new), (XOR_PLANES, &old)].map(|(method, of)| (method, planes::encode(of, width, packer)));
    forms.into_iter().min_by_key(|(_, payload)| payload.len()).unwrap_or_default()
}

// === restoring ===

/// Restores one stream of the target from its blocks.
pub(crate) fn restore(
    reader: &mut Reader<'_>,
    base: &[u8],
    kind: Kind,
    runs: &[Run],
    target: &mut [u8],
) -> Result<(), DeltaError> {
    let (mut cursor, mut unpacker) = (Cursor::new(runs), Unpacker::default());
    let mut left = cursor.left();
    while left > 0 {
        let block = Block::read(reader, kind, left)?;
        left -= block.length;
        block.restore((&mut cursor, base), target, &mut unpacker)?;
    }
    Ok(())
}

/// A block that has been read, and not restored.
struct Block<'a> {
    method: u8,
    length: usize,
    payload: &'a [u8],
    element: Element,
    /// Whether its elements have others in the base.
    is_against: bool,
}

// === impl Block ===

impl<'a> Block<'a> {
    fn read(reader: &mut Reader<'a>, kind: Kind, left: usize) -> Result<Self, DeltaError> {
        let (element, is_against) = match kind {
            Kind::Against(element) => (element, true),
            Kind::Fresh(element) => (element, false),
            Kind::Copy => (Element::Byte, false),
        };
        let method = reader.byte()?;
        let length = reader.number(left.min(MAX_BLOCK))?;
        if length == 0 || !length.is_multiple_of(element.width()) {
            return Err(DeltaError::Malformed("a block is of no whole number of elements"));
        }
        let packed_length = reader.number(usize::MAX)?;
        Ok(Self { method, length, payload: reader.take(packed_length)?, element, is_against })
    }

    fn restore(
        &self,
        (cursor, base): (&mut Cursor<'_>, &[u8]),
        target: &mut [u8],
        unpacker: &mut Unpacker,
    ) -> Result<(), DeltaError> {
        let (width, elements) = (self.element.width(), self.length / self.element.width());
        let mut planes = || Planes::read(self.payload, (width, elements), unpacker);
        let base = Some(base).filter(|_| self.is_against);
        match (self.method, base) {
            (PLANES, _) => {
                let planes = planes()?;
                self.pieces(cursor, None, target, |at, piece| planes.xor(at / width, piece));
            }
            (XOR_PLANES, Some(_)) => {
                let planes = planes()?;
                self.pieces(cursor, base, target, |at, piece| planes.xor(at / width, piece));
            }
            (STEP_PLANES, Some(_)) => {
                let planes = planes()?;
                self.pieces(cursor, base, target, |at, piece| planes.step(at / width, piece));
            }
            (DIFFERENCES, Some(_)) => {
                let mut decoder = Decoder::new(self.payload, self.element, elements)?;
                self.pieces(cursor, base, target, |_, piece| decoder.restore(piece));
                decoder.finish()?;
            }
            _ => return Err(DeltaError::Malformed("a block is coded in an unknown way")),
        }
        Ok(())
    }

    /// Brings the block's bytes to the target piece by piece: those of the base, or zeros, changed by `change`, which
    /// is told how many bytes lie before a piece.
    fn pieces(
        &self,
        cursor: &mut Cursor<'_>,
        base: Option<&[u8]>,
        target: &mut [u8],
        mut change: impl FnMut(usize, &mut [u8]),
    ) {
        let mut piece = vec![0; PIECE.min(self.length)];
        for at in (0..self.length).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(self.length - at)];
            match base {
                Some(base) => cursor.clone().gather_base(base, piece),
                None => piece.fill(0),
            }
            change(at, piece);
            cursor.scatter(piece, target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(target: usize, length: usize) -> Run {
        Run { target, base: 0, length }
    }

    #[test]
    fn blocks_end_where_tensors_do_and_are_never_too_long() {
        let of = |of: &[usize]| lengths(&of.iter().map(|length| run(0, *length)).collect::<Vec<_>>());
        assert_eq!(of(&[10, 20, 30]), [60]);
        assert_eq!(of(&[FULL_BLOCK, 20, 30]), [FULL_BLOCK, 50]);
        assert_eq!(of(&[10, MAX_BLOCK, 20]), [10, MAX_BLOCK, 20]);
        assert_eq!(of(&[2 * MAX_BLOCK + 4, 20]), [MAX_BLOCK, MAX_BLOCK, 24]);
        assert_eq!(of(&[]), [0; 0]);
    }

    #[test]
    fn a_stream_is_restored_whatever_its_kind() {
        let base: Vec<u8> = (0..8192_u32).flat_map(|at| (at as f32).sin().to_le_bytes()).collect();
        let target: Vec<u8> = base.iter().enumerate().map(|(at, byte)| byte ^ u8::from(at % 4 == 0)).collect();
        let runs = [run(0, 4096), Run { target: 4096, base: 4096, length: target.len() - 4096 }];
        for kind in Kind::streams() {
            let mut blocks = Vec::new();
            encode(&base, &target, kind, &runs, &mut blocks);
            let mut restored = vec![0; target.len()];
            let mut reader = Reader::new(&blocks);
            restore(&mut reader, &base, kind, &runs, &mut restored).unwrap();
            assert!(reader.is_empty() && restored == target, "{kind:?}");
            if blocks[0] != PLANES {
                let fresh = Kind::Fresh(Element::Float32);
                assert!(restore(&mut Reader::new(&blocks), &base, fresh, &runs, &mut restored).is_err());
            }
        }
    }
}
