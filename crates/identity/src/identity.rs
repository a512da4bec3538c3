//! Who somebody is, by a token that was checked.

use headwater_access::Held;

use crate::claims::{Claims, Validity};
use crate::escaped::escaped;
use crate::refused::Refused;
use crate::roles::roles;
use crate::settings::Expected;

/// Somebody whom the provider knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// For the log: `sub:SUBJECT`, and `,client:CLIENT` where the token says which program asked for it.
    pub holder: String,
    /// The claim `sub`.
    pub subject: String,
    /// The roles that the claim of roles gives.
    pub held: Vec<Held>,
    pub(crate) validity: Validity,
}

/// Most characters of a name in the log.
const SHOWN: usize = 96;

// === impl Identity ===

impl Identity {
    /// Reads the claims of a token whose signature was checked.
    ///
    /// # Errors
    /// Claims that are missing, and a token that is for others or for another time.
    pub(crate) fn read(payload: &[u8], expected: &Expected, now: u64) -> Result<Self, Refused> {
        let claims = Claims::read(payload)?;
        claims.check(expected.issuer.as_str(), &expected.audience)?;
        let validity = claims.validity()?;
        validity.check(now)?;
        let subject = claims.subject()?.to_owned();
        let client = claims.client().map(|client| format!(",client:{}", escaped(client, SHOWN)));
        let holder = format!("sub:{}{}", escaped(&subject, SHOWN), client.unwrap_or_default());
        let held = roles(expected.roles.of(&claims.0)).map_err(|said| Refused::Role {
            holder: holder.clone(),
            claim: expected.roles.to_string(),
            said,
        })?;
        Ok(Self { holder, subject, held, validity })
    }
}
