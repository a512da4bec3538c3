//! Connections to one server, and what its refusals mean.
//!
//! A connection carries one call at a time: HTTP/2 shares one flow-control window among a connection's streams, so that
//! a stream that nobody reads would starve the others, and with them a reader that wants its samples in order.

use std::error::Error as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use headwater_access::{ClientAccess, TlsFault};
use headwater_types::ByteCount;
use headwater_types::caps::{MAX_MESSAGE, MAX_SAMPLE_MEMORY, MESSAGE_ENVELOPE};
use headwater_wire::proto::caches_client::CachesClient;
use headwater_wire::proto::datasets_client::DatasetsClient;
use headwater_wire::proto::ingests_client::IngestsClient;
use headwater_wire::proto::jobs_client::JobsClient;
use headwater_wire::proto::labels_client::LabelsClient;
use headwater_wire::proto::losses_client::LossesClient;
use headwater_wire::proto::models_client::ModelsClient;
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::proto::trainings_client::TrainingsClient;
use headwater_wire::status::{is_forbidden, is_not_ready, is_retryable, is_starting, is_unread};
use headwater_wire::transport::{
    CONNECT_TIMEOUT, CONNECTION_WINDOW, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MAX_FRAME, STREAM_WINDOW,
};
use headwater_wire::{Bearer, BearerChannel};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::arriving::{Arriving, Line};
use crate::error::ClientError;
use crate::socket::{Connector, Refusal};
use crate::throttle::Throttle;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// A connection.
#[derive(Debug)]
pub(crate) struct Client {
    channel: BearerChannel,
    /// The longest message that is taken, in bytes.
    most_message: usize,
    /// What is underway on it.
    pub(crate) line: Arc<Line>,
}

/// A server and the connections to it that are idle.
#[derive(Debug)]
pub(crate) struct Server {
    address: ServerAddress,
    endpoint: Endpoint,
    access: ClientAccess,
    refusal: Refusal,
    throttle: Option<Throttle>,
    arriving: Arc<Arriving>,
    idle: Mutex<Vec<Client>>,
    most_idle: usize,
    /// The longest message that is taken from it, in bytes.
    most_message: AtomicUsize,
}

// === impl Client ===

impl Client {
    pub(crate) fn datasets(&self) -> DatasetsClient<BearerChannel> {
        DatasetsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn samples(&self) -> SamplesClient<BearerChannel> {
        SamplesClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn caches(&self) -> CachesClient<BearerChannel> {
        CachesClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn jobs(&self) -> JobsClient<BearerChannel> {
        JobsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn labels(&self) -> LabelsClient<BearerChannel> {
        LabelsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn models(&self) -> ModelsClient<BearerChannel> {
        ModelsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn ingests(&self) -> IngestsClient<BearerChannel> {
        IngestsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn trainings(&self) -> TrainingsClient<BearerChannel> {
        TrainingsClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }

    pub(crate) fn losses(&self) -> LossesClient<BearerChannel> {
        LossesClient::new(self.channel.clone()).max_decoding_message_size(self.most_message)
    }
}

// === impl Server ===

impl Server {
    /// Connects to nothing yet.
    pub(crate) fn new(
        address: ServerAddress,
        access: ClientAccess,
        throttle: Option<Throttle>,
        arriving: Arc<Arriving>,
        most_idle: usize,
    ) -> Result<Self, ClientError> {
        let endpoint = Endpoint::from_shared(address.url())
            .map_err(|error| ClientError::Internal(format!("{address}: {error}")))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(MAX_FRAME)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        let most_message = AtomicUsize::new(message_of(MAX_SAMPLE_MEMORY));
        Ok(Self {
            address,
            endpoint,
            access,
            refusal: Refusal::default(),
            throttle,
            arriving,
            idle: Mutex::default(),
            most_idle,
            most_message,
        })
    }

    /// The same server, over connections of its own without a limit: to ask whether it is there, whatever else waits
    /// for the network.
    pub(crate) fn aside(&self) -> Result<Self, ClientError> {
        Self::new(self.address.clone(), self.access.clone(), None, Arc::default(), 1)
    }

    pub(crate) fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// A connection for one call at a time: an idle one, or a new one.
    pub(crate) async fn connect(&self) -> Result<Client, Trouble> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let most_message = self.most_message.load(Ordering::Relaxed);
        if let Some(idle) = idle {
            return Ok(Client { most_message, ..idle });
        }
        let line = Arc::new(Line::new(Arc::clone(&self.arriving)));
        let to = (self.access.clone(), self.address.certified().to_owned(), self.refusal.clone());
        let connector = Connector::new(self.throttle.clone(), Arc::clone(&line), to);
        let channel = self.endpoint.connect_with_connector(connector).await.map_err(|error| {
            if let Some(fault) = TlsFault::behind(&error).or_else(|| self.refusal.take()) {
                return self.untrusted(fault);
            }
            // tonic says "transport error"; what happened stands in the causes.
            let cause = std::iter::successors(error.source(), |&cause| cause.source()).last();
            Trouble::Passing(cause.map_or_else(|| error.to_string(), ToString::to_string))
        })?;
        let channel = Bearer::new(self.access.token.clone()).over(channel);
        Ok(Client { channel, most_message, line })
    }

    /// From here on the server may send payloads of so many bytes.
    pub(crate) fn allow_payload(&self, payload: ByteCount) {
        self.most_message.store(message_of(payload), Ordering::Relaxed);
    }

    /// Takes back a connection that is in order.
    pub(crate) fn put_back(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most_idle {
            idle.push(client);
        }
    }

    /// Drops idle connections.
    pub(crate) fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What a status means.
    pub(crate) fn judge(&self, status: &Status) -> Trouble {
        let server = self.address.clone();
        let message = status.message().to_owned();
        if let Some(fault) = TlsFault::behind(status).or_else(|| self.refusal.take()) {
            return self.untrusted(fault);
        }
        match status.code() {
            Code::Unauthenticated => Trouble::Untrusted(ClientError::Access { server, message }),
            _ if is_forbidden(status) => Trouble::Lasting(ClientError::Access { server, message }),
            _ if is_starting(status) => Trouble::Starting(message),
            _ if is_unread(status) => Trouble::Passing(message),
            Code::ResourceExhausted => Trouble::Busy(message),
            _ if is_retryable(status) => Trouble::Passing(message),
            _ if is_not_ready(status) => Trouble::Lasting(ClientError::DatasetNotReady { server, message }),
            Code::FailedPrecondition => Trouble::Lasting(ClientError::DatasetChanged { server, message }),
            code => Trouble::Lasting(ClientError::Refused { server, code, message }),
        }
    }

    /// The server is not trusted, or does not trust this client.
    fn untrusted(&self, fault: TlsFault) -> Trouble {
        Trouble::Untrusted(ClientError::Untrusted { server: self.address.clone(), fault })
    }

    /// The server broke the protocol.
    pub(crate) fn protocol(&self, message: impl Into<String>) -> ClientError {
        ClientError::Protocol { server: self.address.clone(), message: message.into() }
    }
}

/// The longest message whose samples have such payloads at most.
fn message_of(payload: ByteCount) -> usize {
    ByteCount::new(payload.get().saturating_add(MESSAGE_ENVELOPE.get())).min(MAX_MESSAGE).as_usize()
}
