//! Why a file is no cluster.

/// Why a file is no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The file is not JSON.
    #[error("the file is not JSON: {0}")]
    NotJson(String),
    /// The whole, or a worker, is no object.
    #[error("{} is no object", worker.map_or_else(|| "the file".to_owned(), |worker| format!("worker {worker}")))]
    NoObject {
        /// The worker's rank; `None` of the whole.
        worker: Option<usize>,
    },
    /// A field is not there.
    #[error("{field}{} is missing", of(*worker))]
    Missing {
        /// The field.
        field: &'static str,
        /// The worker's rank, where it is a worker's.
        worker: Option<usize>,
    },
    /// A field has another value than it can have.
    #[error("{field}{} is {given}, which is not {expected}", of(*worker))]
    Value {
        /// The field.
        field: &'static str,
        /// The worker's rank, where it is a worker's.
        worker: Option<usize>,
        /// What stands in the file.
        given: String,
        /// What should stand there.
        expected: String,
    },
    /// There is a field that nothing has.
    #[error(
        "{} has a field {field:?}, which is not one of {known}",
        worker.map_or_else(|| "the file".to_owned(), |worker| format!("worker {worker}"))
    )]
    Unknown {
        /// The field.
        field: String,
        /// The worker's rank, where it is a worker's.
        worker: Option<usize>,
        /// The fields that there may be.
        known: String,
    },
    /// There are no workers, or too many.
    #[error("there are {given} workers: give from 1 to {most}")]
    Workers {
        /// How many there are.
        given: usize,
        /// The most that there may be.
        most: usize,
    },
    /// All workers join later.
    #[error("no worker is there in the first round: leave its from_round away, or give 1")]
    NobodyFirst,
}

fn of(worker: Option<usize>) -> String {
    worker.map_or_else(String::new, |worker| format!(" of worker {worker}"))
}
