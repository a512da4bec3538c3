//! Messages of any bytes, as a server and as a client read them: no panic, and what is taken is within the protocol's
//! rules.
#![no_main]

use bytes::Bytes;
use headwater_types::caps::MAX_SAMPLES_PER_CALL;
use headwater_wire::{Delivery, Fetch, proto};
use libfuzzer_sys::fuzz_target;
use prost::Message;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(request) = proto::FetchRequest::decode(bytes.clone())
        && let Ok(fetch) = Fetch::try_from(request)
    {
        assert!(fetch.samples.len() <= MAX_SAMPLES_PER_CALL);
        assert_eq!(fetch.iter().count(), fetch.samples.len());
    }
    if let Ok(batch) = proto::FetchBatch::decode(bytes) {
        for sample in batch.samples {
            if let Ok(Delivery { outcome: Ok(delivered), .. }) = Delivery::try_from(sample) {
                let elements = delivered.shape.elements().unwrap_or(usize::MAX);
                assert_eq!(elements * delivered.dtype.size(), delivered.payload.len());
            }
        }
    }
});
