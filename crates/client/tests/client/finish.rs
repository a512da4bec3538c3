//! Whatever the cut, the client finishes the recipe and gets the same bits.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_client::{FetchRequest, Finished, Finisher, Sample, Ways};
use headwater_testdata::{Encoding, Picture, Texture};
use headwater_types::{Address, Cut, DType, Epoch, FailureKind, PixelCoding, Recipe, Seed, Way};

use crate::common::{connect, encoded, gather};
use crate::fake::{Fake, Holding, Photo};

/// A PNG whose pixels all differ from their neighbours.
fn png(width: u32, height: u32) -> Vec<u8> {
    encode(width, height, |i| (i ^ i >> 7).wrapping_mul(2_654_435_761).rotate_left(i % 13).to_le_bytes()[3])
}

fn encode(width: u32, height: u32, byte: impl FnMut(u32) -> u8) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..width * height * 3).map(byte).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    file.into_inner()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    Encoding::JPEG.encode(&Picture::of(Texture::Rings, width, height, 5)).unwrap()
}

/// A PNG of one colour.
fn flat(width: u32, height: u32) -> Vec<u8> {
    encode(width, height, |_| 9)
}

fn holding() -> Holding {
    let photo = |(i, bytes)| Photo { key: format!("red/{i}"), bytes };
    let photos = [png(40, 30), jpeg(300, 200), b"no photo".to_vec(), jpeg(7, 90)];
    Holding { photos: photos.into_iter().enumerate().map(photo).collect(), ..Holding::default() }
}

/// How samples travel.
#[derive(Clone, Debug)]
struct Travel {
    ways: Ways,
    floats: bool,
}

impl From<Cut> for Travel {
    fn from(cut: Cut) -> Self {
        Self { ways: Way::raw(cut).into(), floats: true }
    }
}

async fn travel(fake: &Fake, recipe: &str, Travel { ways, floats }: Travel, epoch: Epoch) -> Vec<Sample> {
    let (recipe, addresses) = (Recipe::builtin(recipe), Address { seed: Seed(3), epoch }.into());
    let request = FetchRequest { recipe, ways, floats, addresses, ..encoded(0..4, true) };
    gather(connect(&[fake]).await.fetch(request).unwrap()).await
}

async fn finish(fake: &Fake, recipe: &str, way: impl Into<Travel>, epoch: Epoch) -> Vec<Finished> {
    let finisher = Finisher::new(NonZeroUsize::MIN).unwrap();
    let of_name = Arc::new(Recipe::builtin(recipe).unwrap());
    let mut finished = Vec::new();
    for sample in travel(fake, recipe, way.into(), epoch).await {
        finished.push(finisher.finish(&of_name, sample).await);
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
            let light = Travel { ways: Way::asked(cut, PixelCoding::Lossless, false).into(), floats: false };
            assert_eq!(finish(&fake, recipe, light, Epoch(1)).await, expected, "{recipe} {cut}, light");
        }
    }
    let (first, second) = (
        finish(&fake, "imagenet-train", Cut::Encoded, Epoch(1)).await,
        finish(&fake, "imagenet-train", Cut::Encoded, Epoch(2)).await,
    );
    assert_ne!(first[0], second[0], "another epoch is another crop");
}

/// What an accelerator is given.
#[tokio::test]
async fn pixels_that_are_made_ahead_are_those_of_the_cut_whatever_way_they_came() {
    let (fake, finisher) = (Fake::honest(holding()), Finisher::new(NonZeroUsize::MIN).unwrap());
    let recipe = Arc::new(Recipe::builtin("imagenet-eval").unwrap());
    let address = Address { seed: Seed(3), epoch: Epoch(0) };
    let made = async |cut: Cut| {
        let mut made = Vec::new();
        for Sample { key, limits, outcome, .. } in travel(&fake, "imagenet-eval", cut.into(), Epoch(0)).await {
            let Ok(delivered) = outcome else { continue };
            made.push(finisher.pixels(&recipe, (delivered, limits), (key.unwrap(), address)).await.0);
        }
        made
    };
    let expected = made(Cut::Flipped).await;
    assert!(expected.iter().all(|pixels| pixels.as_ref().is_ok_and(|pixels| pixels.cut() == Cut::Flipped)));
    for cut in [Cut::Encoded, Cut::Decoded, Cut::Cropped] {
        // The file that is no photo comes as it is stored, and fails here.
        let here = made(cut).await;
        assert_eq!(
            here.iter().filter(|pixels| pixels.is_ok()).collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>()
        );
    }
    assert!(made(Cut::Normalized).await.iter().all(|pixels| pixels.as_ref().unwrap().cut() == Cut::Normalized));
}

#[tokio::test]
async fn each_sample_travels_as_it_was_asked_for_and_says_how() {
    let photo = |bytes| Photo { key: "red/a.png".to_owned(), bytes };
    let photos = [png(40, 30), flat(50, 40), flat(50, 40), flat(60, 30)].map(photo).to_vec();
    let fake = Fake::honest(Holding { photos, ..Holding::default() });
    let cuts = [Cut::Decoded, Cut::Decoded, Cut::Decoded, Cut::Tensor];
    let pixels = [PixelCoding::Lossless, PixelCoding::Lossless, PixelCoding::Raw, PixelCoding::Lossless];
    let way = |floats| {
        let ways = cuts.into_iter().zip(pixels).map(|(cut, pixels)| Way::asked(cut, pixels, floats));
        Travel { ways: Ways::PerSample(ways.collect()), floats }
    };
    let came = async |floats| {
        let samples = travel(&fake, "imagenet-train", way(floats), Epoch(0)).await;
        let delivered = samples.into_iter().map(|sample| sample.outcome.unwrap());
        delivered.map(|d| (d.way.cut(), d.dtype, d.way.pixels(), d.payload.len())).collect::<Vec<_>>()
    };
    let (raw, lossless) = (PixelCoding::Raw, PixelCoding::Lossless);
    let light = came(false).await;
    assert_eq!(light[0], (Cut::Decoded, DType::U8, raw, 40 * 30 * 3), "noise would not become smaller");
    assert!(light[1].2 == lossless && light[1].3 < 1_000, "{:?}", light[1]);
    assert_eq!(light[2], (Cut::Decoded, DType::U8, raw, 50 * 40 * 3));
    assert!(light[3].0 == Cut::Flipped && light[3].2 == lossless && light[3].3 < 10_000, "{:?}", light[3]);
    assert_eq!(came(true).await[3], (Cut::Tensor, DType::F32, raw, 224 * 224 * 3 * 4));
    assert_eq!(
        finish(&fake, "imagenet-train", way(false), Epoch(0)).await,
        finish(&fake, "imagenet-train", way(true), Epoch(0)).await
    );
}
