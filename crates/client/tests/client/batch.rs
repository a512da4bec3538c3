//! Batches hold, row by row, what finishing each sample gives.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use headwater_client::{Batch, BatchPlan, BatchStream, Dataset, FetchRequest, Finisher, Listener, RowLayout};
use headwater_types::{Address, CpuSeconds, Cut, FailureKind, Recipe, SampleIndex, Way};

use crate::common::{connect, encoded};
use crate::fake::{Fake, Holding, Photo};
use crate::finish::jpeg;

const ORDER: [u64; 7] = [5, 0, 3, 1, 4, 2, 0];

fn holding() -> Holding {
    let photo = |i: u32| Photo {
        key: format!("red/{i}"),
        bytes: if i == 3 { b"no photo".to_vec() } else { jpeg(60 + 40 * i, 90) },
    };
    Holding { photos: (0..6).map(photo).collect(), ..Holding::default() }
}

async fn batches(dataset: &Dataset, cut: Cut, layout: RowLayout, sizes: &[usize]) -> Vec<Batch> {
    let mut stream = stream(dataset, cut, layout, sizes, None);
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch.unwrap());
    }
    batches
}

fn stream(
    dataset: &Dataset,
    cut: Cut,
    layout: RowLayout,
    sizes: &[usize],
    listener: Option<Arc<dyn Listener>>,
) -> BatchStream {
    let recipe = Recipe::builtin("imagenet-train").unwrap();
    let finisher = Finisher::new(NonZeroUsize::new(2).unwrap()).unwrap();
    let request = FetchRequest {
        recipe: Some(recipe.clone()),
        ways: Way::raw(cut).into(),
        addresses: Address::new(3, 1).into(),
        ..encoded(ORDER.map(SampleIndex).to_vec(), true)
    };
    let plan =
        BatchPlan { recipe: Some(Arc::new(recipe)), layout, sizes: sizes.to_vec(), ahead: NonZeroUsize::MIN, listener };
    dataset.fetch_batches(request, finisher, plan).unwrap()
}

/// Writes down what it hears.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(u64, Option<Way>, CpuSeconds)>>);

impl Listener for Heard {
    fn came(&self, index: SampleIndex, way: Option<Way>, _storage: CpuSeconds, trainer: CpuSeconds) {
        self.0.lock().unwrap().push((index.0, way, trainer));
    }
}

#[tokio::test]
async fn rows_are_the_finished_samples_in_the_order_of_the_request_at_every_cut() {
    let fake = Fake::honest(holding());
    let dataset = connect(&[&fake]).await;
    let size = Recipe::builtin("imagenet-train").unwrap().output_size();
    for layout in [RowLayout::Tensor(size), RowLayout::Pixels(size)] {
        let first = batches(&dataset, Cut::Encoded, layout, &[3, 4]).await;
        assert_eq!(first.iter().map(|batch| batch.rows.len()).collect::<Vec<_>>(), [3, 4]);
        let rows: Vec<_> = first.iter().flat_map(|batch| &batch.rows).collect();
        assert_eq!(rows.iter().map(|row| row.index.0).collect::<Vec<_>>(), ORDER);
        let failed: Vec<_> = rows.iter().filter_map(|row| Some((row.index.0, row.failure.as_ref()?.kind))).collect();
        assert_eq!(failed, [(3, FailureKind::UnsupportedFormat)]);
        assert_eq!(first[0].values.len(), 3 * layout.bytes());
        let row = |batches: &[Batch], n: usize| {
            let values: Vec<u8> = batches.iter().flat_map(|batch| batch.values.clone()).collect();
            values.chunks(layout.bytes()).nth(n).unwrap().to_vec()
        };
        assert_eq!(row(&first, 1), row(&first, 6), "the same sample twice");
        for cut in [Cut::JpegCrop, Cut::Decoded, Cut::Cropped, Cut::Flipped] {
            let other = batches(&dataset, cut, layout, &[7]).await;
            for n in [0, 1, 3, 4, 5, 6] {
                assert_eq!(row(&other, n), row(&first, n), "{cut} {layout:?} {n}");
            }
        }
    }
}

#[tokio::test]
async fn what_sizes_leave_out_is_not_read_and_what_is_not_there_is_not_waited_for() {
    let fake = Fake::honest(holding());
    let dataset = connect(&[&fake]).await;
    let layout = RowLayout::Pixels(Recipe::builtin("imagenet-train").unwrap().output_size());
    let lengths = |batches: Vec<Batch>| batches.iter().map(|batch| batch.rows.len()).collect::<Vec<_>>();
    assert_eq!(lengths(batches(&dataset, Cut::Cropped, layout, &[2, 1]).await), [2, 1]);
    assert_eq!(lengths(batches(&dataset, Cut::Cropped, layout, &[6, 6, 6]).await), [6, 1]);
}

#[tokio::test]
async fn a_listener_hears_of_every_sample_with_what_it_took() {
    let fake = Fake::honest(holding());
    let dataset = connect(&[&fake]).await;
    let layout = RowLayout::Pixels(Recipe::builtin("imagenet-train").unwrap().output_size());
    let heard = Arc::new(Heard::default());
    let mut stream = stream(&dataset, Cut::Encoded, layout, &[3, 4], Some(Arc::<Heard>::clone(&heard)));
    while let Some(batch) = stream.next().await {
        batch.unwrap();
    }
    let mut came = heard.0.lock().unwrap().clone();
    came.sort_by_key(|(index, ..)| *index);
    assert_eq!(came.iter().map(|(index, ..)| *index).collect::<Vec<_>>(), [0, 0, 1, 2, 3, 4, 5]);
    assert!(came.iter().all(|(_, way, trainer)| *way == Some(Way::ENCODED) && trainer.0 > 0.0), "{came:?}");
}
