//! Run-length coded indices, read as Pillow reads them.
//!
//! ```text
//! n > 0 | index or two of 4 bits      n pixels           0 | 0            the row ends
//! 0 | n > 2 | indices, padded to 2    as they are        0 | 1            the picture ends
//!                                                        0 | 2 | x | y    x pixels and y rows are left out
//! ```

/// Runs, and how far they are read. Pixels are counted in the order of storage.
pub(super) struct Runs<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte.
    next: usize,
    fours: bool,
    width: usize,
    /// Pixels of the picture.
    pixels: usize,
    /// Pixels that are done.
    done: usize,
    /// The column, which a run that is too long for its row takes beyond it.
    x: usize,
}

// === impl Runs ===

impl<'a> Runs<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize, fours: bool, width: usize, pixels: usize) -> Self {
        Self { bytes, next: at, fours, width, pixels, done: 0, x: 0 }
    }

    /// Gives each pixel its index, by its place, and says how many there were before the runs ended.
    pub(super) fn read(&mut self, mut set: impl FnMut(usize, u8)) -> usize {
        while self.done < self.pixels {
            let Some(&[count, value]) = self.take(2).and_then(|bytes| bytes.first_chunk::<2>()) else { break };
            let goes_on = match (count, value) {
                (0, 0) => {
                    self.put(self.done.next_multiple_of(self.width) - self.done, |_| 0, &mut set);
                    self.x = 0;
                    true
                }
                (0, 1) => false,
                (0, 2) => self.leave_out(&mut set),
                (0, count) => self.literal(count.into(), &mut set),
                (count, value) => {
                    let count = usize::from(count).min(self.width.saturating_sub(self.x));
                    let pair = if self.fours { [value >> 4, value & 15] } else { [value; 2] };
                    self.put(count, |place| pair[place % 2], &mut set);
                    self.x += count;
                    true
                }
            };
            if !goes_on {
                break;
            }
        }
        self.done
    }

    fn leave_out(&mut self, set: &mut impl FnMut(usize, u8)) -> bool {
        let Some(&[right, up]) = self.take(2).and_then(|bytes| bytes.first_chunk::<2>()) else { return false };
        self.put(usize::from(right) + usize::from(up) * self.width, |_| 0, set);
        self.x = self.done % self.width;
        true
    }

    fn literal(&mut self, stated: usize, set: &mut impl FnMut(usize, u8)) -> bool {
        let count = stated.min(self.pixels - self.done);
        let Some(stored) = self.take(if self.fours { count.div_ceil(2) } else { count }) else { return false };
        let fours = self.fours;
        let index = |place: usize| match fours {
            true if place.is_multiple_of(2) => stored[place / 2] >> 4,
            true => stored[place / 2] & 15,
            false => stored[place],
        };
        self.put(count, index, set);
        self.x += stated;
        self.next = self.next.next_multiple_of(2);
        true
    }

    /// Pixels, as many of them as there is room for.
    fn put(&mut self, count: usize, index: impl Fn(usize) -> u8, set: &mut impl FnMut(usize, u8)) {
        let count = count.min(self.pixels - self.done);
        (0..count).for_each(|place| set(self.done + place, index(place)));
        self.done += count;
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.next..)?.get(..count)?;
        self.next += count;
        Some(taken)
    }
}
