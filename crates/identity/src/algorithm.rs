//! The algorithms by which tokens are signed: those alone whose signatures can be checked by whoever cannot make them.
//!
//! The names are those of RFC 7518 and RFC 8037. `none` and the HS family are not among them, so that no token can ask
//! for a check by nothing, or by a public key as if it were a secret.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters,
};

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// What kind of key an algorithm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Rsa(&'static RsaParameters),
    Curve(Curve),
    Ed25519,
}

/// A curve of NIST's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
}

// === impl Algorithm ===

impl Algorithm {
    const ALL: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// By its name; `None` for every other.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, algorithm)| algorithm)
    }

    /// The keys that it takes.
    pub(crate) fn family(self) -> Family {
        match self {
            Self::Rs256 => Family::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Family::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Family::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Family::Rsa(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Family::Rsa(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Family::Rsa(&RSA_PSS_2048_8192_SHA512),
            Self::Es256 => Family::Curve(Curve::P256),
            Self::Es384 => Family::Curve(Curve::P384),
            Self::EdDsa => Family::Ed25519,
        }
    }
}

// === impl Curve ===

impl Curve {
    /// By the name that keys have it by.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            _ => None,
        }
    }

    /// Bytes of a coordinate.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    pub(crate) fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
        }
    }
}
