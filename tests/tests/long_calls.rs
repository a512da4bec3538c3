//! A call for thousands of samples comes to its end without a pause, however many messages it takes.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

use std::path::Path;
use std::time::Duration;

use headwater_testdata::{Extractor, PhotoSet};
use headwater_tests::{Server, ServerOptions};
use headwater_wire::proto;
use headwater_wire::proto::samples_client::SamplesClient;
use tempfile::TempDir;

const PHOTOS: u64 = 48;
/// About what a photo of this size takes.
const PHOTO: u64 = 2 << 10;
/// More than one call of a client asks for.
const SAMPLES: u64 = 6000;
/// Samples of a message: many, so that little is in work while one is on its way.
const IN_A_MESSAGE: u64 = 40;
/// Far above what it takes, and below the time after which a client would ask again.
const MOST: Duration = Duration::from_secs(60);

fn serve(folder: &Path) -> Server {
    let (photos, model, recipe) = (folder.join("photos"), folder.join("model.onnx"), folder.join("recipe.toml"));
    let set =
        PhotoSet { classes: 2, per_class: PHOTOS as usize / 2, min_side: 48, max_side: 64, ..PhotoSet::default() };
    set.write(&photos).unwrap();
    std::fs::write(&model, Extractor::onnx(1)).unwrap();
    std::fs::write(&recipe, Extractor::RECIPE).unwrap();
    let options = ServerOptions::new(&photos).model("model", &model, recipe.to_str().unwrap());
    options.args(["--cache-kinds", "features"]).start().unwrap()
}

/// What a call brings: the places that were answered, in order, and its messages.
async fn call(server: &Server, way: proto::Way, batch_bytes: u64) -> (Vec<u32>, usize) {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address())).unwrap();
    let indices = (0..SAMPLES).map(|place| place % PHOTOS).collect();
    let request = proto::FetchRequest {
        dataset: "photos".into(),
        samples: Some(proto::fetch_request::Samples::List(proto::SampleList { indices })),
        ways: Some(proto::fetch_request::Ways::Way(way.into())),
        model: if way == proto::Way::Features { "model".into() } else { String::new() },
        batch_bytes,
        ..proto::FetchRequest::default()
    };
    let mut stream = SamplesClient::new(endpoint.connect().await.unwrap()).fetch(request).await.unwrap().into_inner();
    let (mut places, mut messages) = (Vec::new(), 0);
    while let Some(batch) = stream.message().await.unwrap() {
        assert!(batch.samples.iter().all(|sample| sample.failure.is_none()));
        places.extend(batch.samples.iter().map(|sample| sample.position.unwrap()));
        messages += 1;
    }
    places.sort_unstable();
    (places, messages)
}

/// The window of a call opens with each message that is taken. Once it closed at the 60th, for good: what was in work
/// then came, and nothing after it.
#[tokio::test]
async fn a_call_of_many_messages_never_comes_to_rest() {
    let folder = TempDir::new().unwrap();
    let server = serve(folder.path());
    for (way, bytes) in [(proto::Way::Features, 4 * Extractor::FEATURES as u64), (proto::Way::Encoded, PHOTO)] {
        let called = call(&server, way, IN_A_MESSAGE * bytes);
        let (places, messages) = tokio::time::timeout(MOST, called).await.expect("the call came to rest");
        assert_eq!(places, (0..SAMPLES as u32).collect::<Vec<_>>(), "{way:?}");
        assert!(messages > 64, "{way:?}: {messages} messages");
    }
}
