//! How the tokens of a class are spread over the slots of its table: evenly, so that each has slots of every cost.

use super::SLOTS;
use super::frequencies::Frequencies;

/// Odd, so that it comes by every slot once; as in Zstandard's FSE.
const STEP: usize = (SLOTS >> 1) + (SLOTS >> 3) + 3;

/// Calls `each` with every slot and its token, token by token.
pub(super) fn spread(frequencies: &Frequencies, mut each: impl FnMut(usize, usize)) {
    let mut slot = 0;
    for (token, &slots) in frequencies.0.iter().enumerate() {
        for _ in 0..slots {
            each(slot, token);
            slot = (slot + STEP) % SLOTS;
        }
    }
}
