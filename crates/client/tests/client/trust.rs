//! What arrives is not trusted: it must be what was asked for, in the shape that its cut and recipe say.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::StreamExt;
use headwater_client::{ClientError, ClientOptions, FetchRequest, Finisher};
use headwater_image::{Rgb8, lossless};
use headwater_types::{Cut, FailureKind, PixelCoding, Recipe, SampleFailure, Size, Way};
use headwater_wire::{Asked, checksum, proto};
use tonic::{Code, Status};

use crate::common::{connect, connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, Step, steps};
use crate::finish::jpeg;

/// Answers truly, but for what is done to the sample of index 2.
fn tampered(tamper: impl Fn(&mut proto::Sample) + Send + Sync + 'static) -> Script {
    Arc::new(move |holding, _, fetch| {
        let mut all = holding.honest(fetch, 4);
        for step in &mut all {
            let Step::Send(batch) = step else { continue };
            batch.iter_mut().filter(|sample| sample.index == 2).for_each(&tamper);
        }
        steps(all)
    })
}

#[tokio::test]
async fn a_payload_that_never_arrives_whole_is_reported_after_a_few_tries() {
    let fake = Fake::start(Holding::of("red", 6), tampered(|sample| sample.checksum ^= 1));
    let dataset = connect(&[&fake]).await;
    let samples = gather(dataset.fetch(encoded(0..6, true)).unwrap()).await;
    let failed: Vec<_> = samples.iter().map(|s| s.outcome.as_ref().err().map(|f| f.kind)).collect();
    assert_eq!(failed, [None, None, Some(FailureKind::Checksum), None, None, None]);
    let counters = dataset.counters();
    assert_eq!((counters.sample_retries, counters.samples), (2, 6));
    assert_eq!(counters.failures, BTreeMap::from([(FailureKind::Checksum, 1)]));
    assert_eq!(fake.asked()[1..], [[2], [2]]);
}

#[tokio::test]
async fn a_sample_that_is_not_as_asked_is_a_failure_and_the_others_arrive() {
    type Tamper = fn(&mut proto::Sample);
    let cases: [(&str, Tamper); 7] = [
        ("cut", |s| s.way = proto::Way::Flipped as i32),
        ("way number", |s| s.way = 77),
        ("label", |s| s.label = Some(1)),
        ("key", |s| s.key.clear()),
        ("key above the root", |s| s.key = "../x".to_owned()),
        ("shape", |s| s.shape = vec![1, 2, 3]),
        ("photo's size", |s| (s.source_width, s.source_height) = (70_000, 1)),
    ];
    for (what, tamper) in cases {
        let fake = Fake::start(Holding::of("red", 6), tampered(tamper));
        let samples = gather(connect(&[&fake]).await.fetch(encoded(0..6, true)).unwrap()).await;
        for sample in samples {
            match sample.outcome {
                Ok(_) => assert_ne!(sample.index.0, 2, "{what}"),
                Err(failure) => {
                    assert_eq!((sample.index.0, failure.kind), (2, FailureKind::Internal), "{what}");
                    assert!(failure.message.contains(&fake.address().to_string()), "{failure}");
                }
            }
        }
    }
}

#[tokio::test]
async fn features_of_another_length_are_refused() {
    let holding = Holding::of("red", 6).with_model("net", b"file", "mobilenet-eval", 4);
    let longer = tampered(|sample| {
        sample.shape = vec![5];
        sample.payload = vec![0; 20].into();
        sample.checksum = checksum(sample.index, &sample.payload);
    });
    let fake = Fake::start(holding, longer);
    let request = FetchRequest { ordered: true, ..FetchRequest::features(0..6, "net".parse().unwrap()) };
    let samples = gather(connect(&[&fake]).await.fetch(request).unwrap()).await;
    let good: Vec<_> = samples.iter().map(|s| s.outcome.is_ok()).collect();
    assert_eq!(good, [true, true, false, true, true, true]);
}

