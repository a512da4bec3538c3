//! Several servers are one dataset: their samples one after the other, one list of classes, one meaning of each model.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use headwater_client::{
    ClientError, ClientOptions, Dataset, DiscoveryError, FetchRequest, Indices, PartsError, Retry, ServerAddress, Ways,
};
use headwater_types::{Address, BitsPerSecond, ByteCount, Cut, Recipe, SampleIndex, Way};
use headwater_wire::Fetch;

use crate::common::{connect, connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, Step, features, honest, steps};

#[tokio::test]
async fn partitions_follow_each_other_in_the_order_of_the_servers() {
    let (a, b) = (Fake::honest(Holding::of("red", 30)), Fake::honest(Holding::of("blue", 50)));
    let dataset = connect(&[&a, &b]).await;
    assert_eq!(dataset.len(), 80);
    let places: Vec<_> = dataset.partitions().iter().map(|p| (p.address.clone(), p.first, p.samples)).collect();
    assert_eq!(places, [(a.address(), 0, 30), (b.address(), 30, 50)]);
    let swapped = connect(&[&b, &a]).await;
    assert_ne!(dataset.digest(), swapped.digest());
    assert_eq!(dataset.digest(), connect(&[&a, &b]).await.digest());

    let samples = gather(dataset.fetch(encoded(0..80, true)).unwrap()).await;
    let keys: Vec<_> = samples.iter().map(|s| s.key.as_ref().unwrap().to_string()).collect();
    let expected = (0..30).map(|i| format!("red/{i:04}.jpg")).chain((0..50).map(|i| format!("blue/{i:04}.jpg")));
    assert_eq!(keys, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_class_has_one_number_on_whichever_server_its_photos_are() {
    let keys = |classes: &[&str]| Holding::new(classes.iter().map(|class| format!("{class}/x.jpg")));
    let (a, b) = (Fake::honest(keys(&["ash", "oak"])), Fake::honest(keys(&["beech", "oak", "yew"])));
    let flat = Fake::honest(Holding::new(["x.jpg".to_owned()]));
    let dataset = connect(&[&a, &b, &flat]).await;
    assert_eq!(dataset.classes(), ["ash", "beech", "oak", "yew"]);
    let samples = gather(dataset.fetch(encoded(0..6, true)).unwrap()).await;
    let labels: Vec<_> = samples.iter().map(|s| s.label.map(|label| label.0)).collect();
    assert_eq!(labels, [Some(0), Some(2), Some(1), Some(2), Some(3), None]);
}

#[tokio::test]
async fn a_list_is_delivered_in_its_order_with_its_repetitions() {
    let (a, b) = (Fake::honest(Holding::of("red", 30)), Fake::honest(Holding::of("blue", 50)));
    let dataset = connect(&[&a, &b]).await;
    let list = [79, 0, 0, 31, 5, 0, 79, 30, 29];
    let indices: Indices = list.into_iter().map(SampleIndex).collect();
    let samples = gather(dataset.fetch(encoded(indices, true)).unwrap()).await;
    assert_eq!(samples.iter().map(|s| s.index.0).collect::<Vec<_>>(), list);
    assert!(gather(dataset.fetch(encoded(5..5, true)).unwrap()).await.is_empty());
}

#[tokio::test]
async fn each_sample_comes_its_own_way() {
    let fake = Fake::honest(Holding::of("red", 3).with_model("net", b"file", "mobilenet-eval", 4));
    let dataset = connect(&[&fake]).await;
    let ways = vec![Way::ENCODED, Way::FEATURES, Way::ENCODED];
    let request = FetchRequest {
        ways: Ways::PerSample(ways.clone().into()),
        ordered: true,
        ..FetchRequest::features(0..3, "net".parse().unwrap())
    };
    let samples = gather(dataset.fetch(request).unwrap()).await;
    let got: Vec<_> = samples.iter().map(|s| s.outcome.as_ref().unwrap().way).collect();
    assert_eq!(got, ways);
    let payload = &samples[1].outcome.as_ref().unwrap().payload;
    let values: Vec<_> = payload.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect();
    assert_eq!(values, features("red/0001.jpg", 4));
}

#[tokio::test]
async fn a_model_must_be_the_same_everywhere() {
    let holding = || Holding::of("red", 3).with_model("net", b"file", "mobilenet-eval", 4);
    let a = Fake::honest(holding());
    let net = "net".parse().unwrap();
    let model = connect(&[&a]).await.model(&net).unwrap();
    assert_eq!((model.feature_len, model.recipe), (4, Recipe::builtin("mobilenet-eval").unwrap()));
    for (what, other) in [
        ("file", Holding::of("blue", 3).with_model("net", b"other", "mobilenet-eval", 4)),
        ("recipe", Holding::of("blue", 3).with_model("net", b"file", "imagenet-eval", 4)),
        ("feature length", Holding::of("blue", 3).with_model("net", b"file", "mobilenet-eval", 5)),
    ] {
        let b = Fake::honest(other);
        let error = connect(&[&a, &b]).await.model(&net).unwrap_err();
        let (first, second) = (a.address(), b.address());
        assert!(
            matches!(&error, ClientError::ModelsDiffer { what: w, first: f, second: s, .. }
            if *w == what && *f == first && *s == second),
            "{error}"
        );
    }
    let without = Fake::honest(Holding::of("blue", 3));
    let error = connect(&[&a, &without]).await.model(&net).unwrap_err();
    assert!(matches!(&error, ClientError::UnknownModel { server, .. } if *server == without.address()), "{error}");
}

#[tokio::test]
async fn only_servers_that_have_a_model_are_asked_for_its_features_and_told_its_name() {
    let told: Arc<Mutex<Vec<(String, bool)>>> = Arc::default();
    let script = |class: &'static str| {
        let told = Arc::clone(&told);
        move |holding: &Holding, _: usize, fetch: &Fetch| {
            told.lock().unwrap().push((class.to_owned(), fetch.model.is_some()));
            steps(holding.honest(fetch, 16))
        }
    };
    let with = Holding::of("red", 3).with_model("net", b"file", "mobilenet-eval", 4);
    let fakes =
        [Fake::start(with, Arc::new(script("red"))), Fake::start(Holding::of("blue", 3), Arc::new(script("blue")))];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let net = "net".parse().unwrap();
    let registered = dataset.registered_model(&net).unwrap();
    assert_eq!((registered.servers, registered.info.feature_len), (vec![true, false], 4));
    let request = |ways: [Way; 6]| FetchRequest {
        ways: Ways::PerSample(ways.into()),
        ordered: true,
        ..FetchRequest::features(0..6, net.clone())
    };
    let [f, e] = [Way::FEATURES, Way::ENCODED];
    let samples = gather(dataset.fetch(request([f, e, f, e, e, e])).unwrap()).await;
    let came: Vec<_> = samples.iter().map(|sample| sample.outcome.as_ref().unwrap().way).collect();
    assert_eq!(came, [f, e, f, e, e, e]);
    let told = told.lock().unwrap().clone();
    assert!(told.contains(&("red".to_owned(), true)) && told.contains(&("blue".to_owned(), false)), "{told:?}");
    let refused = dataset.fetch(request([f, e, f, e, f, e])).unwrap_err();
    assert!(matches!(&refused, ClientError::UnknownModel { server, .. } if *server == fakes[1].address()), "{refused}");
    let nowhere = dataset.registered_model(&"other".parse().unwrap()).unwrap_err();
    assert!(matches!(nowhere, ClientError::UnknownModel { .. }), "{nowhere}");
}

#[tokio::test]
async fn devices_are_those_that_each_server_announces_and_numbers_that_cannot_be_are_refused() {
    let holding = |class| Holding::of(class, 3).with_model("net", b"file", "mobilenet-eval", 4);
    let net = "net".parse().unwrap();
    let fakes = [Fake::honest(holding("red").on_devices(2, 1500.0)), Fake::honest(holding("blue"))];
    let registered = connect(&[&fakes[0], &fakes[1]]).await.registered_model(&net).unwrap();
    let rates: Vec<_> = registered.devices.iter().map(|pool| pool.map(|pool| (pool.count(), pool.rate()))).collect();
    assert_eq!((rates, registered.unrated), (vec![Some((2, 1500.0)), None], false));
    assert_eq!(registered.info.device, "cuda,cpu");
    for (count, rate) in [(0, 10.0), (1, -1.0), (1, f64::NAN)] {
        let liar = Fake::honest(holding("red").on_devices(count, rate));
        let error = connect(&[&liar]).await.registered_model(&net).unwrap_err();
        assert!(matches!(&error, ClientError::Protocol { server, .. } if *server == liar.address()), "{error}");
    }
    let mut early = holding("red").on_devices(1, 1.0);
    early.models[0].devices = None;
    let early = Fake::honest(early);
    let registered = connect(&[&early]).await.registered_model(&net).unwrap();
    assert_eq!((registered.devices, registered.unrated), (vec![None], true));
}

#[tokio::test]
async fn a_request_that_cannot_be_met_is_refused_before_anything_is_sent() {
    let fake = Fake::honest(Holding::of("red", 3).with_model("net", b"file", "mobilenet-eval", 4));
    let dataset = connect(&[&fake]).await;
    let past_the_end = dataset.fetch(encoded(1..4, false));
    assert!(matches!(past_the_end, Err(ClientError::OutOfRange { index: 3, samples: 3, .. })));
    let refused = |request: FetchRequest| match dataset.fetch(request) {
        Err(ClientError::Request(message)) => message.to_owned(),
        other => panic!("{other:?}"),
    };
    let base = encoded(0..3, false);
    assert!(refused(FetchRequest { ways: Way::raw(Cut::Features).into(), ..base.clone() }).contains("model"));
    assert!(refused(FetchRequest { ways: Way::raw(Cut::Cropped).into(), ..base.clone() }).contains("recipe"));
    assert!(refused(FetchRequest { ways: Ways::PerSample([Way::ENCODED].into()), ..base.clone() }).contains("cuts"));
    let other_recipe = FetchRequest {
        recipe: Recipe::builtin("imagenet-eval"),
        ..FetchRequest::features(0..3, "net".parse().unwrap())
    };
    assert!(refused(other_recipe).contains("--recipe"));
    assert_eq!(fake.calls(), (0, 0));
}

#[tokio::test]
async fn servers_that_cannot_be_used_are_named_with_the_remedy() {
    let name = "photos".parse().unwrap();
    assert!(matches!(
        Dataset::connect(&[] as &[ServerAddress], &name, options()).await,
        Err(ClientError::Discovery(DiscoveryError::None))
    ));
    let fake = Fake::honest(Holding::of("red", 3));
    let twice = Dataset::connect(&[fake.address(), fake.address()], &name, options()).await;
    assert!(matches!(twice, Err(ClientError::Discovery(DiscoveryError::Twice(address))) if address == fake.address()));
    let other = Dataset::connect(&[fake.address()], &"other".parse().unwrap(), options()).await.unwrap_err();
    assert!(other.to_string().contains("photos"), "{other}");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed: ServerAddress = listener.local_addr().unwrap().into();
    drop(listener);
    let error = Dataset::connect(&[fake.address(), closed.clone()], &name, options()).await.unwrap_err();
    assert!(matches!(&error, ClientError::NotConnected { server, .. } if *server == closed), "{error}");
    assert!(error.to_string().contains("--servers"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let mut fake = Fake::honest(Holding::of("red", 3));
    fake.kill();
    let retry = Retry { connect_for: std::time::Duration::from_secs(60), ..options().retry };
    let address = [fake.address()];
    let name = "photos".parse().unwrap();
    let connecting = Dataset::connect(&address, &name, ClientOptions { retry, ..options() });
    let (dataset, ()) = tokio::join!(connecting, fake.restart());
    assert_eq!(dataset.unwrap().len(), 3);
}

#[tokio::test]
async fn what_arrives_is_counted() {
    let fake = Fake::honest(Holding::of("red", 20));
    let dataset = connect(&[&fake]).await;
    let request = FetchRequest { addresses: Address::new(1, 1).into(), ..encoded(0..20, false) };
    let samples = gather(dataset.fetch(request).unwrap()).await;
    let payload: usize = samples.iter().map(|s| s.outcome.as_ref().unwrap().payload.len()).sum();
    let counters = dataset.counters();
    assert_eq!((counters.samples, counters.retries, counters.reconnects), (20, 0, 0));
    let most = payload as u64 + 20 * 64;
    assert!((payload as u64..most).contains(&counters.bytes_received), "{counters:?}, {payload}");
}

#[tokio::test]
async fn time_counts_as_arriving_while_the_network_is_waited_for_and_not_while_the_server_or_the_reader_is() {
    let silent: Script = Arc::new(|holding, _, fetch| {
        let mut all = holding.honest(fetch, 2);
        all.insert(1, Step::Hang);
        steps(all)
    });
    let pause = Duration::from_millis(400);
    // A photo of 400 kB takes more than three seconds at 1 Mbps.
    let slow = BitsPerSecond::new(1e6);
    let large = || Holding {
        photos: (0..12).map(|i| Photo { key: format!("red/{i}"), bytes: vec![7; 400_000] }).collect(),
        ..Holding::default()
    };
    let small = || Holding::of("red", 12);
    for (name, holding, script, bandwidth, taken, arrives) in [
        ("a server that computes", small(), silent, None, 2, false),
        ("a reader without room", small(), honest(), None, 2, false),
        ("a slow network", large(), honest(), slow, 0, true),
    ] {
        let fake = Fake::start(holding, script);
        let one = NonZeroUsize::MIN;
        let narrow = ClientOptions { window: ByteCount::new(1), streams_per_server: one, bandwidth, ..options() };
        let dataset = connect_with(&[&fake], narrow).await;
        assert_eq!(dataset.counters().arriving, Duration::ZERO, "{name}");
        let mut stream = dataset.fetch(encoded(0..12, false)).unwrap();
        for _ in 0..taken {
            stream.next().await.unwrap().unwrap();
        }
        // What has begun to come has come, and what has not will not.
        tokio::time::sleep(pause).await;
        let before = dataset.counters().arriving;
        tokio::time::sleep(pause).await;
        let arriving = dataset.counters().arriving - before;
        assert_eq!(arriving > pause / 2, arrives, "{name}: {arriving:?}");
    }
}

async fn refusal(fakes: &[&Fake], allow_partial: bool) -> ClientError {
    let servers: Vec<_> = fakes.iter().map(|fake| fake.address()).collect();
    let options = ClientOptions { allow_partial, ..options() };
    Dataset::connect(&servers, &"photos".parse().unwrap(), options).await.unwrap_err()
}

#[tokio::test]
async fn samples_that_would_come_twice_or_never_are_refused() {
    let photos = || Holding::of("red", 40);
    let [all, half, other_half, third] = ["1/1", "1/2", "2/2", "2/3"].map(|part| Fake::honest(photos().part(part)));
    let halves = connect(&[&half, &other_half]).await;
    assert_eq!(halves.len(), 40);
    assert_eq!(halves.partitions()[1].part.to_string(), "2/2");
    for overlapping in [[&all, &half], [&half, &third]] {
        for allow_partial in [false, true] {
            let error = refusal(&overlapping, allow_partial).await;
            assert!(matches!(&error, ClientError::Parts(PartsError::Unlike { .. })), "{error}");
        }
    }
    let mut drifted = photos().part("1/2");
    drifted.photos[0].bytes.push(0);
    let error = refusal(&[&half, &Fake::honest(drifted)], true).await;
    assert!(matches!(&error, ClientError::Parts(PartsError::Doubled { .. })), "{error}");
    let error = refusal(&[&half], false).await;
    assert!(matches!(&error, ClientError::Parts(PartsError::Missing(_))), "{error}");
    let insisted = connect_with(&[&half], ClientOptions { allow_partial: true, ..options() }).await;
    assert_eq!(insisted.len(), halves.partitions()[0].samples);
    let error = refusal(&[&half, &Fake::honest(Holding::of("red", 41).part("2/2"))], true).await;
    assert!(matches!(&error, ClientError::Parts(PartsError::Drifted { .. })), "{error}");
}

#[tokio::test]
async fn one_server_by_two_names_is_one_server() {
    let fake = Fake::honest(Holding::of("red", 3));
    let name = "photos".parse().unwrap();
    let error = Dataset::connect(&[fake.address(), fake.by_name()], &name, options()).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::SameServer { first, second }
            if *first == fake.address() && *second == fake.by_name()),
        "{error}"
    );
}
