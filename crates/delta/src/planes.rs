//! Bytes as planes: the first bytes of all elements, then the second ones, and so on. Those of exponents are alike.
//!
//! ```text
//! planes = plane for each byte of an element
//! plane  = 0, the bytes | 1, the one byte that all of them are | 2, packed length, the bytes packed by Zstandard
//! ```

use std::borrow::Cow;

use crate::error::DeltaError;
use crate::number::{Reader, push};
use crate::packer::{Packer, Unpacker};

/// Fewer bytes than these are packed without a look at what they are.
const SMALL: usize = 32 << 10;

const STORED: u8 = 0;
const ALIKE: u8 = 1;
const PACKED: u8 = 2;

const BROKEN: DeltaError = DeltaError::Malformed("a plane cannot be unpacked");

/// Bytes of a plane by which it is judged, in pieces from all over it.
const SAMPLE: usize = 4096;
const PIECE: usize = 256;
/// Bytes of each piece by which the length of planes is guessed, a whole number of elements.
const GUESSED: usize = 8 << 10;
/// Bits that a byte of the sample has, of 8, above which a plane of numbers is stored without another look.
const NOISE: f32 = 7.8;

/// Planes that have been read: as many bytes of each as there are elements.
pub(crate) struct Planes<'a>(Vec<Cow<'a, [u8]>>);

/// The planes of a whole number of elements of so many bytes.
pub(crate) fn encode(bytes: &[u8], width: usize, packer: &mut Packer) -> Vec<u8> {
    let (mut out, mut plane) = (Vec::new(), vec![0; bytes.len() / width]);
    for place in 0..width {
        match width {
            2 => split(&mut plane, bytes, |word| (u16::from_le_bytes(word) >> (8 * place)) as u8),
            4 => split(&mut plane, bytes, |word| (u32::from_le_bytes(word) >> (8 * place)) as u8),
            _ => plane.iter_mut().zip(bytes.iter().skip(place).step_by(width)).for_each(|(out, byte)| *out = *byte),
        }
        if width > 1 && is_noise(&plane) {
            out.push(STORED);
            out.extend_from_slice(&plane);
        } else {
            let is_text = width == 1 && bytes.len() < SMALL;
            encode_plane(&plane, |plane| if is_text { packer.text(plane) } else { packer.numbers(plane) }, &mut out);
        }
    }
    out
}

/// About how many bytes the planes of elements take, by those of an eighth of them, in pieces from all over.
pub(crate) fn guess(bytes: &[u8], width: usize, packer: &mut Packer) -> usize {
    let pieces: Vec<_> = bytes.chunks(8 * GUESSED).map(|chunk| &chunk[..chunk.len().min(GUESSED)]).collect();
    let sample = pieces.concat();
    let taken = sample.len().max(1);
    (encode(&sample, width, packer).len() as u64 * bytes.len() as u64 / taken as u64) as usize
}

fn split<const WIDTH: usize>(plane: &mut [u8], bytes: &[u8], byte: impl Fn([u8; WIDTH]) -> u8) {
    let (words, _) = bytes.as_chunks();
    plane.iter_mut().zip(words).for_each(|(out, word)| *out = byte(*word));
}

fn encode_plane<'p>(plane: &[u8], pack: impl FnOnce(&[u8]) -> Option<&'p [u8]>, out: &mut Vec<u8>) {
    if let [first, rest @ ..] = plane
        && rest.iter().all(|byte| byte == first)
    {
        return out.extend_from_slice(&[ALIKE, *first]);
    }
    // A little less is not worth the time of unpacking.
    match pack(plane).filter(|packed| packed.len() + packed.len() / 64 + 4 < plane.len()) {
        Some(packed) => {
            out.push(PACKED);
            push(out, packed.len());
            out.extend_from_slice(packed);
        }
        None => {
            out.push(STORED);
            out.extend_from_slice(plane);
        }
    }
}

/// Whether a plane looks as if no coder could shorten it by much.
fn is_noise(plane: &[u8]) -> bool {
    if plane.len() < SMALL {
        return false;
    }
    let mut counts = [0; 256];
    for piece in plane.chunks(plane.len() / (SAMPLE / PIECE)).filter_map(|chunk| chunk.get(..PIECE)) {
        piece.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    }
    bits(&counts) > NOISE
}

