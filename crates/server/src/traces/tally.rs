//! What all samples of a call took together.

use std::time::{Duration, Instant};

use headwater_pipeline::Prepared;
use headwater_spans::Span;

use super::telling::Telling;
use crate::batch::Batch;

/// What all samples of a call took together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    asked: usize,
    made: usize,
    failed: usize,
    /// Samples for which the store was not read.
    kept: usize,
    /// Samples that were given up and made again.
    pub(super) shed: usize,
    stored: u64,
    payload: u64,
    messages: usize,
    /// Seconds of the stages, in the order of [`STAGES`].
    stages: [Duration; 6],
    /// When the first message was ready, and the last taken.
    sending: Option<(Instant, Instant)>,
    pub(super) cut_off: Option<String>,
    telling: Telling,
}

/// The attributes of the stages.
const STAGES: [&str; 6] = [
    "headwater.queue_seconds",
    "headwater.fetch_seconds",
    "headwater.decode_seconds",
    "headwater.transform_seconds",
    "headwater.infer_seconds",
    "headwater.send_seconds",
];

// === impl Tally ===

impl Tally {
    pub(super) fn new(asked: usize) -> Self {
        Self { asked, ..Self::default() }
    }

    pub(super) fn prepared(&mut self, sample: &Prepared) {
        let times = &sample.times;
        for (sum, time) in
            self.stages.iter_mut().zip([times.queue, times.fetch, times.decode, times.transform, times.infer])
        {
            *sum += time;
        }
        self.made += 1;
        self.stored += sample.stored.get();
        match &sample.outcome {
            Ok(_) if sample.stored.get() == 0 => self.kept += 1,
            Ok(_) => {}
            Err(_) => self.failed += 1,
        }
        self.telling.hear(sample);
    }

    pub(super) fn sent(&mut self, batch: &Batch) {
        let now = Instant::now();
        let closed = batch.closed();
        let (first, _) = self.sending.unwrap_or((closed, now));
        self.sending = Some((first.min(closed), now));
        self.messages += 1;
        self.payload += batch.delivered().iter().map(|(_, bytes)| *bytes as u64).sum::<u64>();
        self.stages[5] += now.saturating_duration_since(closed);
    }

    /// Says it all of a call's span. `hops`: calls at other servers that are not followed.
    pub(super) fn tell(self, call: &mut Span, hops: usize) {
        let told = self.telling.len();
        for (key, number) in [
            ("headwater.samples.made", self.made),
            ("headwater.samples.failed", self.failed),
            ("headwater.samples.kept", self.kept),
            ("headwater.samples.made_again", self.shed),
            ("headwater.samples.without_span", self.made.saturating_sub(told)),
            ("headwater.calls.without_span", hops),
            ("headwater.messages", self.messages),
        ] {
            call.set(key, number);
        }
        call.set("headwater.stored_bytes", self.stored);
        call.set("headwater.payload_bytes", self.payload);
        STAGES.into_iter().zip(self.stages).for_each(|(key, time)| call.set(key, time));
        match self.cut_off {
            Some(why) => call.fail(why),
            None if self.made < self.asked => call.set("headwater.given_up", true),
            None => {}
        }
        if let Some(times) = self.sending {
            let mut send = call.past("send", times);
            send.set("headwater.messages", self.messages);
            send.set("headwater.payload_bytes", self.payload);
        }
        self.telling.tell(call);
    }
}
