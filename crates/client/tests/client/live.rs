//! A plan that changes while a stream runs: every sample once, as the plan of its moment says, and the same tensors.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use headwater_client::{ClientOptions, FetchRequest, Finisher, LivePlan, Sample, Ways};
use headwater_types::{Address, BitsPerSecond, ByteCount, Cut, ModelName, PixelCoding, Recipe, Way};

use crate::common::{connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, steps};
use crate::finish::jpeg;

const SAMPLES: u64 = 40;

fn holding(class: &str) -> Holding {
    let photo = |i: u64| Photo { key: format!("{class}/{i:04}"), bytes: jpeg(120 + i as u32, 90) };
    Holding { photos: (0..SAMPLES / 2).map(photo).collect(), ..Holding::default() }
}

/// One sample in each message, so that a call can be ended anywhere.
fn one_by_one() -> Script {
    Arc::new(|holding, _, fetch| steps(holding.honest(fetch, 1)))
}

/// Little ahead of the reader, so that what it does not read is not asked for yet.
fn narrow() -> ClientOptions {
    ClientOptions {
        window: ByteCount::new(4_000),
        chunk: NonZeroUsize::new(512).unwrap(),
        streams_per_server: NonZeroUsize::MIN,
        ..options()
    }
}

fn plan(cut: Cut) -> Arc<[Way]> {
    let coding = if cut == Cut::Flipped { PixelCoding::Lossless } else { PixelCoding::Raw };
    vec![Way::new(cut, coding).unwrap(); SAMPLES as usize].into()
}

fn request(live: &LivePlan) -> FetchRequest {
    FetchRequest {
        recipe: Recipe::builtin("imagenet-train"),
        ways: Ways::Live(live.clone()),
        addresses: Address::new(3, 1).into(),
        ..encoded(0..SAMPLES, false)
    }
}

async fn tensors(samples: Vec<Sample>) -> Vec<(u64, Vec<u32>)> {
    let finisher = Finisher::new(NonZeroUsize::MIN).unwrap();
    let recipe = Arc::new(Recipe::builtin("imagenet-train").unwrap());
    let mut tensors = Vec::new();
    for sample in samples {
        let (finished, cpu) = finisher.finish_metered(&recipe, sample).await;
        assert!(cpu.0 > 0.0);
        let values = finished.outcome.unwrap().tensor.values().iter().map(|value| value.to_bits()).collect();
        tensors.push((finished.index.0, values));
    }
    tensors.sort();
    tensors
}

#[tokio::test]
async fn however_often_the_plan_changes_each_sample_comes_once_with_the_same_bits() {
    let fakes = [Fake::start(holding("red"), one_by_one()), Fake::start(holding("blue"), one_by_one())];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], narrow()).await;
    let still = FetchRequest { addresses: Address::new(3, 1).into(), ..encoded(0..SAMPLES, true) };
    let still = gather(dataset.fetch(still).unwrap()).await;
    let expected = tensors(still).await;
    for every in [1, 3, 7] {
        let live = LivePlan::new(plan(Cut::Encoded)).unwrap();
        let mut stream = dataset.fetch(request(&live)).unwrap();
        let mut turns = [Cut::JpegCrop, Cut::Flipped, Cut::Decoded, Cut::Encoded].into_iter().cycle();
        let mut samples = Vec::new();
        while let Some(sample) = stream.next().await {
            samples.push(sample.unwrap());
            if samples.len() % every == 0 {
                live.set(plan(turns.next().unwrap())).unwrap();
            }
        }
        let cuts: std::collections::BTreeSet<_> =
            samples.iter().map(|sample| sample.outcome.as_ref().unwrap().way.cut()).collect();
        assert!(cuts.len() > 1, "every {every}: {cuts:?}");
        assert_eq!(tensors(samples).await, expected, "every {every}");
    }
    assert!(dataset.counters().replanned > 0);
    assert_eq!(dataset.counters().retries, 0, "an exchange of plans is no failure");
}

