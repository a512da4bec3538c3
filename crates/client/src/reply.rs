//! What a server answers to a call for samples: one message after the other, until all have come.

use headwater_wire::{Fetch, proto};
use prost::Message;
use tonic::Streaming;

use crate::awaited::Awaited;
use crate::job::FetchJob;
use crate::replicas::Seated;
use crate::trace::{CallSpan, SampleTrace};
use crate::trouble::Trouble;
use crate::wanted::{Wanted, as_asked};

/// What a server answers to a call that it has taken.
pub(crate) struct Reply {
    /// What is still to come.
    pub(crate) awaited: Awaited,
    /// `None` once the call was given up so that another worker can make one.
    stream: Option<Streaming<proto::FetchBatch>>,
    /// The call's part of the trace.
    pub(crate) span: CallSpan,
}

/// Why there is no next message.
pub(crate) enum NoMessage {
    /// The call was given up here.
    HungUp,
    /// The server broke the protocol.
    Broke(String),
    /// The call failed.
    Failed(Trouble),
}

/// Bytes before each message: a flag and a length.
const GRPC_PREFIX: u64 = 5;

// === impl Reply ===

impl Reply {
    /// Calls for these samples.
    pub(crate) async fn to<'w>(
        job: &FetchJob,
        client: &Seated,
        trace: &SampleTrace,
        wanted: impl ExactSizeIterator<Item = &'w Wanted> + Clone,
    ) -> Result<Self, Trouble> {
        let (samples, ways, epochs) = as_asked(wanted.clone());
        let request = proto::FetchRequest::from(Fetch { samples, ways, epochs, ..job.fetch.clone() });
        let mut samples = client.samples();
        let mut span = CallSpan::new(trace, client.address(), wanted.len());
        let opening = samples.fetch(span.request(request));
        let response = client.wait(job.options.retry.stall, "a call was not answered", opening).await;
        let response = response.and_then(|response| response.map_err(|status| client.judge(&status)));
        let stream = response.inspect_err(|trouble| span.fail(&trouble.to_string()))?.into_inner();
        Ok(Self { awaited: Awaited::new(wanted, job.partition.sample_epochs), stream: Some(stream), span })
    }

    /// The next message. May be dropped and called again without losing anything.
    pub(crate) async fn next(&mut self, job: &FetchJob, client: &Seated) -> Result<proto::FetchBatch, NoMessage> {
        let Some(stream) = &mut self.stream else { return Err(NoMessage::HungUp) };
        let message = client.wait(job.options.retry.stall, "a call went silent", stream.message()).await;
        let missing = self.awaited.len();
        match message {
            Ok(Ok(Some(batch))) => {
                self.hear(job, client, missing, &batch);
                Ok(batch)
            }
            Ok(Ok(None)) => Err(NoMessage::Broke(format!("it ended a call with {missing} samples to come"))),
            Ok(Err(status)) => Err(NoMessage::Failed(client.judge(&status))),
            Err(trouble) => Err(NoMessage::Failed(trouble)),
        }
    }

    /// Every message is a sign of life; one may say that the server is busy.
    fn hear(&mut self, job: &FetchJob, client: &Seated, missing: usize, batch: &proto::FetchBatch) {
        let FetchJob { counting, pulse, .. } = job;
        let bytes = batch.encoded_len() as u64 + GRPC_PREFIX;
        counting.bytes_received.add(bytes);
        self.span.hear(bytes);
        pulse.beat();
        let Some(proto::Waiting { reason, detail }) = &batch.waiting else { return };
        self.span.busy(reason, detail);
        if pulse.hears_busy() {
            let server = client.address();
            tracing::warn!(%server, missing, "the server is busy: {reason}: {detail}");
        }
    }

    /// Whether the call goes on.
    pub(crate) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Gives the call up. What has come of it can still be taken.
    pub(crate) fn hang_up(&mut self) {
        self.stream = None;
    }
}
