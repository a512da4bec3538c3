//! A sample as the reader gets it.

use headwater_types::{Address, AgreedLimits, ClassId, CpuSeconds, FieldValue, SampleFailure, SampleIndex, SampleKey};
use headwater_wire::Delivered;

use crate::trace::SampleTrace;

/// A sample that was asked for. Each is given once, whatever breaks or restarts on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The sample's index in the dataset.
    pub index: SampleIndex,
    /// The address of its pass's randomness, as the request has it at the sample's place.
    pub address: Address,
    /// The sample's key; always there where the outcome is a payload.
    pub key: Option<SampleKey>,
    /// The label: a position in [`Dataset::classes`](crate::Dataset::classes); `None` for a sample without a label.
    pub label: Option<ClassId>,
    /// The values of the fields that the request names, in that order; nothing for a sample that no server gave.
    pub fields: Vec<FieldValue>,
    /// CPU time that the server's workers spent on the sample, inference included; where
    /// [`FetchRequest::measure_cpu`](crate::FetchRequest) is set.
    pub cpu: Option<CpuSeconds>,
    /// The limits of the sample's photo.
    pub limits: AgreedLimits,
    /// The payload, or why there is none.
    pub outcome: Result<Delivered, SampleFailure>,
    /// The trace that follows the sample, where one does.
    pub trace: SampleTrace,
}

// === impl Sample ===

impl Sample {
    /// Bytes of the payload; 0 for a failure.
    pub(crate) fn payload_bytes(&self) -> u64 {
        self.outcome.as_ref().map_or(0, |delivered| delivered.payload.len() as u64)
    }
}
