//! Headers are had without photos: each once, in order, whatever breaks.

use headwater_client::ClientError;
use headwater_types::{SampleIndex, Size};

use crate::common::connect;
use crate::fake::{Fake, Holding, Photo};
use crate::finish::jpeg;

fn holding(class: &str, photos: u32) -> Holding {
    let photo = |i: u32| Photo { key: format!("{class}/{i:04}"), bytes: jpeg(40 + i, 30) };
    let mut photos: Vec<_> = (0..photos).map(photo).collect();
    photos[1].bytes = b"no photo".to_vec();
    Holding { photos, ..Holding::default() }
}

#[tokio::test]
async fn every_header_comes_once_from_its_server_also_where_a_call_breaks() {
    let fakes = [Fake::honest(holding("red", 9)), Fake::honest(holding("blue", 5))];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let told = std::sync::atomic::AtomicU64::new(0);
    let asked: Vec<_> = [13, 2, 0, 9, 1, 2, 10].map(SampleIndex).to_vec();
    let count = |more| _ = told.fetch_add(more, std::sync::atomic::Ordering::Relaxed);
    let headers = dataset.survey(&asked, count).await.unwrap();
    let indices: Vec<_> = headers.iter().map(|header| header.index.0).collect();
    assert_eq!(indices, [0, 1, 2, 9, 10, 13]);
    assert_eq!(told.into_inner(), 6);
    assert_eq!(headers[2].outcome.as_ref().unwrap().size, Size { width: 42, height: 30 });
    assert_eq!(headers[5].key.as_ref().unwrap().as_str(), "blue/0004");
    assert_eq!(headers.iter().filter(|header| header.outcome.is_err()).count(), 2);
    assert!(fakes.iter().all(|fake| fake.calls().0 == 2));
    assert!(matches!(dataset.survey(&[SampleIndex(14)], |_| ()).await, Err(ClientError::OutOfRange { .. })));
}
