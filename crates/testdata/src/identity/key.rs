//! Keys that sign tokens.

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// RSA as in PKCS #1, with this many bits of SHA-2 (256, 384, 512).
    Rs(u16),
    /// RSA as in PSS.
    Ps(u16),
    /// The curve P-256.
    Es256,
    /// The curve P-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// A key that signs tokens, by its name.
pub struct SigningKey {
    id: String,
    signs: Signs,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Curve(Box<EcdsaKeyPair>),
    Edwards(Box<Ed25519KeyPair>),
}

// === impl SigningKey ===

impl SigningKey {
    /// A new key of this name. One of RSA takes a tenth of a second.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new(signs: Signs, id: &str) -> Result<Self> {
        let pair = match signs {
            Signs::Rs(_) | Signs::Ps(_) => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048)?)),
            Signs::Es256 => Pair::Curve(Box::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?)),
            Signs::Es384 => Pair::Curve(Box::new(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?)),
            Signs::EdDsa => Pair::Edwards(Box::new(Ed25519KeyPair::generate()?)),
        };
        Ok(Self { id: id.to_owned(), signs, pair })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The name of how it signs.
    pub fn algorithm(&self) -> String {
        match self.signs {
            Signs::Rs(bits) => format!("RS{bits}"),
            Signs::Ps(bits) => format!("PS{bits}"),
            Signs::Es256 => "ES256".to_owned(),
            Signs::Es384 => "ES384".to_owned(),
            Signs::EdDsa => "EdDSA".to_owned(),
        }
    }

    /// Its public half, as a JSON Web Key.
    pub fn public(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let [n, e] = [n, e].map(|number| coded(number.big_endian_without_leading_zero()));
                json!({"kty": "RSA", "n": n, "e": e})
            }
            Pair::Curve(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.signs == Signs::Es256 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "x": coded(x), "y": coded(y)})
            }
            Pair::Edwards(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": coded(pair.public_key().as_ref())})
            }
        };
        key["kid"] = self.id.clone().into();
        key["use"] = "sig".into();
        key["alg"] = self.algorithm().into();
        key
    }

    /// A document with the public halves of these.
    pub fn document(keys: &[&Self]) -> String {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        json!({ "keys": keys }).to_string()
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn token(&self, claims: &Value) -> Result<String> {
        self.signed(&json!({"alg": self.algorithm(), "kid": self.id, "typ": "JWT"}), claims)
    }

    /// The same under another header, whatever that says.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn signed(&self, header: &Value, claims: &Value) -> Result<String> {
        let signed = format!("{}.{}", coded(header.to_string().as_bytes()), coded(claims.to_string().as_bytes()));
        let signature = self.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", coded(&signature)))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding(self.signs).context("no key of RSA")?, &random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::Curve(pair) => Ok(pair.sign(&random, message)?.as_ref().to_vec()),
            Pair::Edwards(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn padding(signs: Signs) -> Option<&'static dyn RsaEncoding> {
    Some(match signs {
        Signs::Rs(256) => &RSA_PKCS1_SHA256,
        Signs::Rs(384) => &RSA_PKCS1_SHA384,
        Signs::Rs(512) => &RSA_PKCS1_SHA512,
        Signs::Ps(256) => &RSA_PSS_SHA256,
        Signs::Ps(384) => &RSA_PSS_SHA384,
        Signs::Ps(512) => &RSA_PSS_SHA512,
        _ => return None,
    })
}

fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
