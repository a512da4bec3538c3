//! Any bytes, decoded by our own JPEG decoder and by libjpeg-turbo: the same pixels, or the same error. Begin with the
//! corpora of others: `cargo fuzz run jpeg_decode corpus/jpeg_rewrite corpus/image_decode`.
#![no_main]

use bytes::Bytes;
use headwater_fuzz::small_limits;
use headwater_image::{Payload, Scratch, decode, finish_into};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, Draws, Recipe, SampleKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = small_limits();
    let Ok(key) = "fuzz".parse::<SampleKey>() else { return };
    let payload = Payload::Encoded(Bytes::copy_from_slice(bytes));
    let outcomes = [Scratch::new(), Scratch::by_libjpeg_turbo()].map(|mut scratch| {
        let photo = decode(bytes, Orientation::Stored, &limits, &mut scratch);
        let samples = ["imagenet-train", "imagenet-train-fast"].map(|name| {
            let recipe = Recipe::builtin(name)?;
            let draws = Draws { address: Address::new(bytes.len() as u64, 0), key: &key };
            let mut row = vec![0.0; 3 * 224 * 224];
            let outcome = finish_into(&recipe, &payload, &draws, &limits, &mut scratch, &mut row);
            Some(outcome.map(|()| row.into_iter().map(f32::to_bits).collect::<Vec<_>>()))
        });
        (photo, samples)
    });
    assert!(outcomes[0] == outcomes[1]);
});
