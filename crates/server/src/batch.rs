//! Samples that travel in one message, with the memory in which they lie.

use std::time::Instant;

use headwater_image::Parts;
use headwater_pipeline::{Finished, Permit, Prepared};
use headwater_types::{Cut, FieldValue};
use headwater_wire::{Delivered, Delivery, proto};

/// Most samples of a batch; with features of 5 kB this is a batch's bytes.
const MOST: usize = 1024;

/// A message before it is written. A large sample has a message to itself.
pub(crate) struct Batch {
    samples: Vec<proto::Sample>,
    /// How far each sample was taken that did not fail, and its payload's bytes.
    delivered: Vec<(Cut, usize)>,
    bytes: usize,
    permits: Vec<Permit>,
    waiting: Option<proto::Waiting>,
    /// When the batch was closed.
    closed: Instant,
}

// === impl Batch ===

impl Batch {
    pub(crate) fn new() -> Self {
        let (samples, delivered, permits) = (Vec::new(), Vec::new(), Vec::new());
        Self { samples, delivered, bytes: 0, permits, waiting: None, closed: Instant::now() }
    }

    /// A message without samples, which says why none come.
    pub(crate) fn waiting(why: proto::Waiting) -> Self {
        Self { waiting: Some(why), ..Self::new() }
    }

    /// Takes a sample, with its place in the request and the values of its fields.
    pub(crate) fn push(&mut self, position: u32, sample: Prepared, fields: Vec<FieldValue>) {
        let outcome = sample.outcome.map(|Finished { parts, permit }| {
            self.bytes += parts.bytes.len();
            self.delivered.push((parts.way.cut(), parts.bytes.len()));
            self.permits.push(permit);
            let Parts { way, dtype, shape, source, origin, bytes: payload } = parts;
            Delivered { way, dtype, shape, payload, source, origin }
        });
        let Prepared { index, key, label, times, .. } = sample;
        let delivery = Delivery { index, position: Some(position), key, label, fields, cpu: times.cpu, outcome };
        self.bytes += delivery.field_bytes();
        self.samples.push(delivery.into());
    }

    /// The batch as it goes to the network now.
    pub(crate) fn close(self) -> Self {
        Self { closed: Instant::now(), ..self }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Whether the batch takes no more samples, where it is to have so many bytes.
    pub(crate) fn is_full(&self, most: usize) -> bool {
        self.bytes >= most || self.samples.len() >= MOST
    }

    /// Number of samples.
    pub(crate) fn len(&self) -> usize {
        self.samples.len()
    }

    pub(crate) fn closed(&self) -> Instant {
        self.closed
    }

    /// How far each sample was taken that did not fail, and its payload's bytes.
    pub(crate) fn delivered(&self) -> &[(Cut, usize)] {
        &self.delivered
    }

    /// The samples' places in the request.
    pub(crate) fn positions(&self) -> impl Iterator<Item = u32> {
        self.samples.iter().filter_map(|sample| sample.position)
    }

    /// The message and its memory.
    pub(crate) fn into_message(self) -> (proto::FetchBatch, Vec<Permit>) {
        (proto::FetchBatch { samples: self.samples, waiting: self.waiting }, self.permits)
    }
}

/// Whether a sample is larger than a whole batch.
pub(crate) fn is_large(sample: &Prepared, most: usize) -> bool {
    sample.outcome.as_ref().is_ok_and(|finished| finished.parts.bytes.len() > most)
}
