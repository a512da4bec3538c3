//! Differences into bits.

use crate::element::Element;

use super::bits::BitWriter;
use super::classes::{Classes, no_counts};
use super::frequencies::Frequencies;
use super::spread::spread;
use super::tokens::{TOKENS, extra_bits, token, zigzag};
use super::{ELEMENTS_PER_CLASS, LANES, SLOTS, STATE_BITS, load};

/// The bits of one element: those of the state, above them those beside the token; in the uppermost byte, how many.
#[derive(Clone, Copy, Default)]
struct Coded(u64);

/// How a token of a class changes a state, as in Zstandard's FSE. States run from `SLOTS` to `2 * SLOTS - 1`.
#[derive(Clone, Copy, Default)]
struct Change {
    /// Added to a state, its upper half is the number of bits that are written.
    bits: u32,
    /// Where the next states of the token begin in the table, less its slots.
    next: i32,
}

/// The table of one class.
struct Table {
    changes: [Change; TOKENS],
    next: Vec<u16>,
}

/// The differences of elements from those of the base, coded; `None` for elements that are not coded so, or are too
/// few. Both have as many bytes, of whole elements.
pub(crate) fn encode(base: &[u8], target: &[u8], element: Element) -> Option<Vec<u8>> {
    if base.len() / element.width() < ELEMENTS_PER_CLASS {
        return None;
    }
    match element.width() {
        2 => Some(encode_words::<2>(base, target, element)),
        4 => Some(encode_words::<4>(base, target, element)),
        _ => None,
    }
}

fn encode_words<const WIDTH: usize>(base: &[u8], target: &[u8], element: Element) -> Vec<u8> {
    let (shift, mask) = element.exponent();
    let (base, target) = (base.as_chunks::<WIDTH>().0, target.as_chunks::<WIDTH>().0);
    let words = base.iter().zip(target).map(|(base, target)| {
        let (base, target) = (load(*base), load(*target));
        ((base >> shift & mask) as u8, zigzag(difference::<WIDTH>(base, target)))
    });
    let mut counts = no_counts();
    words.clone().for_each(|(exponent, number)| counts[usize::from(exponent)][token(number)] += 1);
    let classes = Classes::of(&counts, base.len() / ELEMENTS_PER_CLASS);
    let (states, coded) = code(words, &classes);
    let mut out = Vec::new();
    classes.write(&mut out);
    states.iter().for_each(|state| out.extend_from_slice(&((state - SLOTS as u32) as u16).to_le_bytes()));
    let mut writer = BitWriter::after(out, coded.iter().map(|coded| coded.count() as usize).sum());
    coded.iter().for_each(|coded| writer.push(coded.0 << 8 >> 8, coded.count()));
    writer.finish()
}

/// The first states of a decoder, and the bits of each element. A decoder goes the other way: what it reads first is
/// coded last.
fn code(
    words: impl DoubleEndedIterator<Item = (u8, u32)> + ExactSizeIterator,
    classes: &Classes,
) -> ([u32; LANES], Vec<Coded>) {
    let tables: Vec<_> = classes.classes.iter().map(|(_, frequencies)| Table::new(frequencies)).collect();
    let by_exponent = classes.by_exponent();
    let mut states = [SLOTS as u32; LANES];
    let mut coded = vec![Coded::default(); words.len()];
    for ((at, (exponent, number)), coded) in words.enumerate().rev().zip(coded.iter_mut().rev()) {
        let table = &tables[by_exponent[usize::from(exponent)]];
        *coded = table.code(number, &mut states[at % LANES]);
    }
    (states, coded)
}

/// By how much a target's number is larger, in as many bits as they have.
#[inline(always)]
fn difference<const WIDTH: usize>(base: u32, target: u32) -> i32 {
    let difference = target.wrapping_sub(base) as i32;
    if WIDTH == 2 { i32::from(difference as i16) } else { difference }
}

// === impl Coded ===

impl Coded {
    fn count(self) -> u32 {
        (self.0 >> 56) as u32
    }
}

// === impl Table ===

impl Table {
    fn new(frequencies: &Frequencies) -> Self {
        let mut changes = [Change::default(); TOKENS];
        let mut first = 0;
        for (change, &slots) in changes.iter_mut().zip(&frequencies.0).filter(|(_, slots)| **slots > 0) {
            *change = Change::of(u32::from(slots), first);
            first += i32::from(slots);
        }
        // The slots of a token in rising order are its next states.
        let mut by_slot = [0; SLOTS];
        spread(frequencies, |slot, token| by_slot[slot] = token);
        let mut places = changes.map(|change| change.next);
        places.iter_mut().zip(&frequencies.0).for_each(|(place, slots)| *place += i32::from(*slots));
        let mut next = vec![0; SLOTS];
        for (slot, &token) in by_slot.iter().enumerate() {
            next[places[token] as usize] = (SLOTS + slot) as u16;
            places[token] += 1;
        }
        Self { changes, next }
    }

    #[inline(always)]
    fn code(&self, number: u32, state: &mut u32) -> Coded {
        let token = token(number);
        let change = self.changes[token];
        let count = state.wrapping_add(change.bits) >> 16;
        let extra = extra_bits(token);
        let beside = u64::from(number) & ((1 << extra) - 1);
        let bits = u64::from(*state) & ((1 << count) - 1) | beside << count;
        let next = (*state >> count) as i32 + change.next;
        *state = u32::from(self.next[next as usize % SLOTS]);
        Coded(bits | u64::from(count + extra) << 56)
    }
}

// === impl Change ===

impl Change {
    /// The change by a token that has so many slots, before which others have `first`.
    fn of(slots: u32, first: i32) -> Self {
        let bits = STATE_BITS - (slots - 1).checked_ilog2().unwrap_or(0);
        Self { bits: (bits << 16).wrapping_sub(slots << bits), next: first - slots as i32 }
    }
}
