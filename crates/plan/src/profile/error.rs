//! Why numbers are not a profile.

use headwater_types::Way;

/// Why numbers are not a profile.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProfileError {
    /// The way `encoded` is missing, or is not the first.
    #[error("a profile's ways must begin with encoded, be in the order of the pipeline and each be there once")]
    Ways,
    /// There is the way `features`, and no model.
    #[error("a profile with the way features must say of which model they are")]
    NoModel,
    /// There is no server.
    #[error("a profile needs a server")]
    NoServer,
    /// Some samples are of no server, or of two servers.
    #[error("the samples of server {address} begin at {first} and not at {expected}, where those before it end")]
    Gap {
        /// The server.
        address: String,
        /// The index at which the server's samples begin.
        first: u64,
        /// The index at which they should begin.
        expected: u64,
    },
    /// There are more samples than a profile may have.
    #[error("{samples} samples are more than the {most} that a profile may have")]
    TooMany {
        /// The number of samples that the servers have.
        samples: u64,
        /// The most samples that a profile may have.
        most: u64,
    },
    /// The servers have more, or fewer, samples than were given.
    #[error("the servers have {expected} samples, and {given} were given")]
    Count {
        /// The servers' samples.
        expected: u64,
        /// The number of samples that were given.
        given: u64,
    },
    /// A sample has not one cost for each way.
    #[error("sample {index} has {given} costs for {expected} ways")]
    Costs {
        /// The sample's index.
        index: usize,
        /// The number of costs.
        given: usize,
        /// The number of ways.
        expected: usize,
    },
    /// A cost is impossible.
    #[error("sample {index} has {what} {value} at {way}: {rule}")]
    Value {
        /// The sample's index.
        index: usize,
        /// The way of the cost.
        way: Way,
        /// What the number counts.
        what: &'static str,
        /// The number.
        value: f64,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The overheads are impossible.
    #[error("an overhead is negative or no number")]
    Overheads,
}
