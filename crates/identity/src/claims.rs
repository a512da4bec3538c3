//! What a token says once its signature was checked (RFC 7519).

use headwater_types::caps::OIDC_LEEWAY;
use serde_json::{Map, Value};

use crate::refused::Refused;

/// The claims of a token.
pub(crate) struct Claims(pub(crate) Map<String, Value>);

/// Seconds since 1970, between which a token is valid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Validity {
    from: Option<f64>,
    until: f64,
}

/// Most bytes of a subject, and of a client's name: OpenID Connect Core has the first.
const MOST_NAME: usize = 255;

// === impl Claims ===

impl Claims {
    /// Reads the payload of a token.
    ///
    /// # Errors
    /// It is no object.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(payload).map(Self).map_err(|_| Refused::NoJwt("its claims cannot be read"))
    }

    /// Whether this provider has made it for this audience.
    ///
    /// # Errors
    /// Another provider has, or it is for others.
    pub(crate) fn check(&self, issuer: &str, audience: &str) -> Result<(), Refused> {
        let says = |value: &Value| value.as_str() == Some(audience);
        if self.0.get("iss").and_then(Value::as_str).ok_or(Refused::Claim("iss"))? != issuer {
            return Err(Refused::Issuer);
        }
        match self.0.get("aud").ok_or(Refused::Claim("aud"))? {
            one @ Value::String(_) if says(one) => Ok(()),
            Value::Array(several) if several.iter().any(says) => Ok(()),
            Value::String(_) | Value::Array(_) => Err(Refused::Audience),
            _ => Err(Refused::Claim("aud")),
        }
    }

    /// When it is valid.
    ///
    /// # Errors
    /// It says no end, or a time that is none.
    pub(crate) fn validity(&self) -> Result<Validity, Refused> {
        let time = |name: &'static str| match self.0.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().filter(|time| time.is_finite()).map(Some).ok_or(Refused::Claim(name)),
        };
        Ok(Validity { from: time("nbf")?, until: time("exp")?.ok_or(Refused::Claim("exp"))? })
    }

    /// Who it is of.
    ///
    /// # Errors
    /// It does not say.
    pub(crate) fn subject(&self) -> Result<&str, Refused> {
        self.name("sub").ok_or(Refused::Claim("sub"))
    }

    /// The program that asked for it, where the provider says so.
    pub(crate) fn client(&self) -> Option<&str> {
        self.name("azp").or_else(|| self.name("client_id"))
    }

    fn name(&self, claim: &str) -> Option<&str> {
        self.0.get(claim).and_then(Value::as_str).filter(|name| (1..=MOST_NAME).contains(&name.len()))
    }
}

// === impl Validity ===

impl Validity {
    /// Whether it is valid at this time, give or take what clocks may differ by.
    ///
    /// # Errors
    /// It is over, or has not begun.
    pub(crate) fn check(self, now: u64) -> Result<(), Refused> {
        let (now, leeway) = (now as f64, OIDC_LEEWAY.as_secs_f64());
        if now >= self.until + leeway {
            return Err(Refused::Expired { seconds: (now - self.until) as u64 });
        }
        match self.from {
            Some(from) if now + leeway < from => Err(Refused::NotYet { seconds: (from - now) as u64 }),
            _ => Ok(()),
        }
    }
}
