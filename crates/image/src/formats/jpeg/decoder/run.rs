//! A run of MCUs, decoded symbol by symbol.
//!
//! Invariant: whatever the bits are, nothing is read or written but the scan's bytes and the run's coefficients; and
//! [`Run::is_sound`] is true only if libjpeg would read the same, without a warning.
#![expect(unsafe_code, reason = "loads and stores without a check that costs a tenth of the time")]

use std::ptr;

use super::blocks::Blocks;
use super::huffman::{DAMAGED, Huffman};
use super::order::Order;
use super::source::{COEFFICIENTS, ZIGZAG};

/// The bytes of a scan, of which eight can be loaded from any place that [`Run`] comes to.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    bytes: &'a [u8],
    /// The last place to load from.
    limit: usize,
}

/// A run of MCUs that is being decoded.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) hot: Hot<'a>,
    pub(super) cold: Cold,
}

/// The part of a run that every symbol reads or changes. It has to live in registers, and does so only apart from the
/// rest.
#[derive(Clone, Copy)]
pub(super) struct Hot<'a> {
    /// The bits that are loaded and not yet decoded, from the highest bit on.
    bits: u64,
    /// The byte that is loaded next; never above the bytes' limit.
    at: usize,
    /// In the upper 8 bits, where in its block the last value went; in the lower 6, how many of the 63 bits that a full
    /// `bits` is sure of are gone: an [`Entry`](super::huffman::Entry) has what is to be added to both.
    count: u32,
    /// The first of the block's 64 values.
    block: *mut i16,
    ac: &'a Huffman,
}

/// The part of a run that only a block's begin and end read or change.
#[derive(Clone, Copy)]
pub(super) struct Cold {
    start: usize,
    end: usize,
    /// The block's number.
    number: usize,
    /// The block within the MCU.
    turn: usize,
    mcu: usize,
    left: usize,
    /// The first block of the row of MCUs.
    row: usize,
    damaged: u32,
    predicted: [i32; 3],
}

/// [`ZIGZAG`] for every place that a run can come to. Places behind the block stand for its last coefficient.
const PLACES: [u8; 256] = {
    let mut places = [63; 256];
    let mut place = 0;
    while place < COEFFICIENTS {
        places[place] = ZIGZAG[place];
        place += 1;
    }
    places
};

/// The last place of a block, where [`Hot::count`] has it.
const LAST: u32 = 63 << 24;
/// The bits of an entry that are added to [`Hot::count`].
const COUNTED: u32 = 0xff00_003f;

// === impl Bytes ===

impl<'a> Bytes<'a> {
    /// The bytes of a scan; `None` for less than eight.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, limit: bytes.len().checked_sub(8)? })
    }

    #[inline(always)]
    fn load(self, at: usize) -> u64 {
        debug_assert!(at <= self.limit);
        // SAFETY: eight bytes lie behind every place up to the limit, and a run keeps to it: `Run::new` and
        // `Hot::refill`.
        u64::from_be(unsafe { self.bytes.as_ptr().add(at).cast::<u64>().read_unaligned() })
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    /// A run at the start of a segment of a scan's bytes.
    pub(super) fn new(order: &Order<'a>, bytes: Bytes<'_>, (start, end): (usize, usize)) -> Option<Self> {
        if start > bytes.limit || end < start {
            return None;
        }
        let ac = order.blocks.first()?.ac;
        let hot = Hot { bits: 0, at: start, count: 63, block: ptr::null_mut(), ac };
        let cold = Cold { start, end, number: 0, turn: 0, mcu: 0, left: 0, row: 0, damaged: 0, predicted: [0; 3] };
        Some(Self { hot, cold })
    }

    /// Goes on with `count` MCUs, from number `mcu` of the row whose first block is `row`.
    pub(super) fn go_on(&mut self, row: usize, mcu: usize, count: usize) {
        self.cold = Cold { row, mcu, left: count, turn: 0, ..self.cold };
    }

    /// Whether the data were sound, up to the end of the segment.
    pub(super) fn is_sound(&self) -> bool {
        self.cold.damaged & DAMAGED == 0 && self.read().div_ceil(8) == self.cold.end - self.cold.start
    }

    /// Whether the data were sound so far.
    pub(super) fn is_sound_so_far(&self) -> bool {
        self.cold.damaged & DAMAGED == 0 && self.read().div_ceil(8) <= self.cold.end - self.cold.start
    }

    /// The number of bits that were decoded; too many where a run has come to the limit.
    fn read(&self) -> usize {
        ((self.hot.at - self.cold.start) * 8 + (self.hot.count & 63) as usize).saturating_sub(63)
    }
}

