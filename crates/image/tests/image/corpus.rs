//! Promise: an awkward or hostile file gives a typed error or a picture, the same at every cut, in bounded memory.

use headwater_image::{ImageError, Payload, Scratch, advance, finish_into, read_header};
use headwater_types::{Address, Cut, Draws, FailureKind, ImageLimits, Recipe, SampleFailure, SampleKey};

use crate::data;

/// Outcome at a cut: bits of the finished tensor, or the failure's kind.
fn outcome(recipe: &Recipe, bytes: &[u8], cut: Cut, scratch: &mut Scratch) -> Result<Vec<u32>, FailureKind> {
    let key: SampleKey = "corpus".parse().unwrap();
    let draws = Draws { address: Address::new(3, 1), key: &key };
    let limits = ImageLimits::default();
    let run = |scratch: &mut Scratch| -> Result<Vec<u32>, ImageError> {
        let payload = advance(recipe, Payload::Encoded(bytes.to_vec().into()), cut, &draws, &limits, scratch)?;
        let mut row = vec![0.0; (recipe.output_size().pixels() * 3) as usize];
        finish_into(recipe, &payload, &draws, &limits, scratch, &mut row)?;
        Ok(row.into_iter().map(f32::to_bits).collect())
    };
    run(scratch).map_err(|error| SampleFailure::from(error).kind)
}

#[test]
fn every_file_of_the_corpus_fails_or_decodes_alike_at_every_cut() {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    // One scratch for all files: a broken one must leave nothing behind that the next one shows.
    let mut scratch = Scratch::new();
    for (folder, step) in [("corpus", 1), ("photos", 40)] {
        let (mut good, mut failed) = (0, 0);
        for path in data::files(folder, step) {
            let bytes = std::fs::read(&path).unwrap();
            let direct = outcome(&recipe, &bytes, Cut::Encoded, &mut scratch);
            for cut in Cut::PIXELS[1..].iter().filter(|&&cut| cut != Cut::JpegCrop) {
                assert_eq!(outcome(&recipe, &bytes, *cut, &mut scratch), direct, "{} at {cut}", path.display());
            }
            match direct {
                Ok(_) => good += 1,
                Err(kind) => {
                    let typed = [FailureKind::UnsupportedFormat, FailureKind::Malformed, FailureKind::LimitExceeded];
                    assert!(typed.contains(&kind), "{}: {kind}", path.display());
                    failed += 1;
                }
            }
        }
        println!("{folder}: {good} decoded, {failed} failed");
    }
}

#[test]
fn what_the_header_promises_is_within_the_limits() {
    let limits = ImageLimits::default();
    for path in data::files("corpus", 1) {
        let bytes = std::fs::read(&path).unwrap();
        if let Ok(header) = read_header(&bytes, Default::default(), &limits) {
            assert!(header.memory <= limits.max_sample_memory, "{}", path.display());
            assert!(header.memory.get() >= header.size.pixels() * 3 + bytes.len() as u64);
        }
    }
}
