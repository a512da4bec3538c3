//! Why an identity provider's words are not taken, and why a provider cannot be asked at all.

use headwater_access::AccessError;

use crate::refused::behind;

/// Why an identity provider cannot be used as it is set up.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file of the settings.
    #[error(transparent)]
    File(#[from] AccessError),
    /// The provider says that it is another.
    #[error(
        "--oidc-issuer {ours}: the provider calls itself {theirs}: give --oidc-issuer as it stands in its tokens \
         (iss), to the letter"
    )]
    OtherIssuer {
        /// The setting.
        ours: String,
        /// What the provider's configuration says.
        theirs: String,
    },
    /// Whatever sends requests cannot be made.
    #[error("the identity provider cannot be asked: {0}; give --oidc-ca the certificate of its authority")]
    Client(String),
}

/// Why an answer of a provider was not taken. It may be asked again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// No answer, or none that is one.
    #[error("{url}: {reason}")]
    Answer { url: String, reason: String },
    /// A document that is not in order.
    #[error("{url}: {fault}")]
    Document { url: String, fault: DocumentFault },
    /// As [`IdentityError`]: no other answer is to be expected.
    #[error(transparent)]
    Lasting(IdentityError),
}

/// What is wrong with a document of a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    /// It is no JSON of the kind.
    #[error("it is no {wanted} (line {line}, column {column})")]
    Json {
        /// What it should be.
        wanted: &'static str,
        /// Where reading ended.
        line: usize,
        /// Where reading ended.
        column: usize,
    },
    /// There is nothing to check signatures by.
    #[error("none of its {found} keys can be used{}", behind(*.why))]
    NoKeys {
        /// How many there are.
        found: usize,
        /// Why the first cannot.
        why: Option<&'static str>,
    },
    /// There are more keys than any provider has.
    #[error("it has {found} keys, and {most} is the most")]
    ManyKeys {
        /// How many there are.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// It leads to a place that is none.
    #[error("its jwks_uri cannot be used: {0}")]
    Place(String),
}

// === impl DocumentFault ===

impl DocumentFault {
    /// Of a document that serde could not read. What stands in it is not said: it is not ours.
    pub(crate) fn json(wanted: &'static str, error: &serde_json::Error) -> Self {
        Self::Json { wanted, line: error.line(), column: error.column() }
    }
}
