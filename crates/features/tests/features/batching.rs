//! Promise: samples of many callers in one batch get an answer each, and the failure of one is not that of another.

use std::num::NonZeroUsize;
use std::time::Instant;

use futures::future::join_all;
use headwater_features::{ExtractorOptions, InferenceCounts, Unfinished};
use headwater_image::{Payload, Rgb8, Tensor};
use headwater_onnx::{Dim, ElementType, GraphBuilder, ValueFacts};
use headwater_types::{Address, FailureKind, ImageLimits, Size};

use crate::support::{SIDE, assert_close, expected, open, options, picture, slow_model, small};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_caller_gets_the_features_of_its_own_sample() {
    for (threads, max_batch) in [(1, 1), (1, 8), (3, 4)] {
        let options = ExtractorOptions {
            threads: NonZeroUsize::new(threads).unwrap(),
            max_batch: NonZeroUsize::new(max_batch),
            queue: 5,
            ..options()
        };
        let Some(extractor) = small(&options) else { return };
        assert_eq!(extractor.workers(), threads);
        let outcomes = join_all((0..200).map(|seed| extractor.extract(picture(seed)))).await;
        for (seed, outcome) in outcomes.into_iter().enumerate() {
            let extracted = outcome.unwrap();
            assert!((1..=max_batch).contains(&extracted.batch));
            assert_close(&extracted.features, &expected(&picture(seed as u32)), 1e-5);
        }
        let InferenceCounts { samples, failed, batches, batched, batch_sizes, .. } = extractor.counts();
        assert_eq!((samples, failed, batched), (200, 0, 200));
        assert_eq!(batch_sizes.iter().sum::<u64>(), batches);
        assert_eq!(extractor.waiting(), 0);
        assert!(batches >= 200 / max_batch as u64 && batches <= 200);
    }
}

#[tokio::test]
async fn samples_that_come_together_are_run_together() {
    let options = ExtractorOptions { threads: NonZeroUsize::MIN, queue: 64, ..options() };
    let Some(opened) = open(&slow_model(), None, &options) else { return };
    let extractor = opened.unwrap();
    assert_eq!(extractor.feature_len(), 64);
    let outcomes = join_all((0..17).map(|seed| extractor.extract(picture(seed)))).await;
    let largest = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().batch).max();
    assert_eq!(largest, Some(4), "while one runs the others gather");
    // Each sample again, one by one.
    for (seed, together) in outcomes.into_iter().enumerate() {
        let alone = extractor.extract(picture(seed as u32)).await.unwrap();
        assert_eq!(alone.batch, 1);
        let scale = alone.features.iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
        assert_close(&together.unwrap().features, &alone.features, scale * 1e-4);
    }
}

#[tokio::test]
async fn cpu_time_is_measured_where_it_is_asked_for_and_a_run_is_shared_by_its_samples() {
    let options = ExtractorOptions { threads: NonZeroUsize::MIN, queue: 64, ..options() };
    let Some(opened) = open(&slow_model(), None, &options) else { return };
    let extractor = opened.unwrap();
    let ask = async |seed: u32, measure_cpu: bool| {
        let (key, limits) = (format!("{seed}").parse().unwrap(), ImageLimits::default());
        let payload = picture(seed);
        let sample =
            Unfinished { payload, address: Address::default(), key, limits, measure_cpu, allow_non_finite: false };
        extractor.place().await.extract(sample).await.unwrap()
    };
    let began = Instant::now();
    let answers = join_all((0..16).map(|seed| ask(seed, seed % 2 == 0))).await;
    let wall = began.elapsed().as_secs_f64();
    let mut sum = 0.0;
    for (seed, answer) in answers.iter().enumerate() {
        assert_eq!(answer.cpu.is_some(), seed % 2 == 0);
        sum += answer.cpu.unwrap_or_default().0;
        assert!(answer.cpu.is_none_or(|cpu| cpu.0 > 0.0));
    }
    // There is one thread: the measured half of the samples cannot have taken more CPU time than it had, nor more than
    // all runs took.
    let runs: f64 = answers.iter().map(|answer| answer.infer.as_secs_f64() / answer.batch as f64).sum();
    assert!(sum <= wall && sum <= runs, "{sum} of {wall} s, in runs of {runs} s");
    let alone = ask(99, true).await;
    assert!(alone.cpu.unwrap().0 > 0.0 && alone.batch == 1);
}

#[tokio::test]
async fn a_sample_that_is_not_the_recipes_fails_alone() {
    let Some(extractor) = small(&options()) else { return };
    let odd = || Payload::Flipped(Rgb8::new(Size { width: SIDE, height: SIDE + 1 }, vec![0; 216]).unwrap());
    let mut payloads: Vec<_> = (0..40).map(picture).collect();
    payloads[3] = odd();
    payloads[17] = odd();
    let outcomes = join_all(payloads.into_iter().map(|payload| extractor.extract(payload))).await;
    for (seed, outcome) in outcomes.into_iter().enumerate() {
        match seed {
            3 | 17 => assert_eq!(outcome.unwrap_err().kind, FailureKind::Internal),
            _ => assert_close(&outcome.unwrap().features, &expected(&picture(seed as u32)), 1e-5),
        }
    }
    assert_eq!((extractor.counts().samples, extractor.counts().failed), (38, 2));
}

