//! The keys of a provider over time: had, fresh, kept while it is away, too old. Time comes in from outside.
//!
//! ```text
//!           had                no answer                --oidc-keep-keys over
//! none yet ─────▶ trusted ◀──────────────▶ trusted on ─────────────────────▶ too old
//!                    ▲            had                                            │
//!                    └───────────────────────────────────────────────────────────┘
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use headwater_types::caps::OIDC_AGAIN;

use crate::key_set::KeySet;
use crate::refused::Refused;
use crate::verifier::Verifier;

/// The keys, and how the questions for them went.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    had: Option<Had>,
    /// When the last question was begun.
    asked: Option<Instant>,
    /// Whether it is underway.
    asking: bool,
    /// Why the last one failed; `None` where it did not.
    pub(crate) trouble: Option<String>,
    too_old: bool,
}

#[derive(Debug)]
struct Had {
    verifier: Arc<Verifier>,
    at: Instant,
}

/// What an answer has changed, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing: the same keys, or the same trouble.
    None,
    /// There are other keys.
    Keys,
    /// The provider was away, and is back with the same keys.
    Back,
    /// The provider is away, and its keys are trusted on.
    Away,
    /// It has been away for too long.
    TooOld,
}

// === impl Keys ===

impl Keys {
    /// What tokens are held against.
    ///
    /// # Errors
    /// There are no keys yet, or none that are trusted any more.
    pub(crate) fn trusted(&self, now: Instant, keep: Duration) -> Result<&Arc<Verifier>, Refused> {
        let had = self.had.as_ref().ok_or_else(|| Refused::NoKeysYet { trouble: self.trouble.clone() })?;
        match now.saturating_duration_since(had.at) {
            age if age > keep => Err(Refused::OldKeys { seconds: age.as_secs() }),
            _ => Ok(&had.verifier),
        }
    }

    /// The keys, and how old they are; `None` before the first.
    pub(crate) fn held(&self, now: Instant) -> Option<(&KeySet, Duration)> {
        self.had.as_ref().map(|had| (&had.verifier.keys, now.saturating_duration_since(had.at)))
    }

    /// Whether a key that is not known is worth a question, or the answer to one that is underway.
    pub(crate) fn may_ask(&self, now: Instant) -> bool {
        self.asking || self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= OIDC_AGAIN)
    }

    /// A question begins.
    pub(crate) fn ask(&mut self, now: Instant) {
        (self.asked, self.asking) = (Some(now), true);
    }

    /// A question that was begun has been answered.
    pub(crate) fn answer(&mut self, answer: Result<KeySet, String>, now: Instant, keep: Duration) -> Change {
        let asked = self.asked.unwrap_or(now);
        self.asking = false;
        match answer {
            Ok(keys) => self.take(keys, asked),
            Err(trouble) => self.miss(trouble, now, keep),
        }
    }

    fn take(&mut self, keys: KeySet, asked: Instant) -> Change {
        let was_away = self.trouble.take().is_some();
        self.too_old = false;
        match &mut self.had {
            // Of the question's time, and not of the answer's: it may have been on its way for long.
            Some(had) if had.verifier.keys == keys => {
                had.at = asked;
                if was_away { Change::Back } else { Change::None }
            }
            other => {
                *other = Some(Had { verifier: Arc::new(Verifier::new(keys)), at: asked });
                Change::Keys
            }
        }
    }

    fn miss(&mut self, trouble: String, now: Instant, keep: Duration) -> Change {
        let was_away = self.trouble.replace(trouble).is_some();
        let is_too_old = self.had.is_some() && self.trusted(now, keep).is_err();
        match (was_away, is_too_old && !self.too_old) {
            (_, true) => {
                self.too_old = true;
                Change::TooOld
            }
            (false, false) => Change::Away,
            (true, false) => Change::None,
        }
    }

    /// When the next question is due after the last.
    pub(crate) fn pause(&self, refresh: Duration) -> Duration {
        if self.trouble.is_some() { refresh.min(OIDC_AGAIN) } else { refresh }
    }
}

#[cfg(test)]
mod tests;
