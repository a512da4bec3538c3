//! What servers have, and what differs between the generations of a dataset.

use headwater_client::{ClientError, Dataset, DatasetState, DiscoveryError, ServedDataset, datasets};
use headwater_types::Differences;

use crate::common::{connect, options};
use crate::fake::{Fake, Holding};

#[tokio::test]
async fn every_server_says_which_datasets_it_has_beside_one_that_does_not_answer() {
    let broken = ServedDataset {
        name: "other".parse().unwrap(),
        state: DatasetState::NotReady,
        reason: "there is no folder /srv/other".to_owned(),
        listed: None,
    };
    let fake = Fake::honest(Holding { others: vec![broken.clone()], ..Holding::of("red", 3) });
    let mut gone = Fake::honest(Holding::of("red", 3));
    gone.kill();
    let answers = datasets(&[fake.address(), gone.address()], &options()).await.unwrap();
    let [of_fake, of_gone] = &answers[..] else { panic!("{answers:?}") };
    let served = of_fake.datasets.as_ref().unwrap();
    assert_eq!(served[1], broken);
    let photos = served[0].listed.as_ref().unwrap();
    assert_eq!((served[0].state, photos.samples, photos.classes), (DatasetState::Serving, 3, 1));
    assert!(matches!(of_gone.datasets, Err(ClientError::NotConnected { .. })), "{of_gone:?}");
    assert!(matches!(datasets(&[], &options()).await, Err(ClientError::Discovery(DiscoveryError::None))));
}

#[tokio::test]
async fn differences_of_several_servers_are_those_of_the_dataset() {
    let of = |class: &str, numbers: &[usize]| Holding::new(numbers.iter().map(|i| format!("{class}/{i:04}.jpg")));
    let (a, b) = (of("a", &[0, 1, 2, 3]), of("b", &[0, 1]));
    let earlier = [a.digest(), b.digest()];
    let mut replaced = of("a", &[1, 2, 5]);
    replaced.photos[1].bytes.push(7);
    let now = [
        Fake::honest(Holding { earlier: vec![a], ..replaced }),
        Fake::honest(Holding { earlier: vec![b], ..of("b", &[1, 2, 3]) }),
    ];
    let dataset = connect(&[&now[0], &now[1]]).await;
    let differences = dataset.differences(&earlier).await.unwrap();
    let expected =
        Differences { removed: vec![0..1, 3..5], added: vec![2..3, 4..6], replaced: std::iter::once(1..2).collect() };
    assert_eq!(differences, expected);
    let mapping = differences.mapping();
    assert_eq!((0..6).map(|old| mapping.get(old)).collect::<Vec<_>>(), [None, Some(0), Some(1), None, None, Some(3)]);
    let held: Vec<_> = dataset.partitions().iter().map(|partition| partition.digest).collect();
    assert_eq!(dataset.differences(&held).await.unwrap(), Differences::default());
    let unknown = dataset.differences(&[held[1], held[0]]).await.unwrap_err();
    assert!(matches!(unknown, ClientError::DatasetChanged { .. }), "{unknown}");
    assert!(matches!(dataset.differences(&held[..1]).await, Err(ClientError::Request(_))));
}

#[tokio::test]
async fn a_process_that_joins_a_run_connects_to_its_generation_or_hears_that_it_is_gone() {
    let (fake, name) = (Fake::honest(Holding::of("red", 3)), "photos".parse().unwrap());
    let servers = [fake.address()];
    let held = [connect(&[&fake]).await.partitions()[0].digest];
    let joined = Dataset::connect_to(&servers, &name, Some(&held), options()).await.unwrap();
    assert_eq!(joined.partitions()[0].digest, held[0]);
    fake.hold(Holding::of("red", 4));
    let gone = Dataset::connect_to(&servers, &name, Some(&held), options()).await.unwrap_err();
    assert!(matches!(gone, ClientError::DatasetChanged { .. }), "{gone}");
    assert!(gone.to_string().contains("--keep-generations"), "{gone}");
    assert_eq!(connect(&[&fake]).await.len(), 4, "who names none gets the current one");
}
