//! Servers that stand in for each other: each sample once, whoever of them is killed, hangs or comes back.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use headwater_client::{ClientError, ClientOptions, Dataset, Retry, Sample};
use headwater_types::Digest;
use tokio::time::Instant;

use crate::common::{connect, connect_with, encoded, gather, options};
use crate::exactly_once::hasty;
use crate::fake::{Fake, Holding, Step, steps};

fn half(part: &str) -> Holding {
    Holding::of("red", 200).part(part)
}

fn sorted(samples: &[Sample]) -> Vec<u64> {
    let mut indices: Vec<_> = samples.iter().map(|sample| sample.index.0).collect();
    indices.sort_unstable();
    indices
}

#[tokio::test]
async fn equal_servers_are_one_partition_and_share_its_calls() {
    let fakes = [Fake::honest(half("1/2")), Fake::honest(half("2/2")), Fake::honest(half("1/2"))];
    let alone = connect(&[&fakes[0], &fakes[1]]).await;
    let dataset = connect(&[&fakes[0], &fakes[1], &fakes[2]]).await;
    assert_eq!((dataset.len(), dataset.digest()), (200, alone.digest()));
    assert_eq!(dataset.replicas(), [vec![fakes[0].address(), fakes[2].address()], vec![fakes[1].address()]]);
    let samples = gather(dataset.fetch(encoded(0..200, false)).unwrap()).await;
    assert_eq!(sorted(&samples), (0..200).collect::<Vec<_>>());
    assert!(fakes.iter().all(|fake| !fake.asked().is_empty()), "each is asked for something");
}

#[tokio::test]
async fn a_replica_that_is_killed_or_hangs_in_an_epoch_costs_no_sample_and_little_time() {
    for hangs in [false, true] {
        let stalls = move |holding: &Holding, _: usize, fetch: &_| {
            let mut all = holding.honest(fetch, 1);
            if hangs {
                all.truncate(3);
                all.push(Step::Hang);
            }
            steps(all)
        };
        let mut fakes = [Fake::start(half("1/1"), Arc::new(stalls)), Fake::honest(half("1/1"))];
        let patient = ClientOptions { retry: Retry { stall: Duration::from_secs(90), ..options().retry }, ..options() };
        let dataset = connect_with(&[&fakes[0], &fakes[1]], patient).await;
        let begin = Instant::now();
        let mut stream = dataset.fetch(encoded(0..200, false)).unwrap();
        let mut samples = vec![stream.next().await.unwrap().unwrap()];
        if hangs {
            fakes[0].freeze();
        } else {
            fakes[0].kill();
        }
        samples.extend(stream.map(Result::unwrap).collect::<Vec<_>>().await);
        assert_eq!(sorted(&samples), (0..200).collect::<Vec<_>>());
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?} with hangs={hangs}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_server_that_is_back_is_asked_again() {
    let mut fakes = [Fake::honest(half("1/1")), Fake::honest(half("1/1"))];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], hasty(1, 1 << 20)).await;
    fakes[0].kill();
    let samples = gather(dataset.fetch(encoded(0..200, false)).unwrap()).await;
    assert_eq!(samples.len(), 200);
    let before = fakes[0].asked().len();
    fakes[0].restart().await;
    for _ in 0..100 {
        let samples = gather(dataset.fetch(encoded(0..200, false)).unwrap()).await;
        assert_eq!(samples.len(), 200);
        if fakes[0].asked().len() > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the server that is back is never asked");
}

#[tokio::test]
async fn a_generation_is_joined_without_a_server_that_is_gone_and_a_first_connection_says_so() {
    let mut fakes = [Fake::honest(half("1/2")), Fake::honest(half("2/2")), Fake::honest(half("2/2"))];
    let name = "photos".parse().unwrap();
    let servers: Vec<_> = fakes.iter().map(Fake::address).collect();
    let dataset = Dataset::connect(&servers, &name, options()).await.unwrap();
    assert!(dataset.remarks().is_empty(), "{:?}", dataset.remarks());
    let generation: Vec<Digest> = dataset.partitions().iter().map(|partition| partition.digest).collect();
    fakes[1].kill();
    let joined = Dataset::connect_to(&servers, &name, Some(&generation), options()).await.unwrap();
    assert_eq!(joined.digest(), dataset.digest());
    assert_eq!(gather(joined.fetch(encoded(0..200, false)).unwrap()).await.len(), 200);
    let anew = Dataset::connect(&servers, &name, options()).await.unwrap();
    assert_eq!(anew.len(), 200);
    assert!(anew.remarks()[0].contains("is taken for a replica"), "{:?}", anew.remarks());
}

