//! Texts that arguments are: units, addresses and names, refused before anything connects.

use headwater_client::{ServerSource, Servers};
use headwater_types::{BitsPerSecond, ByteCount, DatasetName};
use pyo3::prelude::*;

use crate::errors::argument;

/// Bits a second of a text such as 430Mbps.
#[pyfunction]
pub(crate) fn bandwidth(text: &str) -> PyResult<f64> {
    text.parse().map(BitsPerSecond::get).map_err(argument)
}

/// Bytes of a text such as 512MiB.
#[pyfunction]
pub(crate) fn size(text: &str) -> PyResult<u64> {
    text.parse().map(ByteCount::get).map_err(argument)
}

/// Raises ValueError where a server's address or a dataset's name cannot be one.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn check_place(servers: Vec<String>, dataset: &str) -> PyResult<()> {
    self::servers(&servers)?;
    dataset.parse::<DatasetName>().map(drop).map_err(argument)
}

/// The servers of `servers=`.
pub(crate) fn servers(texts: &[String]) -> PyResult<Servers> {
    let sources = texts.iter().map(|text| text.parse()).collect::<Result<Vec<ServerSource>, _>>();
    sources.map(Servers::new).map_err(argument)
}
