//! Why a token is not taken.

/// Why a token of an identity provider is not taken. No word of it is the token's, but for what a verified one says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no JSON Web Token.
    #[error(
        "this server does not know this token, and it is no signed JWT of its --oidc-issuer ({0}): see what \
         --token-file (in Python token=) holds"
    )]
    NoJwt(&'static str),
    /// An algorithm by which whoever can check tokens could make them, or none at all.
    #[error("the token is signed with an algorithm that is not taken: RS, PS, ES256, ES384 and EdDSA are")]
    Algorithm,
    /// No key is named.
    #[error("the token names no key (kid): have the identity provider name the key it signs with")]
    NoKeyId,
    /// The provider has no such key.
    #[error(
        "the token was signed by a key that the identity provider does not have (any more): get a new one into \
         --token-file (in Python token=)"
    )]
    UnknownKey,
    /// The key is for another algorithm.
    #[error("the token says another algorithm than its key is for")]
    Mismatch,
    /// It was not signed by the key, or was changed since.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim that every token has is missing or is none.
    #[error("the token's claim {0} is missing, or is none")]
    Claim(&'static str),
    /// Another provider made it.
    #[error("the token is of another issuer than this server's --oidc-issuer: get one there")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience than this server's --oidc-audience: have one made for that (aud)")]
    Audience,
    /// Its time is over.
    #[error(
        "the token expired {seconds} s ago: renew the one in --token-file, which is read anew (in Python \
         token=pathlib.Path(...))"
    )]
    Expired {
        /// For how long.
        seconds: u64,
    },
    /// Its time has not begun.
    #[error(
        "the token is not valid for another {seconds} s: look at the clocks of the identity provider and the server"
    )]
    NotYet {
        /// For how long.
        seconds: u64,
    },
    /// The claim of roles says something that is none.
    #[error(
        "the token of {holder}: its claim {claim} says {said}, which is no role: write headwater:read, \
         headwater:write:DATASET,... or headwater:admin"
    )]
    Role {
        /// Whose it is.
        holder: String,
        /// The claim's name.
        claim: String,
        /// What it says, escaped.
        said: String,
    },
    /// There are no keys yet.
    #[error("waiting for the keys of the identity provider{}", behind(.trouble.as_deref()))]
    NoKeysYet {
        /// What came of the last try.
        trouble: Option<String>,
    },
    /// There are keys, and they are too old to be trusted.
    #[error(
        "the identity provider has not been reached for {seconds} s, and its keys are not trusted for longer than \
         --oidc-keep-keys: see the server's log"
    )]
    OldKeys {
        /// Since when.
        seconds: u64,
    },
}

/// What follows a sentence that may have a reason.
pub(crate) fn behind(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}
