//! Bits back into numbers: the elements of the base, in place, become those of the target.

use crate::element::Element;
use crate::error::DeltaError;
use crate::number::Reader;

use super::bits::BitReader;
use super::classes::{Classes, EXPONENTS};
use super::frequencies::Frequencies;
use super::spread::spread;
use super::tokens::{FIRST, TOKENS, extra_bits, unzigzag};
use super::{ELEMENTS_PER_CLASS, LANES, MAX_CLASSES, SLOTS, STATE_BITS, load, store};

/// Slots of all tables side by side. Their number is a power of two, so that a place among them needs no check.
const ALL_SLOTS: usize = MAX_CLASSES * SLOTS;

/// Decodes one block, piece by piece.
pub(crate) struct Decoder<'a> {
    element: Element,
    tables: Tables,
    states: [u32; LANES],
    bits: BitReader<'a>,
}

struct Tables {
    slots: Box<[Slot; ALL_SLOTS]>,
    /// The first slot of each exponent's table.
    by_exponent: [u32; EXPONENTS],
}

/// What a state says, and where it goes.
///
/// ```text
/// bits  0 .. 10 the next state, to which are added as many bits as   11 .. 21 mask   22 .. 25 count
///      26 .. 30 how many bits stand beside the token                 32 .. 63 the difference; where bits stand
///               beside it, the smallest number of the token
/// ```
#[derive(Clone, Copy, Default)]
struct Slot(u64);

/// Bits that are at hand, and how many of them have been taken.
struct Look {
    window: u64,
    taken: u32,
}

// === impl Decoder ===

impl<'a> Decoder<'a> {
    /// A decoder of so many elements.
    pub(crate) fn new(payload: &'a [u8], element: Element, elements: usize) -> Result<Self, DeltaError> {
        if !matches!(element.width(), 2 | 4) {
            return Err(DeltaError::Malformed("elements of this width are not coded as differences"));
        }
        let mut reader = Reader::new(payload);
        let classes = Classes::read(&mut reader, elements / ELEMENTS_PER_CLASS)?;
        let mut states = [0; LANES];
        for state in &mut states {
            *state = u32::from(reader.byte()?) | u32::from(reader.byte()?) << 8;
        }
        if states.iter().any(|state| *state >= SLOTS as u32) {
            return Err(DeltaError::Malformed("a state lies outside its table"));
        }
        Ok(Self { element, tables: Tables::new(&classes)?, states, bits: BitReader::new(reader.rest()) })
    }

    /// Turns elements of the base into those of the target. All pieces but the last must have a multiple of
    /// [`LANES`] elements.
    pub(crate) fn restore(&mut self, piece: &mut [u8]) {
        // Which bits are an exponent stands in the code, and so takes no register.
        match self.element {
            Element::Float32 => self.restore_words::<4, 23, 0xff>(piece),
            Element::Float16 => self.restore_words::<2, 10, 0x1f>(piece),
            Element::BFloat16 => self.restore_words::<2, 7, 0xff>(piece),
            Element::Int32 => self.restore_words::<4, 0, 0>(piece),
            Element::Int16 | Element::Byte | Element::Wide => self.restore_words::<2, 0, 0>(piece),
        }
    }

    /// Whether all bits have been read, and no more, and the states are where the encoder began.
    pub(crate) fn finish(self) -> Result<(), DeltaError> {
        if self.bits.is_at_end() && self.states.iter().all(|state| *state == 0) {
            Ok(())
        } else {
            Err(DeltaError::Malformed("a block has other bits than its elements"))
        }
    }

    fn restore_words<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(&mut self, piece: &mut [u8]) {
        let (tables, mut states, mut bits) = (&self.tables, self.states, self.bits);
        let (words, _) = piece.as_chunks_mut::<WIDTH>();
        let (turns, last) = words.as_chunks_mut::<LANES>();
        for turn in turns {
            tables.turn::<WIDTH, SHIFT, MASK>(turn, &mut states, &mut bits);
        }
        let mut look = Look::new(&bits);
        for (word, state) in last.iter_mut().zip(&mut states) {
            tables.restore::<WIDTH, SHIFT, MASK>(word, state, &mut look, &mut bits);
        }
        bits.pass(look.taken);
        (self.states, self.bits) = (states, bits);
    }
}

