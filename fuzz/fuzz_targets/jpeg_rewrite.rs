//! Any bytes, re-written to be cropped without decoding: a reason why not, or the same pixels, whole and cropped, in no
//! more bytes than are promised; no panic, and no bad access.
#![no_main]

use headwater_fuzz::small_limits;
use headwater_image::{IndexedJpeg, Payload, Scratch, advance, decode, finish_into};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, Cut, Draws, Recipe, SampleKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = small_limits();
    let Ok(photo) = IndexedJpeg::rewrite(bytes, &limits) else { return };
    assert!(photo.bytes().len() <= bytes.len() + bytes.len() / 4 + 4096);
    assert_eq!(IndexedJpeg::open(photo.bytes().clone(), &limits).as_ref(), Ok(&photo));
    let mut scratch = Scratch::new();
    let stored = decode(bytes, Orientation::Stored, &limits, &mut scratch);
    assert!(stored.is_ok(), "{stored:?}");
    assert_eq!(decode(photo.bytes(), Orientation::Stored, &limits, &mut scratch), stored);

    let Ok(key) = "fuzz".parse::<SampleKey>() else { return };
    for name in ["imagenet-train", "imagenet-eval"] {
        let Some(recipe) = Recipe::builtin(name) else { return };
        let draws = Draws { address: Address::new(bytes.len() as u64, 0), key: &key };
        let mut rows = [vec![0.0; 3 * 224 * 224], vec![0.0; 3 * 224 * 224]];
        let encoded = Payload::Encoded(bytes.to_vec().into());
        let direct = finish_into(&recipe, &encoded, &draws, &limits, &mut scratch, &mut rows[0]);
        let indexed = Payload::Indexed(photo.clone());
        let piece = advance(&recipe, indexed, Cut::JpegCrop, &draws, &limits, &mut scratch)
            .and_then(|piece| finish_into(&recipe, &piece, &draws, &limits, &mut scratch, &mut rows[1]));
        assert_eq!((direct, piece), (Ok(()), Ok(())));
        assert!(rows[0] == rows[1]);
    }
});
