//! A delta of two models.

use crate::block;
use crate::header::{self, HEADER_BYTES};
use crate::pairs::pairs;
use crate::parts::Kind;

/// The delta that makes the target of the base. Any two files have one; between models that were trained from each
/// other it is short. The same two files always give the same delta.
pub fn encode(base: &[u8], target: &[u8]) -> Vec<u8> {
    let parts = pairs(base, target);
    // Between models that were trained from each other there is seldom more.
    let mut delta = Vec::with_capacity(HEADER_BYTES + target.len() / 4 * 3);
    delta.resize(HEADER_BYTES, 0);
    parts.write(&mut delta);
    for kind in Kind::streams() {
        block::encode(base, target, kind, &parts.runs(kind), &mut delta);
    }
    header::write(&mut delta, base, target);
    delta
}
