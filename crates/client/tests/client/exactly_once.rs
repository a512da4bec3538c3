//! Every sample that is asked for is given exactly once, whatever breaks or restarts on the way.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use headwater_client::{ClientOptions, Dataset, Indices, Retry, Sample};
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleIndex};
use headwater_wire::status::Refusal;
use headwater_wire::{Delivery, Fetch, proto};
use proptest::prelude::*;
use tonic::Status;

use crate::common::{connect_with, encoded, gather, options};
use crate::fake::{Fake, Holding, Photo, Script, Step, steps};

/// What goes wrong in a call, once it has sent so many samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    Cut,
    Unavailable,
    Silence,
    EarlyEnd,
    Repeat,
    Stranger,
    FlippedBit,
    PassingFailure,
}

pub(crate) fn mishap() -> impl Strategy<Value = (Mishap, usize)> {
    let kinds = prop_oneof![
        Just(Mishap::Cut),
        Just(Mishap::Unavailable),
        Just(Mishap::Silence),
        Just(Mishap::EarlyEnd),
        Just(Mishap::Repeat),
        Just(Mishap::Stranger),
        Just(Mishap::FlippedBit),
        Just(Mishap::PassingFailure),
    ];
    (kinds, 1_usize..12)
}

/// The n-th call meets the n-th mishap; later ones go well.
pub(crate) fn script(mishaps: Vec<(Mishap, usize)>, batch: usize) -> Script {
    Arc::new(move |holding, call, fetch| {
        let mut all = holding.honest(fetch, batch);
        if let Some(&(mishap, after)) = mishaps.get(call) {
            spoil(&mut all, mishap, after.div_ceil(batch), fetch);
        }
        steps(all)
    })
}

fn spoil(all: &mut Vec<Step>, mishap: Mishap, after: usize, fetch: &Fetch) {
    let after = after.min(all.len());
    let Step::Send(last) = &mut all[after - 1] else { unreachable!() };
    let first = last[0].clone();
    match mishap {
        Mishap::FlippedBit => return last[0].checksum ^= 1,
        Mishap::PassingFailure => {
            let failure = SampleFailure::new(FailureKind::Unavailable, "the server is stopping");
            let (index, position) = (SampleIndex(first.index), first.position);
            return last[0] = Delivery {
                index,
                position,
                key: None,
                label: None,
                fields: Vec::new(),
                cpu: None,
                outcome: Err(failure),
            }
            .into();
        }
        Mishap::Repeat => last.push(first),
        Mishap::Stranger => {
            let stranger = fetch.iter().map(|asked| asked.index.0).max().unwrap() + 1;
            last.push(proto::Sample { index: stranger, ..first });
        }
        Mishap::Cut | Mishap::Unavailable | Mishap::Silence | Mishap::EarlyEnd => {}
    }
    all.truncate(after);
    match mishap {
        Mishap::Cut => all.push(Step::Cut),
        Mishap::Unavailable => all.push(Step::Fail(Status::unavailable("the server is stopping"))),
        Mishap::Silence => all.push(Step::Hang),
        _ => {}
    }
}

pub(crate) fn hasty(streams: usize, window: u64) -> ClientOptions {
    let retry = Retry {
        stall: Duration::from_millis(100),
        sample_attempts: NonZeroU32::new(1_000).unwrap(),
        ..options().retry
    };
    ClientOptions {
        streams_per_server: NonZeroUsize::new(streams).unwrap(),
        window: ByteCount::new(window),
        retry,
        ..options()
    }
}

