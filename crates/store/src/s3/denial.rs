//! Refusals that are not of a missing right, though S3 gives them the same status: each with its own words and its own
//! fix.

use std::fmt;

use super::answer::Answer;

/// Why a store does not let anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// The credentials were good until some time ago.
    Expired,
    /// The clocks of both machines differ by more than a quarter of an hour.
    Skewed {
        /// The time by the store's clock.
        store: Option<String>,
    },
    /// The bucket is in another region, or at another endpoint.
    Region {
        /// The region, where the store says it.
        region: Option<String>,
    },
    /// The object must be brought back from an archive first.
    Archived,
}

/// What kind of refusal this is; `None` for one of a missing right, and for others.
pub(super) fn of(answer: &Answer) -> Option<Denial> {
    match answer.code() {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => Some(Denial::Expired),
        "RequestTimeTooSkewed" => Some(Denial::Skewed { store: answer.date.clone() }),
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => Some(Denial::Region { region: answer.region.clone() }),
        "InvalidObjectState" => Some(Denial::Archived),
        _ if matches!(answer.status, 301 | 307) => Some(Denial::Region { region: answer.region.clone() }),
        _ => None,
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str(
                "the credentials have expired: give the server new ones (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
                 AWS_SESSION_TOKEN belong together), and start it again",
            ),
            Self::Skewed { store } => {
                f.write_str(
                    "this machine's clock and the store's differ too much for a signature: set this machine's by NTP",
                )?;
                match store {
                    Some(date) => write!(f, "; the store's says {date}"),
                    None => Ok(()),
                }
            }
            Self::Region { region: Some(region) } => {
                write!(f, "the bucket is in another region: set AWS_REGION={region}")
            }
            Self::Region { region: None } => {
                f.write_str("the bucket is in another region, or at another endpoint: set AWS_REGION")
            }
            Self::Archived => f.write_str("it is in an archive: restore it in the store first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_skewed_and_elsewhere_are_told_from_a_missing_right() {
        let of = |code: &str| super::of(&Answer { status: 403, code: Some(code.to_owned()), ..Answer::default() });
        assert!(of("ExpiredToken").unwrap().to_string().starts_with("the credentials have expired"));
        assert!(of("RequestTimeTooSkewed").unwrap().to_string().contains("clock"));
        assert!(of("PermanentRedirect").unwrap().to_string().contains("AWS_REGION"));
        assert_eq!(of("AccessDenied"), None);
        assert_eq!(of("SignatureDoesNotMatch"), None);
    }
}
