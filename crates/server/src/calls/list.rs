//! `List`: keys, labels, sizes and fields of samples, from the catalog, a batch at a time as the reader takes them.

use std::sync::Arc;

use futures::{StreamExt, stream};
use headwater_types::Digest;
use headwater_wire::field::{bytes_of, values_to};
use headwater_wire::status::Invalid;
use headwater_wire::{List, Samples, proto};
use tonic::{Request, Status};

use crate::fields::AskedFields;
use crate::generation::Generation;

use super::desk::{Admitted, Desk, OfDataset};

/// Most samples of one batch, which is then made in some tenths of a millisecond and has some 100 kB.
const SAMPLES_PER_BATCH: usize = 2048;
/// Bytes of keys and fields after which a batch is closed: keys may have a kilobyte each.
const BYTES_PER_BATCH: usize = 256 << 10;

/// The messages of a listing.
pub(super) type ListBatches = stream::BoxStream<'static, Result<proto::ListBatch, Status>>;

pub(super) fn list(desk: &Desk, request: Request<proto::ListRequest>) -> Result<ListBatches, Status> {
    let Admitted { offer, request: list, .. } = desk.admit::<_, List>(request)?;
    let (last, samples) = (last(&list.samples), offer.generation.catalog().len() as u64);
    if let Some(last) = last.filter(|last| *last >= samples) {
        let message = format!("sample {last} was asked for, and the partition has {samples}");
        return Err(desk.refuse(Invalid::new(message)));
    }
    let fields = AskedFields::new(&offer.generation.pipeline.catalog, &list.fields);
    let fields = fields.map_err(|invalid| desk.refuse(invalid))?;
    let place = offer.house.place().map_err(|refusal| desk.refuse(refusal))?;
    tracing::debug!(samples = list.samples.len(), fields = list.fields.len(), "list");
    let rest = Rest { generation: Arc::clone(&offer.generation), samples: list.samples, fields, at: 0 };
    let messages = stream::unfold((rest, place), |(mut rest, place)| async move {
        let batch = rest.next()?;
        Some((Ok(batch), (rest, place)))
    });
    Ok(messages.boxed())
}

/// What is still to be listed.
struct Rest {
    generation: Arc<Generation>,
    samples: Samples,
    fields: AskedFields,
    /// The place of the next one in the request.
    at: usize,
}

// === impl Rest ===

impl Rest {
    /// The next batch; `None` at the end.
    fn next(&mut self) -> Option<proto::ListBatch> {
        if self.at >= self.samples.len() {
            return None;
        }
        let first = match &self.samples {
            Samples::Range { first, .. } => first + self.at as u64,
            Samples::List(_) => self.at as u64,
        };
        let mut batch = proto::ListBatch { first, ..proto::ListBatch::default() };
        let mut bytes = 0;
        let end = self.samples.len().min(self.at + SAMPLES_PER_BATCH);
        while self.at < end && bytes < BYTES_PER_BATCH {
            let index = self.samples.get(self.at);
            let entry = self.generation.catalog().get(index)?;
            bytes += entry.key.len();
            batch.keys.push(entry.key.to_owned());
            batch.labels.push(entry.label.map_or(0, |label| label.0 + 1));
            batch.stored_bytes.push(entry.version.size().get());
            if !self.fields.is_empty() {
                let values = self.fields.of(index);
                bytes += values.iter().map(bytes_of).sum::<usize>();
                batch.fields.push(proto::FieldValues { values: values_to(values) });
            }
            self.at += 1;
        }
        Some(batch)
    }
}

/// The highest index that is asked for.
fn last(samples: &Samples) -> Option<u64> {
    match samples {
        Samples::Range { first, count } => count.checked_sub(1).map(|last| first.saturating_add(last as u64)),
        Samples::List(indices) => indices.iter().max().copied(),
    }
}

// === impl List ===

impl OfDataset for List {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
