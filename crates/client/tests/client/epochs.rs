//! Each place of a request has its own epoch: the same photo twice is two crops, whatever breaks on the way.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::StreamExt;
use headwater_client::{
    Addresses, BatchPlan, ClientError, Dataset, FetchRequest, Finisher, Indices, RowLayout, Sample,
};
use headwater_types::{Address, Cut, Epoch, Recipe, SampleIndex, Seed, Way};
use headwater_wire::proto;
use proptest::prelude::*;

use crate::common::{connect, connect_with, encoded, gather, options};
use crate::exactly_once::{hasty, mishap, script};
use crate::fake::{Fake, Holding, Photo, Script, Step, honest, steps};
use crate::finish::jpeg;

fn echoing(class: &str, count: usize) -> Holding {
    Holding { echoes: true, ..Holding::of(class, count) }
}

fn request(asked: &[(u64, u64)], ordered: bool) -> FetchRequest {
    let indices: Indices = asked.iter().map(|&(index, _)| SampleIndex(index)).collect();
    let epochs: Vec<_> = asked.iter().map(|&(_, epoch)| Epoch(epoch)).collect();
    FetchRequest { addresses: each(epochs), ..encoded(indices, ordered) }
}

/// Addresses of one run.
fn each(epochs: Vec<Epoch>) -> Addresses {
    Addresses::Each { seed: Seed(1), epochs: epochs.into() }
}

/// Index and epoch of a sample, as the server understood them and as the client says.
fn echoed(sample: &Sample) -> (u64, u64) {
    let payload = &sample.outcome.as_ref().unwrap().payload;
    let (photo, epoch) = payload.split_last_chunk().unwrap();
    let key = sample.key.as_ref().unwrap().as_str().as_bytes();
    assert!(photo.chunks(key.len()).all(|piece| piece == key));
    let epoch = u64::from_le_bytes(*epoch);
    assert_eq!(epoch, sample.address.epoch.0);
    (sample.index.0, epoch)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_each_place_is_answered_as_of_its_own_epoch(
        mishaps in prop::collection::vec(mishap(), 0..12),
        // Few samples and few epochs: many repeats, of the same epoch and of others.
        asked in prop::collection::vec((0_u64..10, prop_oneof![0_u64..3, any::<u64>()]), 0..120),
        (streams, batch, window, ordered) in (1_usize..4, 1_usize..6, 300_u64..4_000, any::<bool>()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let a = Fake::start(echoing("red", 6), script(mishaps, batch));
            let b = Fake::honest(echoing("blue", 4));
            let dataset = connect_with(&[&a, &b], hasty(streams, window)).await;
            let samples = gather(dataset.fetch(request(&asked, ordered)).unwrap()).await;
            let (mut got, mut expected) = (samples.iter().map(echoed).collect::<Vec<_>>(), asked);
            if !ordered {
                got.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(got, expected);
        });
    }
}

#[tokio::test]
async fn a_sample_three_times_is_the_tensors_of_its_three_epochs_at_every_cut() {
    let photo = |i: u32| Photo { key: format!("red/{i}"), bytes: jpeg(300 + 40 * i, 260) };
    let fake = Fake::honest(Holding { photos: (0..3).map(photo).collect(), ..Holding::default() });
    let dataset = connect(&[&fake]).await;
    for cut in [Cut::Encoded, Cut::JpegCrop, Cut::Decoded, Cut::Cropped, Cut::Flipped, Cut::Tensor, Cut::Normalized] {
        let of = async |addresses: Addresses| rows(&dataset, cut, addresses).await;
        let (third, fourth) = (of(Address::new(1, 3).into()).await, of(Address::new(1, 4).into()).await);
        assert_ne!(third[0], fourth[0]);
        let mixed = of(each(vec![Epoch(3), Epoch(4), Epoch(3)])).await;
        assert_eq!(mixed, [third[0].clone(), fourth[1].clone(), third[2].clone()], "{cut}");
    }
    assert_eq!(fake.asked().last(), Some(&vec![1, 1, 1]), "all in one call");
}

/// The finished tensors of sample 1, three times.
async fn rows(dataset: &Dataset, cut: Cut, addresses: Addresses) -> Vec<Vec<u8>> {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let layout = RowLayout::Tensor(recipe.output_size());
    let recipe = Some(recipe);
    let indices: Indices = [1, 1, 1].map(SampleIndex).into_iter().collect();
    let request =
        FetchRequest { recipe: recipe.clone(), ways: Way::raw(cut).into(), addresses, ..encoded(indices, true) };
    let (recipe, sizes, ahead) = (recipe.map(Arc::new), vec![3], NonZeroUsize::MIN);
    let plan = BatchPlan { recipe, layout, sizes, ahead, listener: None };
    let finisher = Finisher::new(NonZeroUsize::MIN).unwrap();
    let batch = dataset.fetch_batches(request, finisher, plan).unwrap().next().await.unwrap().unwrap();
    assert!(batch.rows.iter().all(|row| row.failure.is_none() && row.index.0 == 1));
    batch.values.chunks(layout.bytes()).map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn an_older_server_is_refused_by_name_where_it_would_crop_all_alike() {
    let (new, old) = (Fake::honest(echoing("red", 3)), Fake::honest(Holding { old: true, ..echoing("blue", 3) }));
    let dataset = connect(&[&new, &old]).await;
    let error = dataset.fetch(request(&[(0, 1), (4, 2)], true)).unwrap_err();
    assert!(matches!(&error, ClientError::NoSampleEpochs { server, .. } if *server == old.address()), "{error}");
    assert!(error.to_string().contains("upgrade that server"), "{error}");
    // What it can do it does: one epoch for all, repeats in calls of their own, and nothing where none of its samples
    // is asked for.
    for asked in [vec![(5, 7), (0, 7), (5, 7), (5, 7)], vec![(0, 1), (0, 2)]] {
        let samples = gather(dataset.fetch(request(&asked, true)).unwrap()).await;
        assert_eq!(samples.iter().map(echoed).collect::<Vec<_>>(), asked);
    }
    assert_eq!(old.asked(), [[2], [2], [2]]);
}

#[tokio::test]
async fn a_server_that_became_an_older_one_on_the_way_is_given_up() {
    let forgetful: Script = Arc::new(|holding, _, fetch| {
        let mut all = holding.honest(fetch, 4);
        for step in &mut all {
            let Step::Send(batch) = step else { continue };
            batch.iter_mut().for_each(|sample| *sample = proto::Sample { position: None, ..sample.clone() });
        }
        steps(all)
    });
    let fake = Fake::start(echoing("red", 6), forgetful);
    let mut stream = connect(&[&fake]).await.fetch(request(&[(1, 1), (1, 2)], false)).unwrap();
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(&error, ClientError::Protocol { server, .. } if *server == fake.address()), "{error}");
}

#[tokio::test]
async fn a_list_of_another_length_is_refused_before_anything_is_asked() {
    let fake = Fake::start(echoing("red", 6), honest());
    let dataset = connect_with(&[&fake], options()).await;
    for epochs in [vec![], vec![Epoch(1); 5], vec![Epoch(1); 7]] {
        let error = dataset.fetch(FetchRequest { addresses: each(epochs), ..encoded(0..6, true) }).unwrap_err();
        assert!(error.to_string().contains("one for each of the indices"), "{error}");
    }
    assert_eq!(fake.calls().0, 0);
}
