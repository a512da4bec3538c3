//! Each server is told of its own samples, and of keys every server is.

use headwater_client::{ClientError, ReportSummary, ReportedSample};
use headwater_types::SampleIndex;
use headwater_wire::report::Which;

use crate::common::connect;
use crate::fake::{Fake, Holding, Photo};

fn holding(keys: &[&str]) -> Holding {
    let photo = |key: &&str| Photo { key: (*key).to_owned(), bytes: key.as_bytes().to_vec() };
    Holding { photos: keys.iter().map(photo).collect(), ..Holding::default() }
}

#[tokio::test]
async fn every_server_is_told_of_its_own_samples() {
    let (first, second) = (Fake::honest(holding(&["a/1", "a/2"])), Fake::honest(holding(&["b/1", "b/2", "b/3"])));
    let dataset = connect(&[&first, &second]).await;
    let index = |index, loss| (ReportedSample::Index(SampleIndex(index)), loss);
    let told = dataset.report(&[index(4, 0.5), index(1, 1.5), index(2, 2.5)]).await.unwrap();
    assert_eq!(told, ReportSummary { kept: 3, unknown: 0 });
    let [report] = first.reports().try_into().unwrap();
    assert_eq!((report.samples, report.losses), (Which::Indices(vec![1]), vec![1.5]));
    let [report] = second.reports().try_into().unwrap();
    assert_eq!((report.samples, report.losses), (Which::Indices(vec![2, 0]), vec![0.5, 2.5]));
}

#[tokio::test]
async fn all_servers_of_a_partition_that_are_up_hear_of_a_loss_and_one_that_is_gone_holds_nobody_up() {
    let mut fakes = [(); 3].map(|()| Fake::honest(holding(&["a/1", "a/2"]).part("1/1")));
    let dataset = connect(&[&fakes[0], &fakes[1], &fakes[2]]).await;
    let told = |loss| [(ReportedSample::Index(SampleIndex(1)), loss)];
    let all = ReportSummary { kept: 1, unknown: 0 };
    assert_eq!(dataset.report(&told(0.5)).await.unwrap(), all, "one sample, however many servers keep its loss");
    for fake in &fakes {
        let [report] = fake.reports().try_into().unwrap();
        assert_eq!((report.samples, report.losses), (Which::Indices(vec![1]), vec![0.5]));
    }
    assert_eq!(dataset.counters().reports_unheard, 0);
    fakes[2].kill();
    assert_eq!(dataset.report(&told(1.5)).await.unwrap(), all);
    assert_eq!([0, 1].map(|server| fakes[server].reports().len()), [2, 2]);
    assert!(dataset.counters().reports_unheard <= 1, "the keeper may have found it gone before");
}

#[tokio::test]
async fn keys_find_their_server_and_unknown_ones_are_counted() {
    let (first, second) = (Fake::honest(holding(&["a/1", "a/2"])), Fake::honest(holding(&["b/1"])));
    let dataset = connect(&[&first, &second]).await;
    let keys = ["b/1", "c/9", "a/2"].map(|key| (ReportedSample::Key(key.parse().unwrap()), 1.0));
    assert_eq!(dataset.report(&keys).await.unwrap(), ReportSummary { kept: 2, unknown: 1 });
}

#[tokio::test]
async fn what_cannot_be_told_is_an_error_before_any_call() {
    let fake = Fake::honest(holding(&["a/1"]));
    let dataset = connect(&[&fake]).await;
    let past = dataset.report(&[(ReportedSample::Index(SampleIndex(1)), 1.0)]).await;
    assert!(matches!(past, Err(ClientError::OutOfRange { index: 1, .. })));
    let broken = dataset.report(&[(ReportedSample::Index(SampleIndex(0)), f32::NAN)]).await;
    assert!(matches!(broken, Err(ClientError::Request(_))));
    assert!(fake.reports().is_empty());
}
