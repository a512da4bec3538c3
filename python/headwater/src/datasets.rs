//! Which datasets servers have.

use std::time::Duration;

use headwater_client::{ClientOptions, Retry, ServedDataset};
use pyo3::prelude::*;

use crate::access::Access;
use crate::errors::{self, HeadwaterError, argument};
use crate::network::Network;
use crate::texts;

/// Of a dataset: server, name, state, reason; and, where it was listed, samples, classes, stored bytes, source,
/// generation and digest.
type Served = (String, String, &'static str, String, Option<Listed>);
type Listed = (u64, u64, u64, String, u64, String);

/// Asks every server; a server that does not answer in `connect_for` seconds is an error, which names all of those.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn datasets(
    py: Python<'_>,
    servers: Vec<String>,
    connect_for: f64,
    access: Access,
) -> PyResult<Vec<Served>> {
    let servers = texts::servers(&servers)?;
    let connect_for = Duration::try_from_secs_f64(connect_for).map_err(argument)?;
    let retry = Retry { connect_for, ..Retry::default() };
    let options = ClientOptions { retry, access: access.open()?, ..ClientOptions::default() };
    let cannot_start = |error| HeadwaterError::new_err(format!("cannot start threads: {error}"));
    let network = Network::start().map_err(cannot_start)?;
    let asked = async {
        let servers = servers.find().await?;
        headwater_client::datasets(&servers, &options).await
    };
    let answers = network.wait(py, asked)?.map_err(|error| errors::server(&error))?;
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for answer in answers {
        let server = answer.server.to_string();
        match answer.datasets {
            Ok(datasets) => all.extend(datasets.into_iter().map(|dataset| served(&server, dataset))),
            Err(error) => problems.push(error),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(errors::of_servers(&problems)) }
}

fn served(server: &str, dataset: ServedDataset) -> Served {
    let listed = dataset.listed.map(|listed| {
        let digest = listed.digest.to_string();
        (listed.samples, listed.classes, listed.stored.get(), listed.source, listed.generation, digest)
    });
    (server.to_owned(), dataset.name.to_string(), dataset.state.as_str(), dataset.reason, listed)
}
