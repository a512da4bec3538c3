//! Differences into bits.

use crate::element::Element;

use super::bits::BitWriter;
use super::classes::{Classes, EXPONENTS, no_counts};
use super::frequencies::{Counts, Frequencies};
use super::spread::spread;
use super::tokens::{TOKENS, extra_bits, token, zigzag};
use super::{ELEMENTS_PER_CLASS, LANES, MAX_CLASSES, SLOTS, STATE_BITS, load};

/// How a token of a class changes a state, as in Zstandard's FSE. States run from `SLOTS` to `2 * SLOTS - 1`.
#[derive(Clone, Copy, Default)]
struct Change {
    /// Added to a state, its upper half is the number of bits that are written.
    bits: u32,
    /// Where the next states of the token begin in the table, less its slots.
    next: i32,
}

/// The tables of all classes, side by side.
struct Tables {
    changes: Vec<Change>,
    next: Vec<u16>,
    /// The number of each exponent's table.
    by_exponent: [u8; EXPONENTS],
}

/// The differences of elements from those of the base, coded; `None` for elements that are not coded so, or are too
/// few. Both have as many bytes, of whole elements.
pub(crate) fn encode(base: &[u8], target: &[u8], element: Element) -> Option<Vec<u8>> {
    if base.len() / element.width() < ELEMENTS_PER_CLASS {
        return None;
    }
    // Which bits are an exponent stands in the code, as it does in the decoder's.
    match element {
        Element::Float32 => Some(encode_words::<4, 23, 0xff>(base, target)),
        Element::Float16 => Some(encode_words::<2, 10, 0x1f>(base, target)),
        Element::BFloat16 => Some(encode_words::<2, 7, 0xff>(base, target)),
        Element::Int32 => Some(encode_words::<4, 0, 0>(base, target)),
        Element::Int16 => Some(encode_words::<2, 0, 0>(base, target)),
        Element::Byte | Element::Wide => None,
    }
}

fn encode_words<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(base: &[u8], target: &[u8]) -> Vec<u8> {
    let (base, target) = (base.as_chunks::<WIDTH>().0, target.as_chunks::<WIDTH>().0);
    let classes = Classes::of(&counted::<WIDTH, SHIFT, MASK>(base, target), base.len() / ELEMENTS_PER_CLASS);
    let tables = Tables::new(&classes);
    let mut states = [SLOTS as u32; LANES];
    let mut writer = BitWriter::new(base.len() * (STATE_BITS as usize + 8 * WIDTH));
    // A decoder goes the other way: what it reads first is coded last.
    let (turns, last) = base.as_chunks::<LANES>();
    let (turns_of_target, last_of_target) = target.as_chunks::<LANES>();
    for ((base, target), state) in last.iter().zip(last_of_target).zip(&mut states).rev() {
        tables.code::<WIDTH, SHIFT, MASK>(*base, *target, state, &mut writer);
        writer.settle();
    }
    for (base, target) in turns.iter().zip(turns_of_target).rev() {
        let ([a, b, c, d], [e, f, g, h], [s, t, u, v]) = (*base, *target, &mut states);
        tables.code::<WIDTH, SHIFT, MASK>(d, h, v, &mut writer);
        tables.code::<WIDTH, SHIFT, MASK>(c, g, u, &mut writer);
        tables.code::<WIDTH, SHIFT, MASK>(b, f, t, &mut writer);
        tables.code::<WIDTH, SHIFT, MASK>(a, e, s, &mut writer);
        writer.settle();
    }
    let mut out = Vec::new();
    classes.write(&mut out);
    states.iter().for_each(|state| out.extend_from_slice(&((state - SLOTS as u32) as u16).to_le_bytes()));
    writer.finish(&mut out);
    out
}