#[tokio::test]
async fn a_server_that_may_have_what_no_other_has_is_not_gone_on_without() {
    let mut fakes = [Fake::honest(half("1/1")), Fake::honest(Holding::of("blue", 40))];
    fakes[1].kill();
    let name = "photos".parse().unwrap();
    let servers: Vec<_> = fakes.iter().map(Fake::address).collect();
    let hurried =
        || ClientOptions { retry: Retry { connect_for: Duration::from_millis(200), ..options().retry }, ..options() };
    let error = Dataset::connect(&servers, &name, hurried()).await.unwrap_err();
    assert!(matches!(&error, ClientError::NotConnected { server, .. } if *server == servers[1]), "{error}");
    let insisted = ClientOptions { allow_partial: true, ..hurried() };
    assert_eq!(Dataset::connect(&servers, &name, insisted).await.unwrap().len(), 200);
}

/// An honest server that says nothing more in its third call, once it has sent three samples; the connection lives.
fn hangs_once() -> Fake {
    let script = |holding: &Holding, call: usize, fetch: &_| {
        let mut all = holding.honest(fetch, 1);
        if call == 2 {
            all.truncate(3);
            all.push(Step::Hang);
        }
        steps(all)
    };
    Fake::start(half("1/1"), Arc::new(script))
}

fn hedging(hedge: bool, stall: u64) -> ClientOptions {
    let retry = Retry { stall: Duration::from_secs(stall), ..options().retry };
    ClientOptions { retry, hedge, ..options() }
}

#[tokio::test]
async fn a_call_that_hangs_is_overtaken_by_another_server_and_each_sample_comes_once() {
    let fakes = [hangs_once(), Fake::honest(half("1/1"))];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], hedging(true, 90)).await;
    let begin = Instant::now();
    for ordered in [true, false] {
        let samples = gather(dataset.fetch(encoded(0..200, ordered)).unwrap()).await;
        assert_eq!(sorted(&samples), (0..200).collect::<Vec<_>>());
    }
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    let counters = dataset.counters();
    assert_eq!((counters.hedged, counters.hedges_won, counters.retries), (1, 1, 0));
}

#[tokio::test]
async fn nobody_is_asked_twice_where_hedging_is_off_and_it_is_said_where_nobody_could_be() {
    let fakes = [hangs_once(), Fake::honest(half("1/1"))];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], hedging(false, 4)).await;
    let samples = gather(dataset.fetch(encoded(0..200, false)).unwrap()).await;
    assert_eq!(sorted(&samples), (0..200).collect::<Vec<_>>());
    let counters = dataset.counters();
    assert_eq!((counters.hedged, counters.hedges_won, counters.retries), (0, 0, 1));
    let alone = connect_with(&[&fakes[1]], hedging(true, 4)).await;
    assert!(alone.remarks()[0].starts_with("hedging is on, and does nothing"), "{:?}", alone.remarks());
}

#[tokio::test]
async fn a_second_server_that_fails_takes_nothing_from_the_first() {
    let slow = |holding: &Holding, call: usize, fetch: &_| {
        let slowly = std::iter::repeat_with(|| Step::Busy(Duration::from_millis(1500))).take(3);
        steps(slowly.take(if call == 1 { 3 } else { 0 }).chain(holding.honest(fetch, 4)).collect())
    };
    let fails = |_: &Holding, _: usize, _: &_| steps(vec![Step::Fail(tonic::Status::unavailable("its disk is gone"))]);
    let fakes = [Fake::start(half("1/1"), Arc::new(slow)), Fake::start(half("1/1"), Arc::new(fails))];
    let dataset = connect_with(&[&fakes[0], &fakes[1]], hedging(true, 90)).await;
    let samples = gather(dataset.fetch(encoded(0..200, true)).unwrap()).await;
    assert_eq!(sorted(&samples), (0..200).collect::<Vec<_>>());
    assert_eq!(dataset.counters().hedges_won, 0);
}
