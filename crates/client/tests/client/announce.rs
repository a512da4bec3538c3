//! What comes next is told to every server, as far as it hears it, and holds up nothing.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::{LowSamples, Pass, PassOrder};
use headwater_types::Address;
use headwater_wire::announce::{AnnouncedOrder, Said};
use headwater_wire::proto::Announced::{Counts, Unheard};
use tokio::time::{sleep, timeout};

use crate::common::{connect, encoded, gather};
use crate::fake::{Fake, Holding};

const SOON: Duration = Duration::from_secs(20);

fn fake(class: &str, answers: &[headwater_wire::proto::Announced]) -> Fake {
    Fake::honest(Holding { announced: Some(answers.to_vec()), ..Holding::of(class, 10) })
}

fn pass(lease: Duration) -> Pass {
    let choice = Some(Arc::new(vec![3, 15, 7]));
    let order = PassOrder { address: Address::new(1, 2), shuffle: true, choice, repeats: true, position: 0 };
    Pass { job: "job-1".parse().unwrap(), rank: 4, lease, order: Some(order) }
}

async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(SOON, wait).await.unwrap();
}

#[tokio::test]
async fn every_server_hears_of_a_pass_how_far_it_is_and_that_it_rests() {
    let fakes = [fake("a", &[]), fake("b", &[])];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let announced = dataset.announce(&pass(Duration::from_millis(30)));
    until(|| fakes.iter().all(|fake| !fake.announcements().is_empty())).await;
    announced.reached(2);
    until(|| fakes.iter().all(|fake| fake.announcements().len() > 2)).await;
    announced.rest(3, Duration::from_secs(77), SOON).await;
    for (place, fake) in fakes.iter().enumerate() {
        let said: Vec<_> = fake.announcements().into_iter().map(|each| each.said).collect();
        let address = Address::new(1, 2);
        let order = AnnouncedOrder {
            address,
            shuffle: true,
            samples: 20,
            first: 10 * place as u64,
            choice: Some(vec![3, 15, 7]),
            repeats: true,
            position: 0,
        };
        assert_eq!(said[0], Said::Begins(order));
        assert!(said.contains(&Said::Reached(address, 2)), "it is said again before its lease runs out: {said:?}");
        let last = fake.announcements().pop().unwrap();
        assert_eq!((last.said, last.lease), (Said::Reached(address, 3), Duration::from_secs(77)));
        assert_eq!((last.job.as_str(), last.rank), ("job-1", 4));
    }
    gather(dataset.fetch(encoded(0..20, true)).unwrap()).await;
    assert!(fakes.iter().flat_map(Fake::jobs).all(|job| job.as_deref() == Some("job-1")));
}

#[tokio::test]
async fn a_server_that_has_forgotten_a_pass_hears_all_of_it_again() {
    let fake = fake("a", &[Counts, Unheard]);
    let dataset = connect(&[&fake]).await;
    let announced = dataset.announce(&Pass { order: None, ..pass(Duration::from_millis(30)) });
    until(|| fake.announcements().len() > 2).await;
    drop(announced);
    assert!(fake.announcements().iter().all(|each| each.said == Said::Unknown));

    let fake = self::fake("a", &[Counts, Unheard]);
    let dataset = connect(&[&fake]).await;
    let mut begun = pass(Duration::from_millis(600));
    begun.order.as_mut().unwrap().choice = None;
    let announced = dataset.announce(&begun);
    until(|| !fake.announcements().is_empty()).await;
    announced.reached(5);
    until(|| fake.announcements().len() > 2).await;
    let begins = |said: &Said| matches!(said, Said::Begins(AnnouncedOrder { position: 5, .. }));
    assert!(begins(&fake.announcements()[2].said), "{:?}", fake.announcements());
    announced.end(SOON).await;
    assert_eq!(fake.announcements().pop().unwrap().said, Said::Ends);
}

#[tokio::test]
async fn a_server_that_is_too_old_or_gone_is_counted_and_ends_nothing() {
    let mut old = Fake::honest(Holding::of("a", 10));
    let dataset = connect(&[&old]).await;
    let announced = dataset.announce(&pass(Duration::from_millis(30)));
    until(|| dataset.counters().announcements_unheard == 1).await;
    assert_eq!(gather(dataset.fetch(encoded(0..10, true)).unwrap()).await.len(), 10);
    assert_eq!(dataset.cached(&[0, 3]).await.unwrap(), [false, false]);
    let none = LowSamples { low: vec![false, false], known: 0 };
    assert_eq!(dataset.low(0.5, &[0, 3]).await.unwrap(), none);
    assert_eq!(dataset.replaced(&[0, 3]).await, 0);
    announced.rest(3, Duration::from_secs(1), SOON).await;

    let mut none = pass(Duration::from_millis(30));
    none.order = None;
    old.kill();
    let announced = dataset.announce(&none);
    until(|| dataset.counters().announcements_unheard > 3).await;
    announced.end(Duration::from_millis(1)).await;
    assert_eq!(dataset.counters().announcements, 0);
}

#[tokio::test]
async fn each_server_says_which_of_its_samples_are_cached() {
    let fakes = [fake("a", &[]), fake("b", &[])];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let cached = dataset.cached(&[13, 0, 10, 1, 3, 12]).await.unwrap();
    assert_eq!(cached, [true, true, true, false, true, false], "every third of each server's own");
    assert!(dataset.cached(&[20]).await.is_err());
}

#[tokio::test]
async fn each_server_says_what_is_of_low_importance_and_hears_what_of_its_own_is_left_out() {
    let fakes = [fake("a", &[]), fake("b", &[])];
    let dataset = connect(&[&fakes[0], &fakes[1]]).await;
    let none = LowSamples { low: vec![false], known: 0 };
    assert_eq!((dataset.low(0.5, &[0]).await.unwrap(), dataset.replaced(&[0]).await), (none, 0), "no job is named");

    dataset.join(&"job".parse().unwrap());
    let found = dataset.low(0.5, &[13, 0, 10, 1]).await.unwrap();
    assert_eq!(found, LowSamples { low: vec![false, true, true, false], known: 10 }, "of each server's own");
    assert!(dataset.low(0.5, &[20]).await.is_err());
    assert_eq!(dataset.replaced(&[13, 0, 10, 1]).await, 4);
    assert_eq!(fakes.each_ref().map(Fake::replaced), [vec![0, 1], vec![3, 0]]);
}