/// Bits that each of the bytes takes that were counted, where only how often they come is known.
fn bits(counts: &[u16; 256]) -> f32 {
    let total = f32::from(counts.iter().sum::<u16>());
    let bits = |count: &u16| f32::from(*count) * (total / f32::from(*count)).log2();
    counts.iter().filter(|count| **count > 0).map(bits).sum::<f32>() / total.max(1.0)
}

/// Which share of their bytes the planes of elements take, about, by how often bytes come in pieces from all over them.
pub(crate) fn share(bytes: &[u8], width: usize) -> f32 {
    let mut counts = vec![[0; 256]; width];
    let step = (bytes.len() / (SAMPLE / PIECE)).next_multiple_of(width).max(PIECE * width);
    for piece in bytes.chunks(step) {
        let elements = piece[..piece.len().min(PIECE * width)].chunks_exact(width);
        for element in elements {
            counts.iter_mut().zip(element).for_each(|(counts, byte)| counts[usize::from(*byte)] += 1);
        }
    }
    counts.iter().map(bits).sum::<f32>() / (8 * width) as f32
}

// === impl Planes ===

impl<'a> Planes<'a> {
    /// Reads the planes of so many elements, which must be all that the payload has.
    pub(crate) fn read(
        payload: &'a [u8],
        (width, elements): (usize, usize),
        unpacker: &mut Unpacker,
    ) -> Result<Self, DeltaError> {
        let mut reader = Reader::new(payload);
        let planes = (0..width).map(|_| read_plane(&mut reader, elements, unpacker)).collect::<Result<_, _>>()?;
        if reader.is_empty() { Ok(Self(planes)) } else { Err(BROKEN) }
    }

    /// XORs elements with those of the planes, from `first` on.
    pub(crate) fn xor(&self, first: usize, elements: &mut [u8]) {
        match &self.0[..] {
            [a, b] => join2([a, b], first, elements, |old, new| old ^ new),
            [a, b, c, d] => join4([a, b, c, d], first, elements, |old, new| old ^ new),
            planes => {
                for (place, plane) in planes.iter().enumerate() {
                    let bytes = elements.iter_mut().skip(place).step_by(planes.len());
                    bytes.zip(&plane[first..]).for_each(|(byte, of_plane)| *byte ^= of_plane);
                }
            }
        }
    }

    /// Adds the steps of the planes to elements, from `first` on. Elements of one byte and of eight stay as they are.
    pub(crate) fn step(&self, first: usize, elements: &mut [u8]) {
        let of_two = |old: u16, step: u16| old.wrapping_add(step >> 1 ^ (step & 1).wrapping_neg());
        let of_four = |old: u32, step: u32| old.wrapping_add(step >> 1 ^ (step & 1).wrapping_neg());
        match &self.0[..] {
            [a, b] => join2([a, b], first, elements, of_two),
            [a, b, c, d] => join4([a, b, c, d], first, elements, of_four),
            _ => {}
        }
    }
}

fn join2(planes: [&[u8]; 2], first: usize, elements: &mut [u8], with: impl Fn(u16, u16) -> u16) {
    let (words, _) = elements.as_chunks_mut();
    let [a, b] = planes.map(|plane| &plane[first..first + words.len()]);
    for ((word, a), b) in words.iter_mut().zip(a).zip(b) {
        *word = with(u16::from_le_bytes(*word), u16::from(*a) | u16::from(*b) << 8).to_le_bytes();
    }
}

fn join4(planes: [&[u8]; 4], first: usize, elements: &mut [u8], with: impl Fn(u32, u32) -> u32) {
    let (words, _) = elements.as_chunks_mut();
    let [a, b, c, d] = planes.map(|plane| &plane[first..first + words.len()]);
    for ((((word, a), b), c), d) in words.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let of_planes = u32::from(*a) | u32::from(*b) << 8 | u32::from(*c) << 16 | u32::from(*d) << 24;
        *word = with(u32::from_le_bytes(*word), of_planes).to_le_bytes();
    }
}

