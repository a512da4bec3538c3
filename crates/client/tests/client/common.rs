//! What the tests share: impatient options, and requests.

use std::num::NonZeroUsize;
use std::time::Duration;

use futures::TryStreamExt;
use headwater_client::{ClientOptions, Dataset, FetchRequest, Indices, Retry, Sample, SampleStream};
use headwater_types::{Address, Way};

use crate::fake::Fake;

/// Short pauses, long patience.
pub(crate) fn options() -> ClientOptions {
    let retry = Retry {
        initial: Duration::from_millis(2),
        max: Duration::from_millis(20),
        connect_for: Duration::from_secs(2),
        give_up_after: Duration::from_secs(60),
        seed: 1,
        ..Retry::default()
    };
    ClientOptions { chunk: NonZeroUsize::new(16).unwrap(), retry, ..ClientOptions::default() }
}

pub(crate) async fn connect(fakes: &[&Fake]) -> Dataset {
    connect_with(fakes, options()).await
}

pub(crate) async fn connect_with(fakes: &[&Fake], options: ClientOptions) -> Dataset {
    let servers: Vec<_> = fakes.iter().map(|fake| fake.address()).collect();
    Dataset::connect(&servers, &"photos".parse().unwrap(), options).await.unwrap()
}

pub(crate) fn encoded(indices: impl Into<Indices>, ordered: bool) -> FetchRequest {
    FetchRequest {
        indices: indices.into(),
        recipe: None,
        ways: Way::ENCODED.into(),
        floats: false,
        addresses: Address::default().into(),
        model: None,
        ordered,
        measure_cpu: false,
        fields: Vec::new(),
        caller: None,
    }
}

pub(crate) async fn gather(stream: SampleStream) -> Vec<Sample> {
    stream.try_collect().await.unwrap()
}
