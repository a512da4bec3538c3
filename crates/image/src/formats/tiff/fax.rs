//! Fax (CCITT, ITU-T T.4 in one dimension and T.6): lines of black and white, packed into bits, of which 1 is black.

use fax::decoder::{DecodeStatus, Group3Decoder, Group4Decoder};

/// The lines that are to be filled.
struct Lines<'a> {
    out: &'a mut [u8],
    width: u32,
    /// Lines that are done.
    done: usize,
}

/// Decodes T.4 of one dimension into rows of `width` bits. `None` where the codes are damaged.
pub(super) fn group3(bytes: &[u8], width: u32, out: &mut [u8]) -> Option<()> {
    let mut lines = Lines::new(width, out);
    let mut decoder = Group3Decoder::new(bytes.iter().map(|byte| Ok::<u8, ()>(*byte))).ok()?;
    while lines.is_open() {
        let status = decoder.advance();
        // The last line need not be followed by a mark.
        if status.is_err() && decoder.transitions().last() < Some(&width) {
            return None;
        }
        lines.put(decoder.transitions());
        if !matches!(status, Ok(DecodeStatus::Incomplete)) {
            break;
        }
    }
    Some(())
}

/// Decodes T.6 into rows of `width` bits. Rows that an end mark leaves out are white. `None` where the codes are
/// damaged.
pub(super) fn group4(bytes: &[u8], width: u32, out: &mut [u8]) -> Option<()> {
    let mut lines = Lines::new(width, out);
    let mut decoder = Group4Decoder::new(bytes.iter().map(|byte| Ok::<u8, ()>(*byte)), width).ok()?;
    while lines.is_open() {
        match decoder.advance().ok()? {
            DecodeStatus::Incomplete => lines.put(decoder.transition()),
            DecodeStatus::End => break,
        }
    }
    Some(())
}

// === impl Lines ===

impl<'a> Lines<'a> {
    fn new(width: u32, out: &'a mut [u8]) -> Self {
        out.fill(0);
        Self { out, width, done: 0 }
    }

    fn is_open(&self) -> bool {
        self.done < self.out.len() / self.stride()
    }

    /// A line that changes its colour at these places, white first.
    fn put(&mut self, changes: &[u32]) {
        let stride = self.stride();
        let line = &mut self.out[self.done * stride..][..stride];
        for pair in changes.chunks(2) {
            let end = pair.get(1).map_or(self.width, |end| *end.min(&self.width));
            (pair[0]..end).for_each(|x| line[x as usize / 8] |= 0x80 >> (x % 8));
        }
        self.done += 1;
    }

    fn stride(&self) -> usize {
        (self.width as usize).div_ceil(8)
    }
}
