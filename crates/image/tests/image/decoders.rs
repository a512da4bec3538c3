//! Promise: a JPEG has the same pixels, crops and errors whether our own decoder or libjpeg-turbo decodes it.

use headwater_image::{ImageError, IndexedJpeg, Payload, Rgb8, Scratch, decode, finish_into};
use headwater_types::recipe::Orientation;
use headwater_types::{Address, Draws, ImageLimits, Recipe, SampleKey};

use crate::data;

/// The outcome of some bytes: the decoded photo, and a sample of each recipe.
type Outcome = (Result<Rgb8, ImageError>, Vec<Result<Vec<u32>, ImageError>>);

fn outcome(payload: &Payload, bytes: &[u8], scratch: &mut Scratch) -> Outcome {
    let limits = ImageLimits::default();
    let key: SampleKey = "photo".parse().unwrap();
    let mut sample = |name: &str, epoch: u64| {
        let recipe = Recipe::builtin(name).unwrap();
        let draws = Draws { address: Address::new(7, epoch), key: &key };
        let mut row = vec![0.0; (recipe.output_size().pixels() * 3) as usize];
        finish_into(&recipe, payload, &draws, &limits, scratch, &mut row)?;
        Ok(row.into_iter().map(f32::to_bits).collect())
    };
    let recipes = [("imagenet-train", 0), ("imagenet-train", 1), ("imagenet-eval", 0), ("imagenet-train-fast", 2)];
    let samples = recipes.into_iter().map(|(name, epoch)| sample(name, epoch)).collect();
    (decode(bytes, Orientation::Exif, &limits, scratch), samples)
}

fn hold_against_each_other(name: &str, payload: &Payload, bytes: &[u8]) {
    let (own, turbo) = (Scratch::new(), Scratch::by_libjpeg_turbo());
    let [own, turbo] = [own, turbo].map(|mut scratch| outcome(payload, bytes, &mut scratch));
    assert!(own == turbo, "{name}");
}

#[test]
fn every_photo_comes_out_alike() {
    for (folder, step) in [("corpus", 1), ("photos", 16)] {
        for path in data::files(folder, step) {
            let bytes = bytes::Bytes::from(std::fs::read(&path).unwrap());
            let name = path.display().to_string();
            hold_against_each_other(&name, &Payload::Encoded(bytes.clone()), &bytes);
            if let Ok(photo) = IndexedJpeg::rewrite(&bytes, &ImageLimits::default()) {
                let stored = photo.bytes().clone();
                hold_against_each_other(&name, &Payload::Indexed(photo), &stored);
            }
        }
    }
}

/// The first files of the fuzzers of decoder and re-writer, whole and cut short.
#[test]
fn every_file_of_the_fuzzers_comes_out_alike() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut files = 0;
    for target in ["image_decode", "jpeg_rewrite"] {
        for entry in root.join(target).read_dir().unwrap() {
            let path = entry.unwrap().path();
            let bytes = bytes::Bytes::from(std::fs::read(&path).unwrap());
            for length in [bytes.len(), bytes.len() * 2 / 3, bytes.len() / 2] {
                let bytes = bytes.slice(..length);
                hold_against_each_other(&path.display().to_string(), &Payload::Encoded(bytes.clone()), &bytes);
            }
            files += 1;
        }
    }
    assert!(files > 20);
}
