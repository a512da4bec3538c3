//! Errors as Python sees them.

use headwater_client::ClientError;
use pyo3::PyErr;
use pyo3::exceptions::{PyException, PyValueError};

pyo3::create_exception!(headwater, HeadwaterError, PyException, "Everything that Headwater raises of its own.");
pyo3::create_exception!(headwater, ServerError, HeadwaterError, "Servers cannot be reached, refuse, or do not agree.");
pyo3::create_exception!(
    headwater,
    GenerationError,
    ServerError,
    "Servers no longer hold the generation of the dataset that was asked for."
);
pyo3::create_exception!(
    headwater,
    AccessError,
    ServerError,
    "Servers are not trusted, or do not know this program, or do not let it do this."
);
pyo3::create_exception!(headwater, CacheError, HeadwaterError, "A cache cannot be had as it was asked for.");
pyo3::create_exception!(headwater, RecipeError, HeadwaterError, "What was given is no recipe, or cannot be one.");

pub(crate) fn server(error: &ClientError) -> PyErr {
    match error {
        ClientError::DatasetChanged { .. } => GenerationError::new_err(error.to_string()),
        ClientError::Untrusted { .. } | ClientError::Access { .. } => AccessError::new_err(error.to_string()),
        _ => ServerError::new_err(error.to_string()),
    }
}

/// What several servers say, in one error: of access, where that is what all of them say.
pub(crate) fn of_servers(problems: &[ClientError]) -> PyErr {
    let words = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let is_access = |error: &ClientError| matches!(error, ClientError::Untrusted { .. } | ClientError::Access { .. });
    if problems.iter().all(is_access) { AccessError::new_err(words) } else { ServerError::new_err(words) }
}

/// An argument that makes no sense: the value is named, and what would.
pub(crate) fn argument(message: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(message.to_string())
}