#[tokio::test]
async fn a_plan_that_says_the_same_of_what_is_to_come_ends_no_call() {
    let fake = Fake::start(holding("red"), one_by_one());
    let dataset = connect_with(&[&fake], narrow()).await;
    let half = SAMPLES as usize / 2;
    let live = LivePlan::new(vec![Way::ENCODED; half].into()).unwrap();
    let mut stream = dataset.fetch(FetchRequest { indices: (0..SAMPLES / 2).into(), ..request(&live) }).unwrap();
    let first = stream.next().await.unwrap().unwrap();
    let mut other = vec![Way::ENCODED; half];
    other[first.index.0 as usize] = Way::raw(Cut::Decoded);
    live.set(other.into()).unwrap();
    assert_eq!(stream.count().await, half - 1);
    assert_eq!((fake.calls().0, dataset.counters().replanned), (1, 0));
}

#[tokio::test]
async fn a_plan_that_does_not_fit_is_refused_and_the_old_one_stands() {
    let fake = Fake::start(holding("red"), one_by_one());
    let dataset = connect_with(&[&fake], narrow()).await;
    let ways = plan(Cut::Encoded);
    let live = LivePlan::new(Arc::clone(&ways)).unwrap();
    assert!(live.set(ways[1..].into()).is_err());
    assert!(live.set(plan(Cut::Features)).is_err());
    let of_the_wrong_length = FetchRequest { indices: (0..4).into(), ..request(&live) };
    assert!(dataset.fetch(of_the_wrong_length).is_err(), "the dataset has half as many");
}

#[tokio::test]
async fn a_plan_for_features_may_change_between_them_and_pixels_and_one_for_tensors_may_not() {
    let with_model = |class| holding(class).with_model("net", b"file", "mobilenet-eval", 4);
    let fakes = [Fake::start(with_model("red"), one_by_one()), Fake::start(with_model("blue"), one_by_one())];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], narrow()).await;
    assert!(LivePlan::new(plan(Cut::Features)).is_err());
    let live = LivePlan::with_features(plan(Cut::Features));
    let of_model = |model: Option<&str>| FetchRequest {
        recipe: None,
        model: model.map(|name| name.parse::<ModelName>().unwrap().into()),
        ..request(&live)
    };
    assert!(dataset.fetch(of_model(None)).is_err(), "features of no model");
    let mut stream = dataset.fetch(of_model(Some("net"))).unwrap();
    let mut turns = [Cut::Encoded, Cut::Features].into_iter().cycle();
    let (mut seen, mut came) = (Vec::new(), std::collections::BTreeSet::new());
    while let Some(sample) = stream.next().await {
        let sample = sample.unwrap();
        came.insert(sample.outcome.unwrap().way.cut());
        seen.push(sample.index.0);
        if seen.len() % 3 == 0 {
            live.set(plan(turns.next().unwrap())).unwrap();
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..SAMPLES).collect::<Vec<_>>());
    assert_eq!(came.into_iter().collect::<Vec<_>>(), [Cut::Encoded, Cut::Features]);
}

#[tokio::test]
async fn what_is_received_keeps_to_the_limit_over_all_servers() {
    let photo = |i: u64| Photo { key: format!("red/{i:04}"), bytes: vec![7; 50_000] };
    let holding = |class: &str| Holding {
        photos: (0..SAMPLES).map(|i| Photo { key: format!("{class}/{i}"), ..photo(i) }).collect(),
        ..Holding::default()
    };
    let fakes = [Fake::start(holding("red"), one_by_one()), Fake::start(holding("blue"), one_by_one())];
    let bandwidth = BitsPerSecond::new(32e6);
    let dataset = connect_with(&[&fakes[0], &fakes[1]], ClientOptions { bandwidth, ..options() }).await;
    let begin = Instant::now();
    let samples = gather(dataset.fetch(encoded(0..2 * SAMPLES, false)).unwrap()).await;
    let took = begin.elapsed();
    assert_eq!(samples.len() as u64, 2 * SAMPLES);
    // 4 MB at 4 MB a second. How much longer it may take on a busy machine is not for a test to say.
    assert!(took > Duration::from_millis(960), "{took:?}");
    dataset.throttle().unwrap().set(BitsPerSecond::new(320e6).unwrap());
    let begin = Instant::now();
    gather(dataset.fetch(encoded(0..2 * SAMPLES, false)).unwrap()).await;
    let faster = begin.elapsed();
    assert!(faster < took.mul_f64(0.7), "{faster:?} after {took:?}");
}
