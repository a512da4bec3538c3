//! Asking a server what it serves: patiently, unless something else answers at its address.

use std::time::Duration;

use headwater_types::{DatasetName, Digest};
use headwater_wire::proto;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

use crate::connection::Server;
use crate::description::Description;
use crate::error::ClientError;
use crate::mistaken;
use crate::options::Retry;
use crate::patience::Patience;
use crate::trouble::Trouble;

/// What a server is that takes no connection in time, and one that takes it and gives no answer.
pub(crate) const UNREACHED: &str = "its machine does not answer";
pub(crate) const UNHEARD: &str = "it takes a connection and then says nothing, as one that hangs or is stopped";

/// What a server has instead of the generation that was named.
const OTHER: &str = "it serves another generation of the dataset";

/// Describes a generation of a dataset, the current one where none is named; waits for a server that cannot be reached
/// as long as `retry` says.
pub(crate) async fn describe(
    server: &Server,
    (name, generation): (&DatasetName, Option<Digest>),
    retry: &Retry,
    task: u64,
) -> Result<Description, ClientError> {
    let mut patience = Patience::for_description(server.address(), retry, task);
    loop {
        let trouble = match ask(server, (name, generation), patience.one_try()).await {
            Ok(answer) => {
                let description = Description::read(name, answer).map_err(|problem| server.protocol(problem))?;
                return match generation.is_some_and(|digest| digest != description.digest) {
                    // A server that is older than generations answers about what it has.
                    true => Err(other_generation(server)),
                    false => Ok(description),
                };
            }
            Err(trouble) => trouble,
        };
        if let Some(mistake) = mistake(server, &trouble).await {
            return Err(mistake);
        }
        sleep(patience.bear(trouble)?).await;
    }
}

/// A server serves another generation than was named.
pub(crate) fn other_generation(server: &Server) -> ClientError {
    ClientError::DatasetChanged { server: server.address().clone(), message: OTHER.to_owned() }
}

/// How long each of so many answers takes, on one connection; a first answer, which opens it, does not count.
pub(crate) async fn round_trips(
    server: &Server,
    name: &DatasetName,
    times: usize,
    retry: &Retry,
) -> Result<Vec<Duration>, ClientError> {
    let mut trips = Vec::with_capacity(times);
    for _ in 0..=times {
        let begin = Instant::now();
        let unanswered = |trouble| not_connected(server, begin.elapsed(), trouble);
        ask(server, (name, None), retry.stall).await.map_err(unanswered)?;
        trips.push(begin.elapsed());
    }
    Ok(trips.split_off(1))
}

/// The error of a single try that ended with this trouble after so long: it has waited for nothing to pass.
fn not_connected(server: &Server, waited: Duration, trouble: Trouble) -> ClientError {
    match trouble {
        Trouble::Lasting(error) => error,
        trouble => ClientError::NotConnected { server: server.address().clone(), waited, last: trouble.to_string() },
    }
}

/// The error that names what else is at the server's address, if this trouble came from something else.
pub(crate) async fn mistake(server: &Server, trouble: &Trouble) -> Option<ClientError> {
    if may_be_another(trouble) { mistaken::look(server.address()).await } else { None }
}

/// Whether something else than a storage server may have answered like this. What speaks HTTP/2 without gRPC refuses
/// too.
fn may_be_another(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Passing(_) => true,
        Trouble::Lasting(ClientError::Refused { code, .. }) => !matches!(code, Code::NotFound | Code::InvalidArgument),
        _ => false,
    }
}

/// One try, within a limit.
pub(crate) async fn ask(
    server: &Server,
    (name, generation): (&DatasetName, Option<Digest>),
    limit: Duration,
) -> Result<proto::DatasetDescription, Trouble> {
    let end = Instant::now() + limit;
    let client = timeout_at(end, server.connect()).await.map_err(|_| Trouble::Silent(UNREACHED))??;
    let digest = generation.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default();
    let request = proto::DescribeRequest { dataset: name.as_str().to_owned(), digest };
    let answer = timeout_at(end, client.datasets().describe(request)).await;
    let answer = answer.map_err(|_| Trouble::Silent(UNHEARD))?;
    let response = answer.map_err(|status| server.judge(&status))?;
    server.put_back(client);
    Ok(response.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_try_that_fails_is_no_connection_whatever_the_server_said() {
        let server =
            Server::new("node1".parse().unwrap(), Default::default(), None, std::sync::Arc::default(), 1).unwrap();
        let words = || "it lists files".to_owned();
        for trouble in [Trouble::Starting(words()), Trouble::Busy(words()), Trouble::Passing(words())] {
            let error = not_connected(&server, Duration::ZERO, trouble);
            assert!(matches!(&error, ClientError::NotConnected { last, .. } if *last == words()), "{error}");
        }
        let error = not_connected(&server, Duration::ZERO, Trouble::Lasting(ClientError::Request("it helps nothing")));
        assert!(matches!(error, ClientError::Request(_)), "{error}");
    }
}