fn check(samples: &[Sample], asked: &[u64], ordered: bool) {
    let mut got: Vec<_> = samples.iter().map(|sample| sample.index.0).collect();
    let mut asked = asked.to_vec();
    if !ordered {
        got.sort_unstable();
        asked.sort_unstable();
    }
    assert_eq!(got, asked);
    for sample in samples {
        let key = sample.key.as_ref().unwrap().as_str();
        let payload = &sample.outcome.as_ref().unwrap().payload;
        assert!(!payload.is_empty() && payload.chunks(key.len()).all(|piece| piece == key.as_bytes()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_in_calls(
        mishaps in prop::collection::vec(mishap(), 0..24),
        indices in prop_oneof![
            (0_u64..100, 0_u64..100).prop_map(|(a, b)| (a.min(b)..a.max(b)).collect::<Vec<_>>()),
            prop::collection::vec(0_u64..100, 0..150),
        ],
        (streams, batch, window, ordered) in (1_usize..4, 1_usize..6, 300_u64..4_000, any::<bool>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let a = Fake::start(Holding::of("red", 60), script(mishaps, batch));
            let b = Fake::honest(Holding::of("blue", 40));
            let dataset = connect_with(&[&a, &b], hasty(streams, window)).await;
            let list: Indices = indices.iter().map(|&index| SampleIndex(index)).collect();
            let samples = gather(dataset.fetch(encoded(list, ordered)).unwrap()).await;
            check(&samples, &indices, ordered);
        });
    }

    #[test]
    fn whenever_a_server_is_killed_and_started_again(
        kills in prop::collection::btree_map(0_usize..100, any::<bool>(), 1..6),
        (streams, window, ordered) in (1_usize..4, 300_u64..4_000, any::<bool>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut fakes = [Fake::honest(Holding::of("red", 60)), Fake::honest(Holding::of("blue", 40))];
            let dataset = connect_with(&[&fakes[0], &fakes[1]], hasty(streams, window)).await;
            let samples = gather_amid(&dataset, &mut fakes, &kills, ordered).await;
            check(&samples, &(0..100).collect::<Vec<_>>(), ordered);
        });
    }
}

/// Reads all, and kills and restarts a server after so many samples.
async fn gather_amid(
    dataset: &Dataset,
    fakes: &mut [Fake; 2],
    kills: &BTreeMap<usize, bool>,
    ordered: bool,
) -> Vec<Sample> {
    let mut stream = dataset.fetch(encoded(0..100, ordered)).unwrap();
    let mut samples = Vec::new();
    loop {
        if let Some(&second) = kills.get(&samples.len()) {
            let fake = &mut fakes[usize::from(second)];
            fake.kill();
            fake.restart().await;
        }
        match stream.next().await {
            Some(sample) => samples.push(sample.unwrap()),
            None => return samples,
        }
    }
}

#[tokio::test]
async fn only_what_is_missing_is_asked_for_again() {
    let fake = Fake::start(
        Holding::of("red", 16),
        Arc::new(|holding, call, fetch| {
            let mut all = holding.honest(fetch, 5);
            if call == 0 {
                all.truncate(2);
                all.push(Step::Fail(Status::unavailable("the server is stopping")));
            }
            steps(all)
        }),
    );
    let dataset = connect_with(&[&fake], hasty(1, 1 << 20)).await;
    let samples = gather(dataset.fetch(encoded(0..16, false)).unwrap()).await;
    check(&samples, &(0..16).collect::<Vec<_>>(), false);
    assert_eq!(fake.asked(), [(0..16).collect::<Vec<_>>(), (10..16).collect()]);
    let counters = dataset.counters();
    assert_eq!((counters.retries, counters.reconnects), (1, 1));
}

#[tokio::test]
async fn in_order_a_sample_that_comes_last_does_not_wait_for_room_that_later_ones_have_taken() {
    // Each call's first sample comes last, and the window holds three samples.
    let script: Script = Arc::new(|holding, _, fetch| steps(holding.honest(fetch, 64)));
    let fake = Fake::start(Holding::of("red", 64), script);
    let options = ClientOptions { chunk: NonZeroUsize::new(16).unwrap(), ..hasty(2, 900) };
    let dataset = connect_with(&[&fake], options).await;
    let list: Vec<_> = (0..64).rev().collect();
    let indices: Indices = list.iter().map(|&index| SampleIndex(index)).collect();
    let samples = gather(dataset.fetch(encoded(indices, true)).unwrap()).await;
    check(&samples, &list, true);
}

#[tokio::test]
async fn in_order_a_stream_that_must_wait_makes_way_for_one_that_the_server_refuses() {
    // The server takes one call at a time, and that is first the one for the later half: it fills the window, and more
    // is to come than HTTP/2 takes off the server's hands. The first half is refused until the other hangs up.
    let script: Script = Arc::new(|holding, call, fetch| {
        if call < 2 && fetch.iter().any(|asked| asked.index.0 == 0) {
            return Err(Refusal::Busy { limit: 1 }.into());
        }
        steps(holding.honest(fetch, 1))
    });
    let photo = |key: String| Photo { bytes: key.as_bytes().repeat(1 << 17), key };
    let photos = (0..96).map(|i| photo(format!("red/{i:04}"))).collect();
    let fake = Fake::start(Holding { photos, stored_bytes: Some(96), ..Holding::default() }, script);
    fake.most_open(1);
    let dataset =
        connect_with(&[&fake], ClientOptions { chunk: NonZeroUsize::new(48).unwrap(), ..hasty(2, 2 << 20) }).await;
    let fetched = gather(dataset.fetch(encoded(0..96, true)).unwrap());
    let samples = tokio::time::timeout(Duration::from_secs(120), fetched).await.expect("a stream that never gives way");
    check(&samples, &(0..96).collect::<Vec<_>>(), true);
}
