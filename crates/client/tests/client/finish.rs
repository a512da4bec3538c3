//! Whatever the cut, the client finishes the recipe and gets the same bits.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_client::{FetchRequest, Finished, Finisher};
use headwater_types::{Cut, Epoch, FailureKind, ImageLimits, Recipe, Seed};

use crate::common::{connect, encoded, gather};
use crate::fake::{Fake, Holding, Photo};

/// A PNG whose pixels all differ from their neighbours.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..width * height * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file.into_inner()
}

fn holding() -> Holding {
    let photo = |(i, bytes)| Photo { key: format!("red/{i}.png"), bytes };
    let photos = [png(40, 30), png(7, 90), b"no photo".to_vec(), png(300, 20)];
    Holding { photos: photos.into_iter().enumerate().map(photo).collect(), ..Holding::default() }
}

async fn finish(fake: &Fake, recipe: &str, cut: Cut, epoch: Epoch) -> Vec<Finished> {
    let (recipe, seed) = (Recipe::builtin(recipe).unwrap(), Seed(3));
    let request = FetchRequest { recipe: Some(recipe.clone()), cut: cut.into(), seed, epoch, ..encoded(0..4, true) };
    let finisher = Finisher::new(NonZeroUsize::MIN, ImageLimits::default()).unwrap();
    let recipe = Arc::new(recipe);
    let mut finished = Vec::new();
    for sample in gather(connect(&[fake]).await.fetch(request).unwrap()).await {
        finished.push(finisher.finish(&recipe, sample, seed, epoch).await);
    }
    finished
}

#[tokio::test]
async fn every_pixel_cut_ends_in_the_same_tensor_and_the_same_failure() {
    let fake = Fake::honest(holding());
    for recipe in ["imagenet-train", "imagenet-eval", "mobilenet-eval"] {
        let expected = finish(&fake, recipe, Cut::Normalized, Epoch(1)).await;
        assert_eq!(expected[0].outcome.as_ref().unwrap().tensor.values().len(), 3 * 224 * 224);
        assert_eq!(expected[2].outcome.as_ref().unwrap_err().kind, FailureKind::UnsupportedFormat);
        for cut in Cut::PIXELS {
            assert_eq!(finish(&fake, recipe, cut, Epoch(1)).await, expected, "{recipe} {cut}");
        }
    }
    let (first, second) = (
        finish(&fake, "imagenet-train", Cut::Encoded, Epoch(1)).await,
        finish(&fake, "imagenet-train", Cut::Encoded, Epoch(2)).await,
    );
    assert_ne!(first[0], second[0], "another epoch is another crop");
}
