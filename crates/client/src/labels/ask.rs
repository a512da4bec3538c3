//! Asking servers for labels.

use std::sync::Arc;

use futures::future::try_join_all;
use headwater_types::caps::MAX_LABEL_CLASSES;
use headwater_wire::labels::{AskLabels, CountLabels, LabelSource, LabelledSample};
use headwater_wire::proto;
use headwater_wire::status::Invalid;
use tokio::time::{sleep, timeout};

use super::control::of_server;
use crate::connection::{Client, Server};
use crate::dataset::Dataset;
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::options::{ClientOptions, Retry};
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::{DiscoveryError, ServerAddress, Servers};

/// The labels of one server's samples, as they were asked for.
#[derive(Clone, Debug)]
pub struct AskedLabels {
    /// The server.
    pub server: ServerAddress,
    /// Whose labels they are.
    pub source: LabelSource,
    /// The samples, in the order of the question.
    pub samples: Vec<LabelledSample>,
}

/// Asks every server for labels, in the order of the servers.
///
/// # Errors
/// Servers that do not serve each sample once, as for [`Dataset::connect`]; a server that has no such labels.
pub async fn ask_labels(
    servers: impl Into<Servers>,
    ask: &AskLabels,
    options: &ClientOptions,
) -> Result<Vec<AskedLabels>, ClientError> {
    let dataset = Dataset::connect(servers, &ask.dataset, options.clone()).await?;
    let each = (0..).zip(dataset.replicas());
    try_join_all(each.map(|(task, servers)| first_of(servers, move |address| of_one(address, ask, options, task))))
        .await
}

/// Asks every server how many samples have each label, in the order of the servers.
///
/// # Errors
/// As [`ask_labels`].
pub async fn count_labels(
    servers: impl Into<Servers>,
    count: &CountLabels,
    options: &ClientOptions,
) -> Result<Vec<(ServerAddress, LabelSource, Vec<u64>)>, ClientError> {
    let dataset = Dataset::connect(servers, &count.dataset, options.clone()).await?;
    let each = (0..).zip(dataset.replicas());
    let each = each.map(|(task, servers)| first_of(servers, move |address| counts_of(address, count, options, task)));
    try_join_all(each).await
}

/// What one of these servers says, which have the same photos: the first that has it, since each keeps its own labels,
/// and a photo of two servers would be two.
async fn first_of<T, F: Future<Output = Result<T, ClientError>>>(
    servers: Vec<ServerAddress>,
    ask: impl Fn(ServerAddress) -> F,
) -> Result<T, ClientError> {
    let mut first = None;
    for address in servers {
        match ask(address).await {
            Ok(told) => return Ok(told),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or(DiscoveryError::None.into()))
}

async fn counts_of(
    address: ServerAddress,
    count: &CountLabels,
    options: &ClientOptions,
    task: u64,
) -> Result<(ServerAddress, LabelSource, Vec<u64>), ClientError> {
    let request = proto::CountLabelsRequest::from(count.clone());
    let call = async |client: &Client, request| client.labels().count_labels(request).await;
    let too_old = ClientError::NoLabelCalls(address.clone());
    let (source, counts) = inquire(&address, options, task, (request, call), too_old, read_counts).await?;
    Ok((address, source, counts))
}

fn read_counts(counts: proto::LabelCounts) -> Result<(LabelSource, Vec<u64>), String> {
    if counts.counts.len() > MAX_LABEL_CLASSES {
        return Err(format!("{} classes are more than {MAX_LABEL_CLASSES}", counts.counts.len()));
    }
    Ok((read_source(counts.source).map_err(|invalid| invalid.to_string())?, counts.counts))
}

fn read_source(source: Option<proto::LabelSource>) -> Result<LabelSource, Invalid> {
    source.ok_or_else(|| Invalid::new("labels of nobody"))?.try_into()
}

/// The labels of one server. A call that breaks is made again from its beginning: meanwhile there may be others.
async fn of_one(
    address: ServerAddress,
    ask: &AskLabels,
    options: &ClientOptions,
    task: u64,
) -> Result<AskedLabels, ClientError> {
    of_server(&address, options, task).await?;
    let retry = options.retry.clone().consistent();
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_answer(server.address(), &retry, task);
    loop {
        match call(&server, ask, &retry).await {
            Ok((source, samples)) => return Ok(AskedLabels { server: address, source, samples }),
            Err(trouble) => sleep(patience.bear(trouble)?).await,
        }
    }
}

async fn call(server: &Server, ask: &AskLabels, retry: &Retry) -> Result<(LabelSource, Vec<LabelledSample>), Trouble> {
    let silent = |_| Trouble::Silent("a call went silent");
    let broke = |invalid: Invalid| Trouble::Lasting(server.protocol(invalid.to_string()));
    let client = server.connect().await?;
    let answer = timeout(retry.stall, client.labels().ask_labels(proto::AskLabelsRequest::from(ask.clone()))).await;
    let mut stream = answer.map_err(silent)?.map_err(|status| server.judge(&status))?.into_inner();
    let (mut source, mut samples) = (None, Vec::new());
    loop {
        let message = timeout(retry.stall, stream.message()).await.map_err(silent)?;
        let Some(batch) = message.map_err(|status| server.judge(&status))? else { break };
        if batch.source.is_some() {
            source = Some(read_source(batch.source).map_err(broke)?);
        }
        let read = batch.samples.into_iter().map(LabelledSample::try_from).collect::<Result<Vec<_>, _>>();
        samples.extend(read.map_err(broke)?);
    }
    server.put_back(client);
    let source = source.ok_or_else(|| broke(Invalid::new("labels of nobody")))?;
    Ok((source, samples))
}