/// How often each token comes, by the exponents of the base.
fn counted<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(
    base: &[[u8; WIDTH]],
    target: &[[u8; WIDTH]],
) -> Vec<Counts> {
    // Neighbours are mostly alike: of two counts that take turns, none waits for itself.
    let (mut even, mut odd) = (no_counts(MASK), no_counts(MASK));
    let count = |counts: &mut [Counts], base: &[u8; WIDTH], target: &[u8; WIDTH]| {
        let (exponent, number) = number::<WIDTH, SHIFT, MASK>(*base, *target);
        if let Some(counts) = counts.get_mut(exponent) {
            counts[token(number)] += 1;
        }
    };
    let (pairs, last) = base.as_chunks::<2>();
    let (pairs_of_target, last_of_target) = target.as_chunks::<2>();
    for ([a, b], [c, d]) in pairs.iter().zip(pairs_of_target) {
        count(&mut even, a, c);
        count(&mut odd, b, d);
    }
    last.iter().zip(last_of_target).for_each(|(base, target)| count(&mut even, base, target));
    for (all, more) in even.iter_mut().zip(&odd) {
        all.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
    even
}

/// The exponent of an element of the base, and by how much that of the target is larger.
#[inline(always)]
fn number<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(
    base: [u8; WIDTH],
    target: [u8; WIDTH],
) -> (usize, u32) {
    let (base, target) = (load(base), load(target));
    let difference = target.wrapping_sub(base) as i32;
    // In as many bits as they have.
    let difference = if WIDTH == 2 { i32::from(difference as i16) } else { difference };
    ((base >> SHIFT & MASK) as usize, zigzag(difference))
}

// === impl Tables ===

impl Tables {
    fn new(classes: &Classes) -> Self {
        let mut tables = Self {
            changes: vec![Change::default(); MAX_CLASSES * TOKENS],
            next: vec![0; MAX_CLASSES * SLOTS],
            by_exponent: classes.by_exponent().map(|class| class as u8),
        };
        let of_classes = tables.changes.chunks_exact_mut(TOKENS).zip(tables.next.chunks_exact_mut(SLOTS));
        for ((_, frequencies), (changes, next)) in classes.classes.iter().zip(of_classes) {
            fill(frequencies, changes, next);
        }
        tables
    }

    /// Writes one element, before those that are written.
    #[inline(always)]
    fn code<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(
        &self,
        base: [u8; WIDTH],
        target: [u8; WIDTH],
        state: &mut u32,
        writer: &mut BitWriter,
    ) {
        let (exponent, number) = number::<WIDTH, SHIFT, MASK>(base, target);
        let class = usize::from(self.by_exponent[exponent % EXPONENTS]);
        let token = token(number);
        let extra = extra_bits(token);
        if extra > 0 {
            writer.settle();
            writer.push(number & ((1 << extra) - 1), extra);
            writer.settle();
        }
        let change = self.changes[(class * TOKENS + token) % (MAX_CLASSES * TOKENS)];
        let count = state.wrapping_add(change.bits) >> 16;
        writer.push(*state & ((1 << count) - 1), count);
        let next = (*state >> count) as i32 + change.next;
        *state = u32::from(self.next[(class * SLOTS + next as usize % SLOTS) % (MAX_CLASSES * SLOTS)]);
    }
}

fn fill(frequencies: &Frequencies, changes: &mut [Change], next: &mut [u16]) {
    let mut first = 0;
    let mut places = [0_usize; TOKENS];
    for ((change, &slots), place) in changes.iter_mut().zip(&frequencies.0).zip(&mut places).filter(|of| *of.0.1 > 0) {
        *change = Change::of(u32::from(slots), first);
        *place = first as usize;
        first += i32::from(slots);
    }
    // The slots of a token in rising order are its next states.
    let mut by_slot = [0; SLOTS];
    spread(frequencies, |slot, token| by_slot[slot] = token);
    for (slot, &token) in by_slot.iter().enumerate() {
        next[places[token]] = (SLOTS + slot) as u16;
        places[token] += 1;
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
