//! How a bucket is reached, and so what a listing of it that fails means, and what would help.

use super::denial::{self, Denial};
use super::fault::Fault;
use crate::error::StoreError;

/// What is known of the way to a bucket.
pub(super) struct Access {
    /// The dataset's place as the user wrote it.
    pub(super) location: String,
    /// Whether the settings name credentials, of whatever kind.
    pub(super) has_credentials: bool,
    /// What to say of the proxy in between, if there is one.
    pub(super) proxy: Option<String>,
}

/// The code of a caller who is known and may not.
pub(super) const DENIED: &str = "AccessDenied";

// === impl Access ===

impl Access {
    /// The error of a listing that a fault has ended.
    pub(super) fn error(&self, fault: &Fault) -> StoreError {
        let location = self.location.clone();
        let reason = match &self.proxy {
            Some(proxy) => format!("{fault}; {proxy}"),
            None => fault.to_string(),
        };
        if let Fault::Answered(answer) = fault
            && let Some(denial) = denial::of(answer)
        {
            return match denial {
                Denial::Region { .. } => StoreError::NoSuchBucket { location, reason: format!("{denial}: {reason}") },
                _ => StoreError::Refused { location, fix: denial.to_string(), reason },
            };
        }
        let is_refused = matches!(fault, Fault::Answered(answer) if matches!(answer.status, 401 | 403));
        match fault.code() {
            "NoSuchBucket" => StoreError::NoSuchBucket { location, reason },
            _ if !self.has_credentials && (is_refused || matches!(fault, Fault::Credentials(_))) => {
                StoreError::NoCredentials { location, reason }
            }
            DENIED | "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" => {
                let fix = "check the credentials and that they allow s3:ListBucket".to_owned();
                StoreError::Refused { location, fix, reason }
            }
            _ => StoreError::S3 { location, reason },
        }
    }
}
