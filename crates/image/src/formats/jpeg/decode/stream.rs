//! Entropy decoding: a run of MCUs to their coefficients, alone or two runs in one loop.
//!
//! Every symbol's place is known only when the one before it has been looked up: eight cycles, in which the processor has
//! little else to do. Runs that begin at different restart markers do not wait for each other. So two of them take turns,
//! symbol by symbol, and the processor works on the one while the other waits:
//!
//! ```text
//! bits of run A:  look up -> shift ----------> look up -> shift ----------> look up -> ...
//! bits of run B:       look up -> shift ----------> look up -> shift ----------> ...
//! values:                     A: value, place   B: value, place   A: ...
//! ```
//!
//! Three or four would overlap better and need more registers than there are: measured, they are slower.
//!
//! Invariant: whatever the bits are, nothing is read or written but the scan's bytes and the run's coefficients; and
//! [`Run::is_sound`] is true only if libjpeg would read the same, without a warning.
#![expect(
    unsafe_code,
    reason = "loads and stores without a check that costs a tenth of the time; calls of code for certain instructions"
)]

use std::ptr::{self, NonNull};

use super::huffman::{DAMAGED, Huffman};
use super::source::{COEFFICIENTS, Source, ZIGZAG};
use crate::level::Level;

/// How the blocks of an MCU follow each other, and where their coefficients go.
pub(super) struct Order<'a> {
    blocks: Vec<Place<'a>>,
}

/// A block of an MCU.
struct Place<'a> {
    component: usize,
    dc: &'a Huffman,
    ac: &'a Huffman,
    /// Its number within a row of MCUs, in the first of them.
    first: usize,
    /// How much higher it is in the next.
    step: usize,
}

/// Coefficients, block after block, each in rows from the top; and the last place, in the order in which they are coded,
/// at which a block may have one that is not 0.
pub(super) struct Blocks<'a> {
    /// The first of `last.len()` blocks, of which there is one at least: a pointer, because two runs write to them in turn.
    first: NonNull<[i16; COEFFICIENTS]>,
    last: &'a mut [u8],
}

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
    hot: Hot<'a>,
    cold: Cold,
}

/// What of a run every symbol changes or asks for: it has to live in registers, and does so only apart from the rest.
#[derive(Clone, Copy)]
struct Hot<'a> {
    /// What has been loaded and not yet decoded, from the highest bit on.
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

/// What of a run a block changes or asks for.
#[derive(Clone, Copy)]
struct Cold {
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

/// [`ZIGZAG`] for every place that a run can come to: what lies behind the block is its last coefficient.
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
/// What of an entry is added to [`Hot::count`].
const COUNTED: u32 = 0xff00_003f;

// === impl Order ===

impl<'a> Order<'a> {
    /// Of a photo, whose rows of MCUs have their blocks component after component, and row after row.
    pub(super) fn new(source: &'a Source) -> Option<Self> {
        let (across, _) = source.mcus();
        let mut blocks = Vec::with_capacity(10);
        let mut base = 0;
        for (number, component) in source.components.iter().enumerate() {
            let (width, height) = component.blocks;
            let dc = source.tables.dc.get(component.dc)?.as_deref()?;
            let ac = source.tables.ac.get(component.ac)?.as_deref()?;
            for y in 0..height {
                for x in 0..width {
                    let first = base + y * width * across + x;
                    blocks.push(Place { component: number, dc, ac, first, step: width });
                }
            }
            base += width * height * across;
        }
        Some(Self { blocks })
    }
}

// === impl Blocks ===

impl<'a> Blocks<'a> {
    /// As many of each; `None` for none.
    pub(super) fn new(values: &'a mut [[i16; COEFFICIENTS]], last: &'a mut [u8]) -> Option<Self> {
        if values.is_empty() || values.len() != last.len() {
            return None;
        }
        Some(Self { first: NonNull::new(values.as_mut_ptr())?, last })
    }
}

// === impl Bytes ===

impl<'a> Bytes<'a> {
    /// `None` for less than eight.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { bytes, limit: bytes.len().checked_sub(8)? })
    }

    #[inline(always)]
    fn load(self, at: usize) -> u64 {
        debug_assert!(at <= self.limit);
        // SAFETY: eight bytes lie behind every place up to the limit, and a run keeps to it: `Run::new` and `Hot::refill`.
        u64::from_be(unsafe { self.bytes.as_ptr().add(at).cast::<u64>().read_unaligned() })
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    /// At the start of a segment of a scan's bytes.
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

    /// Whether all was as it should be, up to the end of the segment.
    pub(super) fn is_sound(&self) -> bool {
        self.cold.damaged & DAMAGED == 0 && self.read().div_ceil(8) == self.cold.end - self.cold.start
    }

    /// Whether all was as it should be so far.
    pub(super) fn is_sound_so_far(&self) -> bool {
        self.cold.damaged & DAMAGED == 0 && self.read().div_ceil(8) <= self.cold.end - self.cold.start
    }

    /// Bits that were decoded; too many where a run has come to the limit.
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
        // SAFETY: `Cold::begin_block` has pointed `block` to 64 values of coefficients that are still borrowed, and places
        // are below 64.
        unsafe { *self.block.add(usize::from(place)) = value as i16 };
    }

