//! Any bytes, opened as a photo that was re-written to be cropped without decoding; and as a piece of one, come over a
//! network. An error, or another picture: no panic, no bad access, and no piece of another size than it says.
#![no_main]

use bytes::Bytes;
use headwater_fuzz::small_limits;
use headwater_image::{IndexedJpeg, JpegCrop, Payload, Scratch, decode, finish_into, read_header};
use headwater_types::{Address, Draws, Framing, Position, Recipe, SampleKey, Size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = small_limits();
    let Ok(key) = "fuzz".parse::<SampleKey>() else { return };
    let draws = Draws { address: Address::new(bytes.len() as u64, 0), key: &key };
    let bytes = Bytes::copy_from_slice(bytes);
    let mut scratch = Scratch::new();
    let mut row = vec![0.0; 3 * 224 * 224];
    for name in ["imagenet-train", "imagenet-eval"] {
        let Some(recipe) = Recipe::builtin(name) else { return };
        let orientation = recipe.stages().orientation;
        let mut finish = |crop: JpegCrop| {
            let _ = finish_into(&recipe, &Payload::JpegCrop(crop), &draws, &limits, &mut scratch, &mut row);
        };
        if let Ok(photo) = IndexedJpeg::open(bytes.clone(), &limits) {
            let framing = Framing::new(recipe.stages(), photo.size(orientation), &draws);
            if let Ok(crop) = photo.slice(recipe.stages(), &framing) {
                if let Ok(header) = read_header(&crop.jpeg, orientation, &limits) {
                    assert!(crop.origin.x + header.size.width <= crop.source.width);
                    assert!(crop.origin.y + header.size.height <= crop.source.height);
                }
                finish(crop);
            }
            let _ = decode(&bytes, orientation, &limits, &mut Scratch::new());
        }
        // What a piece says of itself is taken from its last bytes.
        let word = |at: usize| u32::from(*bytes.iter().rev().nth(at).unwrap_or(&0));
        let origin = Position { x: word(0), y: word(1) };
        finish(JpegCrop { jpeg: bytes.clone(), origin, source: Size { width: word(2) * 2, height: word(3) * 2 } });
    }
});
