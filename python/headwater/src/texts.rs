//! Texts that arguments are: units, addresses and names, refused before anything connects.

use headwater_client::ServerAddress;
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
    servers.iter().try_for_each(|text| text.parse::<ServerAddress>().map(drop)).map_err(argument)?;
    dataset.parse::<DatasetName>().map(drop).map_err(argument)
}
