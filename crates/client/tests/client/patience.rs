//! What passes is waited out, what does not ends with the server's name, and nobody is made to hold more than agreed.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use headwater_client::{ClientError, ClientOptions, Dataset, Retry, ServerAddress};
use headwater_types::{BitsPerSecond, ByteCount, FailureKind, SampleFailure};
use headwater_wire::{Delivery, proto};

use crate::common::{connect, connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, Step, steps};

/// Fails the sample of index 2 in the first `times` calls that ask for it.
fn failing(kind: FailureKind, times: usize) -> Script {
    Arc::new(move |holding, call, fetch| {
        let mut all = holding.honest(fetch, 4);
        for step in &mut all {
            let Step::Send(batch) = step else { continue };
            for sample in batch.iter_mut().filter(|sample| sample.index == 2 && call < times) {
                let delivery = Delivery::try_from(sample.clone()).unwrap();
                let outcome = Err(SampleFailure::new(kind, "told to fail"));
                *sample = proto::Sample::from(Delivery { outcome, ..delivery });
            }
        }
        steps(all)
    })
}

fn impatient(give_up_after: u64, stall: u64) -> ClientOptions {
    let retry = Retry {
        give_up_after: Duration::from_millis(give_up_after),
        stall: Duration::from_millis(stall),
        ..options().retry
    };
    ClientOptions { retry, streams_per_server: NonZeroUsize::MIN, ..options() }
}