    /// Takes two coefficients, or what there is of the block; false at its end.
    #[inline(always)]
    fn step(&mut self, bytes: Bytes<'_>) -> bool {
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
    fn begin_block<'a>(&mut self, hot: &mut Hot<'a>, order: &Order<'a>, bytes: Bytes<'_>, blocks: &mut Blocks<'_>) {
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
        // SAFETY: there are as many blocks as last places, and one at least. They stay borrowed as long as `blocks` lives.
        unsafe {
            let block = blocks.first.add(self.number);
            block.write([0; COEFFICIENTS]);
            hot.block = block.as_ptr().cast();
            *hot.block = *predicted as i16;
        }
    }

    /// Ends a block and begins the next; false where it was the run's last.
    #[inline(always)]
    fn next_block<'a>(
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

/// What runs are decoded with.
pub(super) struct Decoding<'a, 'b> {
    pub(super) level: Level,
    pub(super) order: &'b Order<'a>,
    pub(super) bytes: Bytes<'b>,
}

// === impl Decoding ===

impl<'a> Decoding<'a, '_> {
    /// Decodes a run.
    pub(super) fn one(&self, run: &mut Run<'a>, blocks: &mut Blocks<'_>) {
        #[cfg(target_arch = "x86_64")]
        if self.level.shifts_freely() {
            #[target_feature(enable = "avx2,bmi1,bmi2")]
            fn one<'a>(this: &Decoding<'a, '_>, run: &mut Run<'a>, blocks: &mut Blocks<'_>) {
                this.one_inline(run, blocks);
            }
            // SAFETY: a level is proof of its instructions.
            return unsafe { one(self, run, blocks) };
        }
        self.one_inline(run, blocks);
    }

    /// Decodes two runs, as they come, until there are no more: `next` gives another one, `done` takes each at its end.
    pub(super) fn two(
        &self,
        blocks: &mut Blocks<'_>,
        next: impl FnMut() -> Option<Run<'a>>,
        done: impl FnMut(Run<'a>),
    ) {
        #[cfg(target_arch = "x86_64")]
        if self.level.shifts_freely() {
            #[target_feature(enable = "avx2,bmi1,bmi2")]
            fn two<'a>(
                this: &Decoding<'a, '_>,
                blocks: &mut Blocks<'_>,
                next: impl FnMut() -> Option<Run<'a>>,
                done: impl FnMut(Run<'a>),
            ) {
                this.two_inline(blocks, next, done);
            }
            // SAFETY: a level is proof of its instructions.
            return unsafe { two(self, blocks, next, done) };
        }
        self.two_inline(blocks, next, done);
    }

    #[inline(always)]
    fn one_inline(&self, run: &mut Run<'a>, blocks: &mut Blocks<'_>) {
        let Self { order, bytes, .. } = *self;
        let Run { mut hot, mut cold } = *run;
        cold.begin_block(&mut hot, order, bytes, blocks);
        while hot.step(bytes) || cold.next_block(&mut hot, order, bytes, blocks) {}
        *run = Run { hot, cold };
    }

    #[inline(always)]
    fn two_inline(
        &self,
        blocks: &mut Blocks<'_>,
        mut next: impl FnMut() -> Option<Run<'a>>,
        mut done: impl FnMut(Run<'a>),
    ) {
        let Self { order, bytes, .. } = *self;
        let Some(mut first) = next() else { return };
        let Some(second) = next() else {
            self.one_inline(&mut first, blocks);
            return done(first);
        };
        let (mut a, mut cold_a) = (first.hot, first.cold);
        let (mut b, mut cold_b) = (second.hot, second.cold);
        cold_a.begin_block(&mut a, order, bytes, blocks);
        cold_b.begin_block(&mut b, order, bytes, blocks);
        let (mut hot, mut cold) = loop {
            if !a.step(bytes) && !cold_a.next_block(&mut a, order, bytes, blocks) {
                done(Run { hot: a, cold: cold_a });
                let Some(run) = next() else { break (b, cold_b) };
                (a, cold_a) = (run.hot, run.cold);
                cold_a.begin_block(&mut a, order, bytes, blocks);
            }
            if !b.step(bytes) && !cold_b.next_block(&mut b, order, bytes, blocks) {
                done(Run { hot: b, cold: cold_b });
                let Some(run) = next() else { break (a, cold_a) };
                (b, cold_b) = (run.hot, run.cold);
                cold_b.begin_block(&mut b, order, bytes, blocks);
            }
        };
        while hot.step(bytes) || cold.next_block(&mut hot, order, bytes, blocks) {}
        done(Run { hot, cold });
    }
}
