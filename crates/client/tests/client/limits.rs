//! Clients take photos up to the limits that servers tell, and no further than their own.

use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_client::{ClientOptions, FetchRequest, Finisher, Sample};
use headwater_types::{ByteCount, Cut, FailureKind, ImageLimits, Recipe, SampleFailure, Way};
use headwater_wire::proto;

use crate::common::{connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, Step, steps};
use crate::finish::jpeg;

/// A photo's sides whose product is over the default of `--max-pixels`, and below ten times as much.
const LARGE: (u32, u32) = (10_000, 9_001);

/// Crops that say that their photos are large.
fn of_large_photos() -> Script {
    Arc::new(|holding, _, fetch| {
        let mut all = holding.honest(fetch, 4);
        for step in &mut all {
            let Step::Send(batch) = step else { continue };
            batch.iter_mut().for_each(|sample: &mut proto::Sample| (sample.source_width, sample.source_height) = LARGE);
        }
        steps(all)
    })
}

fn holding(told: Option<ImageLimits>) -> Holding {
    let photo = |i: u32| Photo { key: format!("red/{i}.jpg"), bytes: jpeg(40 + i, 30) };
    Holding { photos: (0..2).map(photo).collect(), limits: told, ..Holding::default() }
}

fn cropped() -> FetchRequest {
    FetchRequest {
        recipe: Recipe::builtin("imagenet-eval"),
        ways: Way::raw(Cut::Cropped).into(),
        ..encoded(0..2, true)
    }
}

async fn cropped_of_large_photos(told: Option<ImageLimits>, own: ImageLimits) -> Vec<Sample> {
    let fake = Fake::start(holding(told), of_large_photos());
    let dataset = connect_with(&[&fake], ClientOptions { limits: own, ..options() }).await;
    gather(dataset.fetch(cropped()).unwrap()).await
}

fn failures(samples: Vec<Sample>) -> Vec<SampleFailure> {
    samples.into_iter().map(|sample| sample.outcome.unwrap_err()).collect()
}

fn raised() -> ImageLimits {
    ImageLimits { max_pixels: 100_000_000, ..ImageLimits::default() }
}

#[tokio::test]
async fn a_limit_that_was_raised_at_the_server_is_raised_at_the_client() {
    let samples = cropped_of_large_photos(Some(raised()), ClientOptions::default().limits).await;
    assert!(samples.iter().all(|sample| sample.outcome.is_ok()), "{samples:?}");
}

#[tokio::test]
async fn what_is_past_the_servers_own_limit_is_a_breach() {
    for told in [None, Some(ImageLimits::default())] {
        for failure in failures(cropped_of_large_photos(told, ClientOptions::default().limits).await) {
            assert_eq!(failure.kind, FailureKind::Internal);
            assert!(failure.message.contains("pixels 90010000 are past the limits"), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_clients_own_limit_holds_and_is_named() {
    let own = ImageLimits { max_pixels: 90_000_000, ..ImageLimits::of_clients() };
    for failure in failures(cropped_of_large_photos(Some(raised()), own).await) {
        assert_eq!(failure.kind, FailureKind::LimitExceeded);
        let words = "pixels 90010000 over the limit of 90000000: raise --max-pixels here, at the client";
        assert!(failure.message.contains(words) && failure.message.contains("max_pixels=..."), "{failure}");
    }
}

#[tokio::test]
async fn photos_that_are_decoded_here_are_held_against_the_same_limits() {
    let limit = |max_pixels| ImageLimits { max_pixels, ..ImageLimits::default() };
    for (told, own, place) in
        [(limit(100), limit(200), "at the server"), (limit(200), limit(100), "here, at the client")]
    {
        let fake = Fake::honest(holding(Some(told)));
        let dataset = connect_with(&[&fake], ClientOptions { limits: own, ..options() }).await;
        let recipe = Arc::new(Recipe::builtin("imagenet-eval").unwrap());
        let finisher = Finisher::new(NonZeroUsize::MIN).unwrap();
        for sample in gather(dataset.fetch(encoded(0..2, true)).unwrap()).await {
            let failure = finisher.finish(&recipe, sample).await.outcome.unwrap_err();
            assert_eq!(failure.kind, FailureKind::LimitExceeded);
            assert!(
                failure.message.contains(&format!("over the limit of 100: raise --max-pixels {place}")),
                "{failure}"
            );
        }
    }
}

#[tokio::test]
async fn a_server_hears_how_long_a_payload_may_be() {
    let told = ImageLimits { max_sample_memory: ByteCount::mebibytes(512), ..ImageLimits::default() };
    let own = ImageLimits { max_sample_memory: ByteCount::mebibytes(300), ..ImageLimits::of_clients() };
    let asks: Script = Arc::new(|holding, _, fetch| {
        assert_eq!(fetch.max_payload, ByteCount::mebibytes(300));
        steps(holding.honest(fetch, 4))
    });
    let fake = Fake::start(holding(Some(told)), asks);
    let dataset = connect_with(&[&fake], ClientOptions { limits: own, ..options() }).await;
    assert_eq!(gather(dataset.fetch(cropped()).unwrap()).await.len(), 2);
}
