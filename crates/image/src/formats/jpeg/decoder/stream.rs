//! Entropy decoding: a run of MCUs to their coefficients, alone or two runs in one loop.
//!
//! A symbol's place is known only when the symbol before it has been looked up. That takes eight cycles, in which the
//! processor has little else to do. Runs that begin at different restart markers do not wait for each other. So two of
//! them take turns, symbol by symbol, and the processor works on one while the other waits:
//!
//! ```text
//! bits of run A:  look up -> shift ----------> look up -> shift ----------> look up -> ...
//! bits of run B:       look up -> shift ----------> look up -> shift ----------> ...
//! values:                     A: value, place   B: value, place   A: ...
//! ```
//!
//! Three or four runs would need more registers than there are, and are slower as measured.
#![expect(unsafe_code, reason = "calls of code for certain instructions; a level is proof that the machine has them")]

use super::blocks::Blocks;
use super::order::Order;
use super::run::{Bytes, Run};
use crate::level::Level;

/// The level, order and bytes that runs are decoded with.
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

    /// Decodes runs, two at a time, until there are no more: `next` gives another run, and `done` takes each at its
    /// end.
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
