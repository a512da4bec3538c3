//! Why a dataset cannot be described or fetched any further. What fails for one sample is never here.

use std::time::Duration;

use headwater_types::{DatasetName, ModelName};
use tonic::Code;

use crate::address::ServerAddress;
use crate::parts::PartsError;

/// Why the client cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// No server was named.
    #[error("no server is named: give --servers HOST:PORT[,HOST:PORT...]")]
    NoServers,
    /// The same server twice: its samples would be there twice.
    #[error("server {0} is named twice in --servers")]
    DuplicateServer(ServerAddress),
    /// One server under two addresses.
    #[error("{first} and {second} are one server, whose samples would come twice: name it once in --servers")]
    SameServer {
        /// One of its addresses.
        first: ServerAddress,
        /// Another.
        second: ServerAddress,
    },
    /// What the servers serve is not each sample once.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// A server could not be reached, or stayed silent.
    #[error(
        "server {server} gave no sample for {} s ({last}): see that it runs and can be reached, then start again",
        waited.as_secs_f64().round()
    )]
    Unreachable {
        /// Which.
        server: ServerAddress,
        /// For how long it was waited for.
        waited: Duration,
        /// What went wrong last.
        last: String,
    },
    /// A server could not be described.
    #[error(
        "server {server} did not answer for {} s ({last}): see that it runs and that --servers names its --listen address",
        waited.as_secs_f64().round()
    )]
    NotConnected {
        /// Which.
        server: ServerAddress,
        /// For how long it was waited for.
        waited: Duration,
        /// What went wrong last.
        last: String,
    },
    /// A server has been starting for so long without anything new to say of it.
    #[error(
        "server {server} is not ready ({doing}), and has said nothing new for {} s: look at its log, and start again once it is",
        waited.as_secs_f64().round()
    )]
    NotReady {
        /// Which.
        server: ServerAddress,
        /// For how long nothing new was heard.
        waited: Duration,
        /// The server's words.
        doing: String,
    },
    /// A server had no place for another connection or call for so long.
    #[error(
        "server {server} had no place for {} s ({message}): start again when others have ended, or start it with more",
        waited.as_secs_f64().round()
    )]
    Busy {
        /// Which.
        server: ServerAddress,
        /// For how long it was waited for.
        waited: Duration,
        /// The server's words, which name its limit.
        message: String,
    },
    /// The address is that of a server's metrics.
    #[error("{server} is the metrics port of a storage server: name the address of its --listen, which is {serving}")]
    MetricsPort {
        /// The address that was named.
        server: ServerAddress,
        /// Where that server listens, as it sees itself.
        serving: String,
    },
    /// Something else answers.
    #[error(
        "{server} answers like a web server (HTTP/1), and not like a storage server: name the address that storage-server's \
         --listen has"
    )]
    WebServer {
        /// The address that was named.
        server: ServerAddress,
    },
    /// A server refused, and would again.
    #[error("server {server} refused: {message}")]
    Refused {
        /// Which.
        server: ServerAddress,
        /// The status's code.
        code: Code,
        /// The server's words.
        message: String,
    },
    /// A server serves another dataset or model than it described.
    #[error("server {server} has changed since the start: {message}; start again to use what it has now")]
    DatasetChanged {
        /// Which.
        server: ServerAddress,
        /// The server's words.
        message: String,
    },
    /// A server broke the protocol.
    #[error("server {server} broke the protocol: {message}; see that both ends have the same version")]
    Protocol {
        /// Which.
        server: ServerAddress,
        /// How.
        message: String,
    },
    /// A server that knows one epoch for a whole call, where samples were to have their own.
    #[error(
        "server {server} (version {version}) crops all samples of a call as in one epoch, and here each is to have its own, as where a \
         sample comes twice in an epoch: upgrade that server"
    )]
    NoSampleEpochs {
        /// Which.
        server: ServerAddress,
        /// Its version.
        version: String,
    },
    /// A server that does not know the call for names.
    #[error(
        "server {server} (version {version}) lists no names: keys and labels without the photos, and states that hold by name, \
         need a newer one: upgrade that server"
    )]
    NoNames {
        /// Which.
        server: ServerAddress,
        /// Its version.
        version: String,
    },
    /// A model is missing on a server.
    #[error("server {server} has no model {model}: it has [{registered}], see --model of storage-server")]
    UnknownModel {
        /// Which.
        server: ServerAddress,
        /// The model that was asked for.
        model: ModelName,
        /// What is registered there, separated by commas.
        registered: String,
    },
    /// A model is not the same everywhere.
    #[error(
        "model {model} differs in its {what} between server {first} and server {second}: register the same file, recipe and \
         output on all"
    )]
    ModelsDiffer {
        /// The model that was asked for.
        model: ModelName,
        /// `file`, `recipe`, `output` or `feature length`.
        what: &'static str,
        /// A server.
        first: ServerAddress,
        /// A server with another.
        second: ServerAddress,
    },
    /// An index past the end.
    #[error("there is no sample {index}: dataset {dataset} has {samples} samples, counted from 0")]
    OutOfRange {
        /// The index that was asked for.
        index: u64,
        /// The dataset.
        dataset: DatasetName,
        /// How many it has.
        samples: u64,
    },
    /// A request that contradicts itself.
    #[error("{0}")]
    Request(&'static str),
    /// A fault of this program.
    #[error("a task of the client ended before its work: please report it ({0})")]
    Internal(String),
}