#[tokio::test]
async fn features_that_are_not_finite_are_failures_unless_they_are_insisted_on() {
    let nan = || {
        tampered(|sample| {
            sample.payload = [1.0, f32::NAN, 2.0, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
            sample.checksum = checksum(sample.index, &sample.payload);
        })
    };
    for allow_non_finite in [false, true] {
        let fake = Fake::start(Holding::of("red", 6).with_model("net", b"file", "mobilenet-eval", 4), nan());
        let dataset = connect_with(&[&fake], ClientOptions { allow_non_finite, ..options() }).await;
        let request = FetchRequest { ordered: true, ..FetchRequest::features(0..6, "net".parse().unwrap()) };
        for sample in gather(dataset.fetch(request).unwrap()).await {
            let failed = sample.outcome.err().map(|failure| failure.kind);
            let expected = (sample.index.0 == 2 && !allow_non_finite).then_some(FailureKind::NotFinite);
            assert_eq!(failed, expected, "{}", sample.index.0);
        }
    }
}

#[tokio::test]
async fn pixels_of_another_size_than_the_recipe_says_are_refused() {
    let liar: Script = Arc::new(|_, _, fetch| {
        let sample = |Asked { index, position, .. }: Asked| {
            let (index, position) = (index.0, Some(position));
            let payload = bytes::Bytes::from(vec![0; 2 * 2 * 3]);
            proto::Sample {
                index,
                position,
                key: "red/x.jpg".to_owned(),
                way: proto::Way::Cropped as i32,
                dtype: proto::ElementType::U8 as i32,
                shape: vec![2, 2, 3],
                checksum: checksum(index, &payload),
                payload,
                source_width: 9,
                source_height: 9,
                ..proto::Sample::default()
            }
        };
        steps(vec![Step::Send(fetch.iter().map(sample).collect())])
    });
    let fake = Fake::start(Holding::of("red", 2), liar);
    let recipe = Recipe::builtin("imagenet-eval");
    let request = FetchRequest { recipe, ways: Way::raw(Cut::Cropped).into(), ..encoded(0..2, true) };
    for sample in gather(connect(&[&fake]).await.fetch(request).unwrap()).await {
        assert!(sample.outcome.unwrap_err().message.contains("[2, 2, 3]"));
    }
}

/// What comes of sample 2 of four JPEGs that are asked for so, once it was tampered with; the others are sound.
async fn tampered_with(
    tamper: impl Fn(&mut proto::Sample) + Send + Sync + 'static,
    request: FetchRequest,
) -> SampleFailure {
    let photo = |i: u32| Photo { key: format!("red/{i}.jpg"), bytes: jpeg(200 + i, 160) };
    let holding = Holding { photos: (0..4).map(photo).collect(), ..Holding::default() };
    let fake = Fake::start(holding, tampered(tamper));
    let recipe = Arc::new(Recipe::builtin("imagenet-train").unwrap());
    let request = FetchRequest { recipe: Some((*recipe).clone()), indices: (0..4).into(), ordered: true, ..request };
    let finisher = Finisher::new(NonZeroUsize::MIN).unwrap();
    let mut failure = None;
    for sample in gather(connect(&[&fake]).await.fetch(request).unwrap()).await {
        let finished = finisher.finish(&recipe, sample).await;
        match finished.outcome {
            Ok(_) => assert_ne!(finished.index.0, 2),
            Err(problem) => {
                assert_eq!(finished.index.0, 2, "{problem}");
                failure = Some(problem);
            }
        }
    }
    failure.unwrap()
}

fn resealed(sample: &mut proto::Sample, payload: Vec<u8>) {
    sample.payload = payload.into();
    sample.checksum = checksum(sample.index, &sample.payload);
}

#[tokio::test]
async fn a_crop_that_does_not_lie_in_its_photo_is_a_failure_of_its_sample() {
    type Tamper = fn(&mut proto::Sample);
    let cases: [(&str, Tamper); 9] = [
        ("outside its photo", |s| s.origin_x = s.source_width),
        ("outside its photo", |s| (s.origin_x, s.origin_y) = (u32::MAX, u32::MAX)),
        ("within", |s| (s.source_width, s.source_height) = (s.origin_x + 1, s.origin_y + 1)),
        ("holds", |s| (s.source_width, s.source_height) = (60_000, 1_000)),
        ("past the limits", |s| s.source_width = u32::MAX),
        ("size is missing", |s| s.source_width = 0),
        ("is not uint8 of shape", |s| {
            s.shape = vec![1, 1, s.payload.len() as u32];
        }),
        ("content is", |s| {
            let length = s.payload.len();
            resealed(s, vec![7; length]);
        }),
        ("broken", |s| {
            let short = s.payload[..s.payload.len() / 8].to_vec();
            s.shape = vec![short.len() as u32];
            resealed(s, short);
        }),
    ];
    for (words, tamper) in cases {
        let request = FetchRequest { ways: Way::raw(Cut::JpegCrop).into(), ..encoded(0..4, true) };
        let failure = tampered_with(tamper, request).await;
        assert!(failure.message.contains(words), "{words:?}: {failure}");
    }
}

#[tokio::test]
async fn coded_pixels_that_are_no_picture_are_a_failure_of_their_sample() {
    type Tamper = fn(&mut proto::Sample);
    let cases: [(&str, Tamper); 4] = [
        ("broken losslessly coded pixels", |s| resealed(s, vec![7; 5_000])),
        ("broken losslessly coded pixels", |s| {
            let short = s.payload[..s.payload.len() / 2].to_vec();
            resealed(s, short);
        }),
        ("cannot become", |s| resealed(s, vec![0x78, 1, 0])),
        ("do not agree", |s| {
            let long = vec![0; 224 * 224 * 3];
            resealed(s, long);
        }),
    ];
    for (words, tamper) in cases {
        let way = Way::new(Cut::Cropped, PixelCoding::Lossless).unwrap();
        let request = FetchRequest { ways: way.into(), ..encoded(0..4, true) };
        let failure = tampered_with(tamper, request).await;
        assert!(failure.message.contains(words), "{words:?}: {failure}");
    }
}

#[tokio::test]
async fn a_server_may_only_send_what_it_was_allowed_to() {
    let coded = |s: &mut proto::Sample| {
        let size = Size { width: 224, height: 224 };
        let picture = Rgb8::new(size, vec![9; 224 * 224 * 3]).unwrap();
        s.way = proto::Way::CroppedLossless as i32;
        resealed(s, lossless::encode(&picture).unwrap());
    };
    let raw = FetchRequest { ways: Way::raw(Cut::Cropped).into(), ..encoded(0..4, true) };
    let failure = tampered_with(coded, raw).await;
    assert!(failure.message.contains("coded lossless, not raw"), "{failure}");

    let as_pixels = |s: &mut proto::Sample| {
        (s.way, s.dtype) = (proto::Way::Flipped as i32, proto::ElementType::U8 as i32);
        s.shape = vec![224, 224, 3];
        resealed(s, vec![9; 224 * 224 * 3]);
    };
    let floats = FetchRequest { ways: Way::raw(Cut::Normalized).into(), floats: true, ..encoded(0..4, true) };
    let failure = tampered_with(as_pixels, floats).await;
    assert!(failure.message.contains("taken to flipped, not to normalized"), "{failure}");
}

#[tokio::test]
async fn a_server_that_only_breaks_the_protocol_is_given_up_by_name() {
    let strangers: Script = Arc::new(|holding, _, fetch| {
        let Some(asked) = fetch.iter().next() else { return steps(Vec::new()) };
        let sample = proto::Sample { index: 999, ..holding.sample(fetch, asked) };
        steps(vec![Step::Send(vec![sample])])
    });
    let empty: Script = Arc::new(|_, _, _| steps(Vec::new()));
    for script in [strangers, empty] {
        let fake = Fake::start(Holding::of("red", 6), script);
        let mut stream = connect(&[&fake]).await.fetch(encoded(0..6, false)).unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert!(matches!(&error, ClientError::Protocol { server, .. } if *server == fake.address()), "{error}");
        assert!(stream.next().await.is_none(), "an error is the last item");
    }
}

#[tokio::test]
async fn a_refusal_ends_the_stream_in_the_servers_words() {
    let fake = Fake::start(Holding::of("red", 6), Arc::new(|_, _, _| Err(Status::invalid_argument("no such recipe"))));
    let mut stream = connect(&[&fake]).await.fetch(encoded(0..6, false)).unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("no such recipe"), "{error}");
    assert!(
        matches!(error, ClientError::Refused { server, code: Code::InvalidArgument, .. } if server == fake.address())
    );
    assert_eq!(fake.calls().0, 1, "refusals are not tried again by the stream that met them");
}
