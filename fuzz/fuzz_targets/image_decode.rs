//! Pixels of any bytes: no panic, no bad access, the size that the header promised, and the same tensor whether or not
//! all of it was decoded, at whatever scale.
#![no_main]

use headwater_fuzz::small_limits;
use headwater_image::{Payload, Scratch, advance, finish_into};
use headwater_types::{Address, Cut, Draws, Recipe, SampleKey};
use libfuzzer_sys::fuzz_target;

/// So small that most photos are decoded at a fraction of their size.
const FAST: &str = r#"
name = "fast"
[[stage]]
op = "decode"
decode = "fast"
[[stage]]
op = "random-resized-crop"
size = 12
[[stage]]
op = "to-tensor"
"#;

fuzz_target!(|bytes: &[u8]| {
    let limits = small_limits();
    let Ok(key) = "fuzz".parse::<SampleKey>() else { return };
    let draws = Draws { address: Address::new(1, 0), key: &key };
    let mut scratch = Scratch::new();
    for recipe in Recipe::builtin("imagenet-train").into_iter().chain(Recipe::from_toml(FAST)) {
        let encoded = Payload::Encoded(bytes.to_vec().into());
        let length = (recipe.output_size().pixels() * 3) as usize;
        let mut rows = [vec![0.0; length], vec![0.0; length]];
        let direct = finish_into(&recipe, &encoded, &draws, &limits, &mut scratch, &mut rows[0]);
        let stepped = advance(&recipe, encoded, Cut::Decoded, &draws, &limits, &mut scratch)
            .and_then(|decoded| finish_into(&recipe, &decoded, &draws, &limits, &mut scratch, &mut rows[1]));
        assert_eq!(direct, stepped);
        assert!(direct.is_err() || rows[0] == rows[1]);
    }
});