// === impl Tables ===

impl Tables {
    fn new(classes: &Classes) -> Result<Self, DeltaError> {
        let mut slots = vec![Slot::default(); ALL_SLOTS];
        for ((_, frequencies), table) in classes.classes.iter().zip(slots.chunks_exact_mut(SLOTS)) {
            fill(table, frequencies);
        }
        let slots = slots.into_boxed_slice().try_into().map_err(|_| DeltaError::Malformed("a table has gaps"))?;
        let by_exponent = classes.by_exponent().map(|class| (class * SLOTS) as u32);
        Ok(Self { slots, by_exponent })
    }

    /// Restores four elements, whose states take turns: their bits are there at one look.
    #[inline(always)]
    fn turn<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(
        &self,
        [a, b, c, d]: &mut [[u8; WIDTH]; LANES],
        [s, t, u, v]: &mut [u32; LANES],
        bits: &mut BitReader<'_>,
    ) {
        let mut look = Look::new(bits);
        self.restore::<WIDTH, SHIFT, MASK>(a, s, &mut look, bits);
        self.restore::<WIDTH, SHIFT, MASK>(b, t, &mut look, bits);
        self.restore::<WIDTH, SHIFT, MASK>(c, u, &mut look, bits);
        self.restore::<WIDTH, SHIFT, MASK>(d, v, &mut look, bits);
        bits.pass(look.taken);
    }

    #[inline(always)]
    fn restore<const WIDTH: usize, const SHIFT: u32, const MASK: u32>(
        &self,
        word: &mut [u8; WIDTH],
        state: &mut u32,
        look: &mut Look,
        bits: &mut BitReader<'_>,
    ) {
        let base = load(*word);
        let table = self.by_exponent[(base >> SHIFT & MASK) as usize % EXPONENTS];
        let slot = self.slots[(table | *state) as usize % ALL_SLOTS];
        *state = slot.next() + (look.window as u32 & slot.mask());
        look.window >>= slot.count();
        look.taken += slot.count();
        let mut difference = slot.number();
        // Most differences are small: a guess that is right nearly always, and else more work.
        if slot.extra() > 0 {
            bits.pass(look.taken);
            difference = unzigzag(difference + (bits.peek() as u32 & low_bits(slot.extra())));
            bits.pass(slot.extra());
            *look = Look::new(bits);
        }
        *word = store(base.wrapping_add(difference));
    }
}

// === impl Look ===

impl Look {
    #[inline(always)]
    fn new(bits: &BitReader<'_>) -> Self {
        Self { window: bits.peek(), taken: 0 }
    }
}

fn fill(table: &mut [Slot], frequencies: &Frequencies) {
    let mut by_slot = [0_u8; SLOTS];
    spread(frequencies, |slot, token| by_slot[slot] = token as u8);
    let mut next = frequencies.0.map(u32::from);
    for (slot, &token) in table.iter_mut().zip(&by_slot) {
        let state = &mut next[usize::from(token) % TOKENS];
        let count = STATE_BITS - state.ilog2();
        *slot = Slot::new((*state << count) - SLOTS as u32, count, usize::from(token));
        *state += 1;
    }
}

#[inline(always)]
fn low_bits(count: u32) -> u32 {
    (1 << count) - 1
}

// === impl Slot ===

impl Slot {
    fn new(next: u32, count: u32, token: usize) -> Self {
        let extra = extra_bits(token);
        let number = if extra > 0 { FIRST[token % TOKENS] } else { unzigzag(token as u32) };
        Self(u64::from(next | low_bits(count) << 11 | count << 22 | extra << 26) | u64::from(number) << 32)
    }

    #[inline(always)]
    fn next(self) -> u32 {
        self.0 as u32 & 0x7ff
    }

    #[inline(always)]
    fn mask(self) -> u32 {
        self.0 as u32 >> 11 & 0x7ff
    }

    #[inline(always)]
    fn count(self) -> u32 {
        self.0 as u32 >> 22 & 0xf
    }

    #[inline(always)]
    fn extra(self) -> u32 {
        self.0 as u32 >> 26
    }

    #[inline(always)]
    fn number(self) -> u32 {
        (self.0 >> 32) as u32
    }
}