async fn last_error(fake: &Fake, options: ClientOptions) -> ClientError {
    let mut stream = connect_with(&[fake], options).await.fetch(encoded(0..6, false)).unwrap();
    loop {
        match stream.next().await.expect("an error, and not the end") {
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

async fn outcome_of_2(script: Script, options: ClientOptions) -> (Option<FailureKind>, u64) {
    let fake = Fake::start(Holding::of("red", 6), script);
    let dataset = connect_with(&[&fake], options).await;
    let samples = gather(dataset.fetch(encoded(0..6, true)).unwrap()).await;
    assert!(samples.iter().all(|sample| sample.outcome.is_ok() || sample.index.0 == 2));
    let failed = samples[2].outcome.as_ref().err().map(|failure| failure.kind);
    (failed, dataset.counters().sample_retries)
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_a_few_times_and_another_never() {
    let patient = || impatient(60_000, 60_000);
    assert_eq!(outcome_of_2(failing(FailureKind::Io, 2), patient()).await, (None, 2));
    assert_eq!(outcome_of_2(failing(FailureKind::Io, 9), patient()).await, (Some(FailureKind::Io), 2));
    assert_eq!(outcome_of_2(failing(FailureKind::Malformed, 9), patient()).await, (Some(FailureKind::Malformed), 0));
}

#[tokio::test]
async fn a_server_that_says_it_is_stopping_is_waited_for_like_one_that_is_gone() {
    assert_eq!(outcome_of_2(failing(FailureKind::Unavailable, 9), impatient(60_000, 60_000)).await, (None, 9));
    let (failed, _) = outcome_of_2(failing(FailureKind::Unavailable, usize::MAX), impatient(100, 60_000)).await;
    assert_eq!(failed, Some(FailureKind::Unavailable), "but not for ever");
}

#[tokio::test]
async fn a_call_that_goes_silent_is_made_anew() {
    let fake = Fake::start(
        Holding::of("red", 6),
        Arc::new(|holding, call, fetch| {
            let mut all = holding.honest(fetch, 2);
            if call == 0 {
                all.truncate(1);
                all.push(Step::Hang);
            }
            steps(all)
        }),
    );
    let dataset = connect_with(&[&fake], impatient(60_000, 100)).await;
    assert_eq!(gather(dataset.fetch(encoded(0..6, false)).unwrap()).await.len(), 6);
    assert_eq!(fake.asked(), [vec![0, 1, 2, 3, 4, 5], vec![2, 3, 4, 5]]);
}

#[tokio::test]
async fn a_server_that_says_that_it_is_busy_is_waited_for_without_asking_again() {
    let busy: Script = Arc::new(|holding, _, fetch| {
        let waits = (0..8).map(|_| Step::Busy(Duration::from_millis(100)));
        steps(waits.chain(holding.honest(fetch, 4)).collect::<Vec<_>>())
    });
    let fake = Fake::start(Holding::of("red", 6), busy);
    let dataset = connect_with(&[&fake], impatient(400, 300)).await;
    assert_eq!(gather(dataset.fetch(encoded(0..6, false)).unwrap()).await.len(), 6);
    assert_eq!((fake.asked().len(), dataset.counters().retries), (1, 0));
}

#[tokio::test]
async fn a_server_that_stays_silent_or_away_is_given_up_by_name() {
    let mute = Fake::start(Holding::of("red", 6), Arc::new(|_, _, _| steps(vec![Step::Hang])));
    let error = last_error(&mute, impatient(150, 50)).await;
    assert!(matches!(&error, ClientError::Unreachable { server, .. } if *server == mute.address()), "{error}");

    let mut gone = Fake::honest(Holding::of("red", 6));
    let dataset = connect_with(&[&gone], impatient(150, 50)).await;
    gone.kill();
    let mut stream = dataset.fetch(encoded(0..6, false)).unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { server, .. } if *server == gone.address()), "{error}");
}

#[tokio::test]
async fn a_server_that_comes_back_with_other_samples_is_refused_by_name() {
    let mut fake = Fake::honest(Holding::of("red", 40));
    let dataset = connect_with(&[&fake], ClientOptions { window: ByteCount::new(1), ..options() }).await;
    let mut stream = dataset.fetch(encoded(0..40, true)).unwrap();
    stream.next().await.unwrap().unwrap();
    fake.kill();
    fake.hold(Holding::of("blue", 40));
    fake.restart().await;
    let error = loop {
        match stream.next().await.expect("an error, and not the end") {
            Ok(sample) => assert!(sample.key.unwrap().as_str().starts_with("red/"), "a sample of the dataset that was"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, ClientError::DatasetChanged { server, .. } if *server == fake.address()), "{error}");
}

fn large(count: usize) -> Holding {
    let photo = |i| Photo { key: format!("red/{i}.jpg"), bytes: vec![7; 1 << 20] };
    Holding { photos: (0..count).map(photo).collect(), ..Holding::default() }
}

/// Waits until a number has not changed for a while.
async fn settled(number: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (number(), 0);
    while same < 10 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        same = if number() == last { same + 1 } else { 0 };
        last = number();
    }
    last
}

#[tokio::test]
async fn a_reader_that_stops_reading_stops_the_servers() {
    let script: Script = Arc::new(|holding, _, fetch| {
        let (holding, fetch) = (holding.clone(), fetch.clone());
        let asked: Vec<_> = fetch.iter().collect();
        let send = move |asked| Step::Send(vec![holding.sample(&fetch, asked)]);
        Ok(Box::new(asked.into_iter().map(send)))
    });
    let fake = Fake::start(large(300), script);
    let window = ByteCount::mebibytes(4);
    let chunk = NonZeroUsize::new(512).unwrap();
    let dataset = connect_with(&[&fake], ClientOptions { window, chunk, ..options() }).await;
    let mut stream = dataset.fetch(encoded(0..300, false)).unwrap();
    stream.next().await.unwrap().unwrap();
    // The window, and for each of two streams 16 MiB of HTTP/2 and what stands in sockets and channels.
    let sent = settled(|| fake.sent()).await;
    assert!((4..70).contains(&sent), "{sent}");
    let rest = gather(stream).await;
    assert_eq!((rest.len(), fake.sent()), (299, 300));
}

#[tokio::test]
async fn dropping_a_stream_ends_its_calls() {
    let fake = Fake::start(Holding::of("red", 6), Arc::new(|_, _, _| steps(vec![Step::Hang])));
    let dataset = connect(&[&fake]).await;
    let mut stream = dataset.fetch(encoded(0..6, false)).unwrap();
    assert!(stream.next().now_or_never().is_none());
    while fake.calls().1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    while fake.calls().1 > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_that_starts_is_waited_for_as_long_as_it_says_something_new() {
    let fake = Fake::honest(Holding::of("red", 3));
    let (address, name) = ([fake.address()], "photos".parse().unwrap());
    let retry = Retry { connect_for: Duration::ZERO, starting_for: Duration::from_secs(60), ..options().retry };
    fake.starts((0..30).map(|files| format!("listing /srv/photos, {files} files so far")));
    let patient = ClientOptions { retry: retry.clone(), ..options() };
    assert_eq!(Dataset::connect(&address, &name, patient).await.unwrap().len(), 3);

    fake.starts(std::iter::repeat("loading model m".to_owned()));
    let retry = Retry { starting_for: Duration::from_millis(100), ..retry };
    let error = Dataset::connect(&address, &name, ClientOptions { retry, ..options() }).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::NotReady { server, doing, .. }
            if *server == fake.address() && doing.contains("model m")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_starts_anew_in_the_middle_is_alive_while_it_says_something_new() {
    let fake = Fake::honest(Holding::of("red", 40));
    let impatient =
        Retry { give_up_after: Duration::from_millis(300), max: Duration::from_millis(20), ..options().retry };
    let dataset = connect_with(&[&fake], ClientOptions { retry: impatient, ..options() }).await;
    // Some 50 pauses of 10 to 20 ms: longer than silence is borne.
    fake.starts((0..100).map(|files| format!("listing /srv/photos, {files} files so far")));
    assert_eq!(gather(dataset.fetch(encoded(0..40, true)).unwrap()).await.len(), 40);
    assert!(dataset.counters().retries >= 50, "{:?}", dataset.counters());
}

/// Answers every connection with these bytes.
async fn answering(bytes: &'static str) -> ServerAddress {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1000];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, bytes.as_bytes()).await;
        }
    });
    address.into()
}

#[tokio::test]
async fn a_port_that_is_no_storage_servers_is_named_for_what_it_is_at_once() {
    let name = "photos".parse().unwrap();
    let retry = Retry { connect_for: Duration::from_secs(600), ..options().retry };
    let patient = ClientOptions { retry, ..options() };
    let web = answering("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = Dataset::connect(std::slice::from_ref(&web), &name, patient.clone()).await.unwrap_err();
    assert!(matches!(&error, ClientError::WebServer { server } if *server == web), "{error}");
    let metrics = answering("HTTP/1.1 200 OK\r\nX-Headwater-Serves-At: 10.0.0.5:7440\r\n\r\n").await;
    let error = Dataset::connect(std::slice::from_ref(&metrics), &name, patient).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::MetricsPort { server, serving }
            if *server == metrics && serving == "10.0.0.5:7440"),
        "{error}"
    );
}