// === impl Hot ===

impl<'a> Hot<'a> {
    /// Loads as many bytes as there is room for: at least 56 bits are there then.
    #[inline(always)]
    fn refill(&mut self, bytes: Bytes<'_>) {
        self.bits |= bytes.load(self.at) >> (!self.count & 63);
        // At the limit all that is left are zeros, and a run that has come there is damaged: it may stay.
        self.at = (self.at + ((self.count & 63) >> 3) as usize).min(bytes.limit);
        self.count &= !56;
    }

    /// Takes a symbol and its value.
    #[inline(always)]
    fn take(&mut self, table: &Huffman) -> (i32, u32) {
        let entry = table.look_up(self.bits);
        let value = self.bits << (entry >> 8 & 63);
        // A value whose first bit is 0 is negative, and stands for its complement.
        let negative = !((value.cast_signed() >> 63).cast_unsigned());
        let magnitude = (value ^ negative) >> 1 >> (entry >> 16 & 63);
        let value = (magnitude ^ negative).wrapping_sub(negative);
        self.bits <<= entry & 63;
        (value as i32, entry)
    }

    #[inline(always)]
    fn coefficient(&mut self) {
        let (value, entry) = self.take(self.ac);
        self.count += entry & COUNTED;
        let place = PLACES[(self.count >> 24) as usize];
        // SAFETY: `Cold::begin_block` has pointed `block` to 64 values of coefficients that are still borrowed, and
        // places are below 64.
        unsafe { *self.block.add(usize::from(place)) = value as i16 };
    }

    /// Takes two coefficients, or one where the block ends with it; false at the block's end.
    #[inline(always)]
    pub(super) fn step(&mut self, bytes: Bytes<'_>) -> bool {
        self.refill(bytes);
        self.coefficient();
        if self.count < LAST {
            self.coefficient();
        }
        self.count < LAST
    }
}

// === impl Cold ===

impl Cold {
    /// Clears a block and takes its first coefficient.
    #[inline(always)]
    pub(super) fn begin_block<'a>(
        &mut self,
        hot: &mut Hot<'a>,
        order: &Order<'a>,
        bytes: Bytes<'_>,
        blocks: &mut Blocks<'_>,
    ) {
        let Some(place) = order.blocks.get(self.turn) else { return };
        hot.refill(bytes);
        let (difference, entry) = hot.take(place.dc);
        hot.count = (hot.count + entry) & 63;
        hot.ac = place.ac;
        self.damaged |= entry >> 24;
        let predicted = &mut self.predicted[place.component.min(2)];
        *predicted = predicted.wrapping_add(difference);
        self.number = self.row + place.first + self.mcu * place.step;
        if self.number >= blocks.last.len() {
            self.number = 0;
            self.damaged |= DAMAGED;
        }
        // SAFETY: there are as many blocks as last places, and one at least. They stay borrowed as long as `blocks`
        // lives.
        unsafe {
            let block = blocks.first.add(self.number);
            block.write([0; COEFFICIENTS]);
            hot.block = block.as_ptr().cast();
            *hot.block = *predicted as i16;
        }
    }

    /// Ends a block and begins the next one; false where it was the run's last.
    #[inline(always)]
    pub(super) fn next_block<'a>(
        &mut self,
        hot: &mut Hot<'a>,
        order: &Order<'a>,
        bytes: Bytes<'_>,
        blocks: &mut Blocks<'_>,
    ) -> bool {
        let place = hot.count >> 24;
        self.damaged |= place;
        if let Some(last) = blocks.last.get_mut(self.number) {
            *last = (place & 127) as u8;
        }
        self.turn += 1;
        if self.turn == order.blocks.len() {
            self.turn = 0;
            self.mcu += 1;
            self.left -= 1;
            if self.left == 0 {
                return false;
            }
        }
        self.begin_block(hot, order, bytes, blocks);
        true
    }
}
