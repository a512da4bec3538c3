//! Why a dataset cannot be described or fetched any further. What fails for one sample is never here.

use std::time::Duration;

use headwater_access::TlsFault;
use headwater_types::field::FieldError;
use headwater_types::{DatasetName, FieldKind, ModelName};
use tonic::Code;

use crate::parts::PartsError;
use headwater_discovery::{DiscoveryError, ServerAddress};

/// Why the client cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// Servers cannot be found.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// One server was named by two addresses.
    #[error("{first} and {second} are one server, whose samples would come twice: name it once in --servers")]
    SameServer {
        /// One address of the server.
        first: ServerAddress,
        /// Another address of the server.
        second: ServerAddress,
    },
    /// Servers that have the same photos give different samples of them.
    #[error(
        "servers {first} and {second} have the same photos and different {what}, so that they cannot stand in for each \
         other: start both with the same settings, or leave one of them out"
    )]
    ReplicasDiffer {
        /// What differs.
        what: &'static str,
        /// A server.
        first: ServerAddress,
        /// The server that differs from it.
        second: ServerAddress,
    },
    /// A photo is to be put into one of several servers that have the same.
    #[error(
        "servers {first} and {second} stand in for each other: a photo that is put into one would be missing in the \
         other; name one server of each part, and have the others list the same store"
    )]
    IngestIntoReplicas {
        /// A server.
        first: ServerAddress,
        /// A server that has the same photos.
        second: ServerAddress,
    },
    /// Together the servers do not serve each sample once.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// Servers number different classes alike.
    #[error(
        "servers {first} and {second} have different lists of classes, and not in sorted order, so that one number is \
         two classes: give both the same list (classes=FILE of the dataset, or --classes)"
    )]
    ClassesDiffer {
        /// The server with the longest list.
        first: ServerAddress,
        /// A server whose list is not the beginning of that.
        second: ServerAddress,
    },
    /// A server could not be reached, or stayed silent.
    #[error(
        "server {server} gave no sample for {} s ({last}): see that it runs and can be reached, then start again",
        waited.as_secs_f64().round()
    )]
    Unreachable {
        /// The server.
        server: ServerAddress,
        /// For how long the server was waited for.
        waited: Duration,
        /// What went wrong at the last try.
        last: String,
    },
    /// A server could not be described.
    #[error(
        "server {server} did not answer for {} s ({last}): see that it runs and that --servers names its --listen \
         address",
        waited.as_secs_f64().round()
    )]
    NotConnected {
        /// The server.
        server: ServerAddress,
        /// For how long the server was waited for.
        waited: Duration,
        /// What went wrong at the last try.
        last: String,
    },
    /// A server is starting, and has said nothing new of it for too long.
    #[error(
        "server {server} is not ready ({doing}), and has said nothing new for {} s: look at its log, and start again \
         once it is",
        waited.as_secs_f64().round()
    )]
    NotReady {
        /// The server.
        server: ServerAddress,
        /// For how long the server said nothing new.
        waited: Duration,
        /// What the server says.
        doing: String,
    },
    /// A server has the dataset, and cannot serve it until somebody mends it.
    #[error("server {server}: {message}; mend that, and have the server list it anew (storage-server reload)")]
    DatasetNotReady {
        /// The server.
        server: ServerAddress,
        /// What the server says.
        message: String,
    },
    /// A server had no place for another connection or call for too long.
    #[error(
        "server {server} had no place for {} s ({message}): start again when others have ended, or start it with more",
        waited.as_secs_f64().round()
    )]
    Busy {
        /// The server.
        server: ServerAddress,
        /// For how long the server was waited for.
        waited: Duration,
        /// What the server says, its limit included.
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
    /// Something else than a storage server answers at the address.
    #[error(
        "{server} answers like a web server (HTTP/1), and not like a storage server: name the address that \
         storage-server's --listen has"
    )]
    WebServer {
        /// The address that was named.
        server: ServerAddress,
    },
    /// A server refused, and would refuse again.
    #[error("server {server} refused: {message}")]
    Refused {
        /// The server.
        server: ServerAddress,
        /// The code of the gRPC status.
        code: Code,
        /// What the server says.
        message: String,
    },
    /// A server no longer holds the generation of the dataset that it described, or has another model.
    #[error(
        "server {server} no longer holds what this run began with: {message}; begin a new pass to use what it has now, \
         and have servers keep earlier generations for longer (--keep-generations) where passes take that long"
    )]
    DatasetChanged {
        /// The server.
        server: ServerAddress,
        /// What the server says.
        message: String,
    },
    /// A server is not trusted, or does not trust this client.
    #[error("server {server}: {fault}")]
    Untrusted {
        /// The server.
        server: ServerAddress,
        /// Why, and the setting that mends it.
        fault: TlsFault,
    },
    /// A server does not know this client, or does not let it do this.
    #[error("server {server}: {message}")]
    Access {
        /// The server.
        server: ServerAddress,
        /// What the server says, with the setting that mends it.
        message: String,
    },
    /// A server broke the protocol.
    #[error("server {server} broke the protocol: {message}; see that both ends have the same version")]
    Protocol {
        /// The server.
        server: ServerAddress,
        /// How the server broke the protocol.
        message: String,
    },
    /// A server knows only one epoch for a whole call, where samples were to have epochs of their own.
    #[error(
        "server {server} (version {version}) crops all samples of a call as in one epoch, and here each is to have \
         its own, as where a sample comes twice in an epoch: upgrade that server"
    )]
    NoSampleEpochs {
        /// The server.
        server: ServerAddress,
        /// The server's version.
        version: String,
    },
    /// A server does not know the call for its datasets.
    #[error("server {0} is too old to say which datasets it has: upgrade that server")]
    NoDatasetList(ServerAddress),
    /// A server does not know the call for its cache.
    #[error("server {0} is too old to say what it keeps: upgrade that server")]
    NoCacheReport(ServerAddress),
    /// A server does not know the calls for models and labels.
    #[error("server {0} is too old to say of models and labels: upgrade that server")]
    NoLabelCalls(ServerAddress),
    /// A server does not know the calls that take features to be labelled.
    #[error("server {0} is too old to label by features that are brought to it: upgrade that server")]
    NoBroughtLabels(ServerAddress),
    /// A server does not know the call that takes photos in.
    #[error("server {0} is too old to take photos in: upgrade that server")]
    NoIngestCalls(ServerAddress),
    /// A server takes no photos into the dataset, or no more.
    #[error("server {server}: {message}")]
    TakesNoPhotos {
        /// The server.
        server: ServerAddress,
        /// Its words, with what to do.
        message: String,
    },
    /// A server does not know the calls for versions of models.
    #[error("server {0} is too old to take models while it runs: upgrade that server")]
    NoModelVersions(ServerAddress),
    /// A server does not know the call for fronts of networks.
    #[error("server {0} is too old to serve the tensors of a cut network: upgrade that server")]
    NoFronts(ServerAddress),
    /// A server does not know the call for names.
    #[error(
        "server {server} (version {version}) lists no names: keys and labels without the photos, and states that hold \
         by name, need a newer one: upgrade that server"
    )]
    NoNames {
        /// The server.
        server: ServerAddress,
        /// The server's version.
        version: String,
    },
    /// A field is missing on a server.
    #[error("server {server}: {source}")]
    Field {
        /// The server.
        server: ServerAddress,
        /// Which field, and which there are.
        source: FieldError,
    },
    /// A field is of different kinds on two servers.
    #[error(
        "field {name:?} is of kind {first} on the first server and of kind {second} on server {server}: write its \
         column alike in the labels files of all"
    )]
    FieldsDiffer {
        /// The field.
        name: String,
        /// Its kind on the first server.
        first: FieldKind,
        /// Its kind on the other one.
        second: FieldKind,
        /// The other one.
        server: ServerAddress,
    },
    /// A model is missing on a server.
    #[error("server {server} has no model {model}: it has [{registered}], see --model of storage-server")]
    UnknownModel {
        /// The server.
        server: ServerAddress,
        /// The model that was asked for.
        model: ModelName,
        /// The models that the server has, separated by commas.
        registered: String,
    },
    /// Two servers have different models of one name.
    #[error(
        "model {model} differs in its {what} between server {first} and server {second}: register the same file, \
         recipe and output on all"
    )]
    ModelsDiffer {
        /// The model that was asked for.
        model: ModelName,
        /// `file`, `recipe`, `output` or `feature length`.
        what: &'static str,
        /// A server that has the model.
        first: ServerAddress,
        /// A server that has another model of that name.
        second: ServerAddress,
    },
    /// An index is past the dataset's end.
    #[error("there is no sample {index}: dataset {dataset} has {samples} samples, counted from 0")]
    OutOfRange {
        /// The index that was asked for.
        index: u64,
        /// The dataset.
        dataset: DatasetName,
        /// How many samples the dataset has.
        samples: u64,
    },
    /// A request contradicts itself.
    #[error("{0}")]
    Request(&'static str),
    /// A fault of this program, and not of a server.
    #[error("a task of the client ended before its work: please report it ({0})")]
    Internal(String),
}
