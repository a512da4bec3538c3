//! Keeps a provider's keys fresh: every so often, sooner after a failure, and at once for a key that is not known.
//!
//! There is one task, so that there is never more than one question underway.

use std::time::Instant;

use tokio::time::timeout_at;

use crate::counts::Counters;
use crate::error::{IdentityError, Trouble};
use crate::key_set::KeySet;
use crate::keys::Change;
use crate::provider::Provider;

// === impl Provider ===

impl Provider {
    /// Asks for keys, again and again.
    ///
    /// # Errors
    /// Before there are any: a provider that says that it is another. Once there are keys, that counts as away.
    pub async fn run(&self) -> IdentityError {
        loop {
            if let Err(lasting) = self.refresh().await {
                return lasting;
            }
            self.pause().await;
        }
    }

    /// Asks once.
    async fn refresh(&self) -> Result<(), IdentityError> {
        self.keys().ask(Instant::now());
        let answer = self.fetcher.keys(&self.settings).await;
        let had_none = self.keys().held(Instant::now()).is_none();
        let answer = match answer {
            Err(Trouble::Lasting(error)) if had_none => return Err(error),
            answer => answer.map_err(|trouble| trouble.to_string()),
        };
        let failed = answer.is_err();
        let change = self.keys().answer(answer, Instant::now(), self.settings.keep);
        Counters::add(match (failed, change) {
            (true, _) => &self.counters.failed,
            (false, Change::Keys) => &self.counters.changed,
            (false, _) => &self.counters.same,
        });
        self.say(change);
        self.answers.send_modify(|answers| *answers += 1);
        Ok(())
    }

    /// Waits until the next question is due, or a key is wanted that is not known.
    async fn pause(&self) {
        let due = tokio::time::Instant::now() + self.keys().pause(self.settings.refresh);
        while timeout_at(due, self.wanted.notified()).await.is_ok() {
            // Whoever wanted one while the last question was underway has its answer.
            if self.keys().may_ask(Instant::now()) {
                return;
            }
        }
    }

    /// One line for each change.
    fn say(&self, change: Change) {
        let (issuer, keys) = (self.issuer(), self.keys());
        let held = keys.held(Instant::now()).map(|(keys, _)| keys);
        let trouble = keys.trouble.as_deref().unwrap_or_default();
        let keep_seconds = self.settings.keep.as_secs();
        match change {
            Change::None => tracing::debug!(%issuer, trouble, "asked for keys"),
            Change::Keys => {
                let keys = held.map(KeySet::names).unwrap_or_default();
                tracing::info!(%issuer, keys, "the identity provider's keys");
                let left_out = held.map(|keys| &keys.left_out[..]).unwrap_or_default();
                if !left_out.is_empty() {
                    let (many, why) = (left_out.len(), left_out.join("; "));
                    tracing::warn!(%issuer, keys = many, why, "keys of the identity provider are left out");
                }
            }
            Change::Back => tracing::info!(%issuer, "the identity provider answers again, with the same keys"),
            Change::Away if held.is_none() => tracing::warn!(%issuer, trouble, "the identity provider gives no keys"),
            Change::Away => {
                tracing::warn!(%issuer, trouble, keep_seconds, "the identity provider is away; its keys are used on");
            }
            Change::TooOld => tracing::error!(
                %issuer,
                trouble,
                keep_seconds,
                "the identity provider has been away for too long: its tokens are refused until it answers"
            ),
        }
    }
}
