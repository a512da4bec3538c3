//! Why numbers are not a profile.

use headwater_types::Way;

/// Why numbers are not a profile.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ProfileError {
    /// There is no `encoded`, or it is not the first.
    #[error("a profile's ways must begin with encoded, be in the order of the pipeline and each be there once")]
    Ways,
    /// `features` of no model.
    #[error("a profile with the way features must say of which model they are")]
    NoModel,
    /// There is no server.
    #[error("a profile needs a server")]
    NoServer,
    /// Samples between servers, or of two servers.
    #[error("the samples of server {address} begin at {first} and not at {expected}, where those before it end")]
    Gap {
        /// The server.
        address: String,
        /// Where its samples begin.
        first: u64,
        /// Where they should.
        expected: u64,
    },
    /// More samples than a profile may have.
    #[error("{samples} samples are more than the {most} that a profile may have")]
    TooMany {
        /// So many were told.
        samples: u64,
        /// So many may be.
        most: u64,
    },
    /// The servers have more, or fewer, samples than were given.
    #[error("the servers have {expected} samples, and {given} were given")]
    Count {
        /// The servers' samples.
        expected: u64,
        /// Those given.
        given: u64,
    },
    /// Not one cost for each way.
    #[error("sample {index} has {given} costs for {expected} ways")]
    ProfileRow {
        /// Which sample.
        index: usize,
        /// So many costs.
        given: usize,
        /// So many ways.
        expected: usize,
    },
    /// A cost that cannot be.
    #[error("sample {index} has {what} {value} at {way}: {rule}")]
    Value {
        /// Which sample.
        index: usize,
        /// At which way.
        way: Way,
        /// Of what.
        what: &'static str,
        /// The number.
        value: f64,
        /// What it should be.
        rule: &'static str,
    },
    /// Overheads that cannot be.
    #[error("an overhead is negative or no number")]
    Overheads,
}
