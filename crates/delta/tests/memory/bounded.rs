//! Promise: memory beside the models is bounded, however large they are.

use headwater_delta::{Limits, apply, encode};

use crate::heap::{alone, peak_of};
use crate::support::{Dice, model, trained_file, weights};

#[test]
fn memory_beside_both_models_is_bounded() {
    let _alone = alone();
    let mut dice = Dice(8);
    let weights = weights(4_000_000, &mut dice);
    let base = model(&[("a", &weights)]);
    let target = trained_file(&base, 1, &mut dice);
    let (delta, peak) = peak_of(|| encode(&base, &target));
    let beside = peak - delta.capacity() as u64;
    println!("encoding takes {} MiB beside 2 x {} MiB and the delta", beside >> 20, base.len() >> 20);
    assert!(beside < 48 << 20, "{beside}: what Zstandard takes comes on top");
    let (restored, peak) = peak_of(|| apply(&base, &delta, &Limits::default()).unwrap());
    assert!(peak - (restored.len() as u64) < 8 << 20, "{peak}");
}
