//! Whose token a call shows: of the file of tokens, or of the identity provider.

use std::sync::Arc;

use headwater_access::{Grant, Held, NoGrant, Role};
use headwater_identity::{Identity, Refused};
use headwater_wire::status::Refusal;
use tokio::task::spawn_blocking;

use super::Gate;

/// Somebody, their roles, and what would give them others.
pub(super) struct Bearer {
    name: String,
    held: Vec<Held>,
    place: String,
}

// === impl Bearer ===

impl Bearer {
    /// Whose token this is: `shown` is the value of the header `authorization`.
    ///
    /// # Errors
    /// Nobody's, or one that is not valid now.
    pub(super) async fn of(gate: &Arc<Gate>, shown: Option<Vec<u8>>) -> Result<Self, Refusal> {
        let Some(shown) = shown else { return Err(unknown(NoGrant::Missing.as_str())) };
        if gate.tokens.is_some() {
            let header = shown.clone();
            if let Some(Ok(grant)) = lines(gate, move |tokens| tokens.grant(Some(&header))).await {
                return Ok(Self::line(&grant));
            }
        }
        let Some(provider) = &gate.provider else { return Err(unknown(NoGrant::Unknown.as_str())) };
        let token = shown.strip_prefix(b"Bearer ").or_else(|| shown.strip_prefix(b"bearer "));
        let token = token.ok_or_else(|| unknown(NoGrant::Unknown.as_str()))?;
        let identity = provider.identify(token).await.map_err(|refused| refusal(&refused))?;
        Self::subject(gate, &identity, &provider.roles_claim()).await
    }

    /// Of a line of the file of tokens.
    fn line(grant: &Grant) -> Self {
        Self { name: grant.name.clone(), held: vec![Held::from(grant)], place: "its line in --tokens".to_owned() }
    }

    /// Of the identity provider: with the roles of its claim, and those that lines of the file of tokens give it.
    async fn subject(gate: &Arc<Gate>, identity: &Identity, claim: &str) -> Result<Self, Refusal> {
        let (mut held, subject) = (identity.held.clone(), identity.subject.clone());
        held.extend(lines(gate, move |tokens| tokens.of_subject(&subject)).await.unwrap_or_default());
        let (name, place) = (identity.holder.clone(), format!("its claim {claim} (headwater:ROLE)"));
        match held.is_empty() {
            false => Ok(Self { name, held, place }),
            true => Err(Refusal::Forbidden {
                message: format!(
                    "the token of {name} has no role here: have its claim {claim} say headwater:read, \
                     headwater:write:DATASET,... or headwater:admin (--oidc-roles-claim), or give it a line in \
                     --tokens (NAME ROLE DATASETS sub:SUBJECT)"
                ),
            }),
        }
    }

    /// What it may do in a call that needs this role.
    ///
    /// # Errors
    /// Not even the call.
    pub(super) fn grant(&self, needed: Role, call: &str) -> Result<Grant, Refusal> {
        let (name, place) = (&self.name, &self.place);
        Held::grant(&self.held, name, needed).map_err(|highest| {
            let has = highest.map_or("none", Role::as_str);
            let message =
                format!("the token of {name} has the role {has}, and {call} takes {needed}: have {place} say {needed}");
            Refusal::Forbidden { message }
        })
    }
}

/// Asks the file of tokens, which may have to be read; `None` without one.
async fn lines<T: Send + 'static>(
    gate: &Arc<Gate>,
    ask: impl FnOnce(&headwater_access::Tokens) -> T + Send + 'static,
) -> Option<T> {
    gate.tokens.as_ref()?;
    let gate = Arc::clone(gate);
    spawn_blocking(move || gate.tokens.as_ref().map(ask)).await.ok().flatten()
}

fn unknown(message: impl Into<String>) -> Refusal {
    Refusal::Unknown { message: message.into() }
}

fn refusal(refused: &Refused) -> Refusal {
    let message = refused.to_string();
    match refused {
        Refused::NoKeysYet { .. } => Refusal::Starting { doing: message },
        Refused::OldKeys { .. } => Refusal::NoKeys { message },
        Refused::Role { .. } => Refusal::Forbidden { message },
        _ => unknown(message),
    }
}
