//! A token in its compact form (RFC 7515): `header.payload.signature`, each in Base64.

use headwater_types::caps::MAX_TOKEN;
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::base64url::decoded;
use crate::jwk::MOST_ID;
use crate::refused::Refused;

/// A token, taken apart. Nothing of it is to be believed yet.
pub(crate) struct Compact<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key: String,
    /// What the signature is of.
    pub(crate) signed: &'a [u8],
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    cty: Option<Value>,
    crit: Option<Value>,
}

// === impl Compact ===

impl<'a> Compact<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// What is no token that could be taken, whoever signed it.
    pub(crate) fn read(token: &'a [u8]) -> Result<Self, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::NoJwt("it is longer than any"));
        }
        let text = str::from_utf8(token).map_err(|_| Refused::NoJwt("it is no text"))?;
        let [header, payload, signature] = text.split('.').collect::<Vec<_>>()[..] else {
            return Err(Refused::NoJwt("it has not three parts"));
        };
        let part = |text| decoded(text).ok_or(Refused::NoJwt("a part of it is no Base64"));
        let read: Header =
            serde_json::from_slice(&part(header)?).map_err(|_| Refused::NoJwt("its header cannot be read"))?;
        read.check()?;
        let algorithm = Algorithm::named(&read.alg).ok_or(Refused::Algorithm)?;
        let key = read.kid.filter(|id| (1..=MOST_ID).contains(&id.len())).ok_or(Refused::NoKeyId)?;
        let signed = &token[..header.len() + 1 + payload.len()];
        Ok(Self { algorithm, key, signed, payload: part(payload)?, signature: part(signature)? })
    }
}

// === impl Header ===

impl Header {
    fn check(&self) -> Result<(), Refused> {
        // What it says must be understood: no extension is.
        if self.crit.is_some() {
            return Err(Refused::NoJwt("it needs an extension (crit)"));
        }
        if self.cty.is_some() {
            return Err(Refused::NoJwt("it has another token within (cty)"));
        }
        // A token that is made to log somebody out, say, is none to come in by.
        let kind = self.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        match kind.strip_prefix("application/").unwrap_or(&kind) {
            "jwt" | "at+jwt" => Ok(()),
            _ => Err(Refused::NoJwt("it is made for something else (typ)")),
        }
    }
}
