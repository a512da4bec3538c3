//! What arrives is not trusted: it must be what was asked for, in the shape that its cut and recipe say.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt;
use headwater_client::{ClientError, FetchRequest};
use headwater_types::{Cut, FailureKind, Recipe};
use headwater_wire::{checksum, proto};
use tonic::{Code, Status};

use crate::common::{connect, encoded, gather};
use crate::fake::{Fake, Holding, Script, Step, steps};

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
        ("cut", |s| s.cut = proto::Cut::Flipped as i32),
        ("cut number", |s| s.cut = 77),
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
async fn pixels_of_another_size_than_the_recipe_says_are_refused() {
    let liar: Script = Arc::new(|_, _, fetch| {
        let sample = |index: u64| {
            let payload = bytes::Bytes::from(vec![0; 2 * 2 * 3]);
            proto::Sample {
                index,
                key: "red/x.jpg".to_owned(),
                cut: proto::Cut::Cropped as i32,
                dtype: proto::ElementType::U8 as i32,
                shape: vec![2, 2, 3],
                checksum: checksum(index, &payload),
                payload,
                source_width: 9,
                source_height: 9,
                ..proto::Sample::default()
            }
        };
        steps(vec![Step::Send(fetch.iter().map(|asked| sample(asked.index.0)).collect())])
    });
    let fake = Fake::start(Holding::of("red", 2), liar);
    let recipe = Recipe::builtin("imagenet-eval");
    let request = FetchRequest { recipe, cut: Cut::Cropped.into(), ..encoded(0..2, true) };
    for sample in gather(connect(&[&fake]).await.fetch(request).unwrap()).await {
        assert!(sample.outcome.unwrap_err().message.contains("[2, 2, 3]"));
    }
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