/// The model looks its input up in a table of two: any other number is an error of the whole run.
#[tokio::test]
async fn a_sample_that_the_model_fails_on_does_not_take_its_batch_along() {
    let mut graph = GraphBuilder::new("table");
    let axis = || Dim::symbol("N");
    graph.input(&ValueFacts::float32("input", &[axis(), Dim::Fixed(3), Dim::Fixed(8), Dim::Fixed(8)]));
    graph.global_average_pool("pool", "input").flatten("flat", "pool");
    graph.operator("Cast", &["flat"], "index", &[("to", ElementType::INT64.0)]);
    graph.constant("table", &[2], &[10.0, 20.0]).operator("Gather", &["table", "index"], "features", &[("axis", 0)]);
    graph.output(&ValueFacts::float32("features", &[axis(), Dim::Fixed(3)]));
    let options = ExtractorOptions { threads: NonZeroUsize::MIN, ..options() };
    let Some(opened) = open(&graph.finish(), None, &options) else { return };
    let extractor = opened.unwrap();
    let value = |index: usize| if index % 10 == 3 { 9.0 } else { (index % 2) as f32 };
    let outcomes = join_all((0..40).map(|index| extractor.extract_tensor(vec![value(index); 192]))).await;
    for (index, outcome) in outcomes.into_iter().enumerate() {
        if index % 10 == 3 {
            assert_eq!(outcome.unwrap_err().kind, FailureKind::Inference);
        } else {
            assert_eq!(outcome.unwrap().features, [10.0 + 10.0 * value(index); 3]);
        }
    }
    assert_eq!((extractor.counts().samples, extractor.counts().failed), (36, 4));
}

#[tokio::test]
async fn samples_whose_randomness_is_still_to_come_are_refused() {
    let Some(extractor) = small(&options()) else { return };
    let Payload::Flipped(pixels) = picture(1) else { panic!("not flipped") };
    let failure = extractor.extract(Payload::Cropped(pixels)).await.unwrap_err();
    assert!(failure.message.contains("not cropped"), "{failure}");
    assert!(extractor.extract_tensor(vec![0.0; 7]).await.is_err());
}

#[tokio::test]
async fn features_that_are_not_finite_are_failures_unless_they_are_insisted_on() {
    let Some(extractor) = small(&options()) else { return };
    let infinite = || Tensor::new(Size { width: SIDE, height: SIDE }, vec![f32::INFINITY; 192]).unwrap();
    let insisting = |allow_non_finite| Unfinished {
        payload: Payload::Normalized(infinite()),
        address: Address::default(),
        key: "a".parse().unwrap(),
        limits: ImageLimits::default(),
        measure_cpu: false,
        allow_non_finite,
    };
    let failure = extractor.place().await.extract(insisting(false)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFinite);
    assert!(failure.message.contains("of its 5 features are not finite"), "{failure}");
    let good = extractor.extract(picture(1)).await.unwrap();
    assert!(good.features.iter().all(|value| value.is_finite()), "its neighbours are served");
    let extracted = extractor.place().await.extract(insisting(true)).await.unwrap();
    assert!(!extracted.features.iter().all(|value| value.is_finite()));
    let counts = extractor.counts();
    assert_eq!((counts.non_finite, counts.failed, counts.samples), (2, 1, 2));
}

#[tokio::test]
async fn a_caller_that_went_away_is_not_computed_for() {
    let options =
        ExtractorOptions { threads: NonZeroUsize::MIN, max_batch: NonZeroUsize::new(1), queue: 64, ..options() };
    let Some(opened) = open(&slow_model(), None, &options) else { return };
    let extractor = opened.unwrap();
    {
        let mut waiting: Vec<_> = (0..20).map(|seed| Box::pin(extractor.extract(picture(seed)))).collect();
        for future in &mut waiting {
            // Queued now; the first may even be answered already, where this thread is held up.
            let _ = futures::poll!(future.as_mut());
        }
    }
    extractor.extract(picture(99)).await.unwrap();
    let InferenceCounts { samples, cancelled, .. } = extractor.counts();
    assert_eq!(samples + cancelled, 21);
    assert!(cancelled > 0, "all were computed, for nobody");
}

/// More callers than places, and the queue of one place: all are served, and dropping the extractor ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_waited_for() {
    let options = ExtractorOptions { queue: 0, ..options() };
    let Some(extractor) = small(&options) else { return };
    let outcomes = join_all((0..50).map(|seed| extractor.extract(picture(seed)))).await;
    assert!(outcomes.iter().all(Result::is_ok));
    drop(extractor);
}
