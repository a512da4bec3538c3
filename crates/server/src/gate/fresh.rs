//! The identity provider's keys, had before the server is ready and kept fresh for as long as it lives.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use headwater_identity::{IdentityError, Provider};
use tokio_util::task::AbortOnDropHandle;

use super::Gate;
use crate::life::Life;

/// Whatever asks for keys; it ends when it is dropped. Nothing where there is no provider.
pub(crate) struct Fresh(Option<(Arc<Provider>, AbortOnDropHandle<IdentityError>)>);

// === impl Fresh ===

impl Fresh {
    /// Begins to ask.
    pub(crate) fn begin(gate: &Gate) -> Self {
        Self(gate.provider.clone().map(|provider| {
            let asking = Arc::clone(&provider);
            (provider, AbortOnDropHandle::new(tokio::spawn(async move { asking.run().await })))
        }))
    }

    /// Waits for the first keys. A provider that does not answer is waited for, and the life of the server says so: a
    /// server that is started before its provider, as after a power failure, needs nobody's help.
    ///
    /// # Errors
    /// The provider says that it is another.
    pub(crate) async fn ready(&mut self, life: &Life) -> Result<()> {
        let Some((provider, asking)) = &mut self.0 else { return Ok(()) };
        tokio::select! {
            biased;
            () = provider.ready(|doing| life.begin(doing)) => Ok(()),
            ended = asking => Err(ended.context("the task that asks the identity provider")?.into()),
        }
    }
}