/// The steps from elements to new ones, in place: differences without a sign, 0, -1, 1, -2 as 0, 1, 2, 3. `false` for
/// widths that have none.
pub(crate) fn steps(old: &mut [u8], new: &[u8], width: usize) -> bool {
    match width {
        2 => step_words(old, new, |old, new| {
            let difference = u16::from_le_bytes(new).wrapping_sub(u16::from_le_bytes(old)) as i16;
            (difference << 1 ^ difference >> 15).to_le_bytes()
        }),
        4 => step_words(old, new, |old, new| {
            let difference = u32::from_le_bytes(new).wrapping_sub(u32::from_le_bytes(old)) as i32;
            (difference << 1 ^ difference >> 31).to_le_bytes()
        }),
        _ => return false,
    }
    true
}

fn step_words<const WIDTH: usize>(old: &mut [u8], new: &[u8], step: impl Fn([u8; WIDTH], [u8; WIDTH]) -> [u8; WIDTH]) {
    let words = old.as_chunks_mut().0.iter_mut();
    words.zip(new.as_chunks().0).for_each(|(old, new)| *old = step(*old, *new));
}

fn read_plane<'a>(
    reader: &mut Reader<'a>,
    elements: usize,
    unpacker: &mut Unpacker,
) -> Result<Cow<'a, [u8]>, DeltaError> {
    match reader.byte()? {
        STORED => reader.take(elements).map(Cow::Borrowed),
        ALIKE => Ok(Cow::Owned(vec![reader.byte()?; elements])),
        PACKED => {
            let length = reader.number(elements)?;
            let packed = reader.take(length)?;
            let mut plane = vec![0; elements];
            if unpacker.unpack(packed, &mut plane) { Ok(Cow::Owned(plane)) } else { Err(BROKEN) }
        }
        _ => Err(DeltaError::Malformed("a plane is coded in an unknown way")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn restored(payload: &[u8], width: usize, length: usize) -> Result<Vec<u8>, DeltaError> {
        let mut bytes = vec![0; length];
        Planes::read(payload, (width, length / width), &mut Unpacker::default())
            .map(|planes| planes.xor(0, &mut bytes))?;
        Ok(bytes)
    }

    proptest! {
        #[test]
        fn planes_come_back(seed: Vec<u8>, width in prop::sample::select(&[1_usize, 2, 4, 8]), repeat in 1_usize..40) {
            let bytes = seed.repeat(repeat * width);
            prop_assert_eq!(restored(&encode(&bytes, width, &mut Packer::default()), width, bytes.len()), Ok(bytes));
        }

        #[test]
        fn steps_lead_to_where_they_came_from(old: Vec<u64>, more: u64, width in prop::sample::select(&[2_usize, 4])) {
            let new: Vec<u8> = old.iter().flat_map(|old| old.wrapping_mul(more).to_le_bytes()).collect();
            let mut restored: Vec<u8> = old.iter().flat_map(|old| old.to_le_bytes()).collect();
            let mut stepped = restored.clone();
            prop_assert!(steps(&mut stepped, &new, width));
            let payload = encode(&stepped, width, &mut Packer::default());
            let planes = Planes::read(&payload, (width, new.len() / width), &mut Unpacker::default());
            planes.unwrap().step(0, &mut restored);
            prop_assert_eq!(restored, new);
        }

        #[test]
        fn any_bytes_are_planes_or_refused(payload: Vec<u8>, length in 0_usize..64) {
            let _ = restored(&payload, 4, length * 4);
        }
    }

    #[test]
    fn what_is_alike_or_repeats_takes_little() {
        let floats: Vec<u8> = (0..4096_u32).flat_map(|at| (1.0 + at as f32 / 1e5).to_le_bytes()).collect();
        let payload = encode(&floats, 4, &mut Packer::default());
        assert!(payload.len() < floats.len() / 2, "{}", payload.len());
        assert_eq!(encode(&[7; 400], 4, &mut Packer::default()).len(), 8);
        assert!(restored(&payload, 4, floats.len() - 4).is_err());
        assert!(restored(&payload[..payload.len() - 1], 4, floats.len()).is_err());
        assert!(restored(&[9; 10], 1, 9).is_err());
    }
}