#[tokio::test]
async fn a_name_with_several_addresses_is_reached_where_the_server_listens_with_and_without_a_limit() {
    let fake = Fake::honest(Holding::of("red", 3));
    for bandwidth in [None, BitsPerSecond::new(1e9)] {
        let options = ClientOptions { bandwidth, ..options() };
        let dataset = Dataset::connect(&[fake.by_name()], &"photos".parse().unwrap(), options).await.unwrap();
        assert_eq!(gather(dataset.fetch(encoded(0..3, true)).unwrap()).await.len(), 3);
    }
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_waited_for_no_longer_than_was_said() {
    // As one that is stopped: the kernel takes the connection, and nobody reads it.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, name) = (ServerAddress::from(listener.local_addr().unwrap()), "photos".parse().unwrap());
    let retry = Retry { connect_for: Duration::from_secs(1), ..options().retry };
    let error = Dataset::connect(&[address], &name, ClientOptions { retry, ..options() }).await.unwrap_err();
    let ClientError::NotConnected { waited, .. } = &error else { panic!("{error}") };
    // HTTP/2's pings need 20 s to find out.
    assert!((1..15).contains(&waited.as_secs()), "{waited:?}");
    assert!(error.to_string().contains("takes a connection and then says nothing"), "{error}");
}

#[tokio::test]
async fn one_silence_is_borne_no_longer_than_all_that_is() {
    let mute = Fake::start(Holding::of("red", 6), Arc::new(|_, _, _| steps(vec![Step::Hang])));
    let error = last_error(&mute, impatient(1_000, 600_000)).await;
    let ClientError::Unreachable { waited, .. } = &error else { panic!("{error}") };
    assert!(waited.as_secs() < 300, "{waited:?}");
}
