//! An identity provider, as the calls of a server see it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use headwater_types::caps::OIDC_ANSWER;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::counts::{Counters, Counts};
use crate::error::IdentityError;
use crate::fetcher::Fetcher;
use crate::identity::Identity;
use crate::keys::Keys;
use crate::refused::Refused;
use crate::settings::OidcSettings;
use crate::url::ProviderUrl;
use crate::verifier::Verifier;

/// An identity provider. Its keys come by [`Provider::run`], and are there for all calls.
#[derive(Debug)]
pub struct Provider {
    pub(crate) settings: OidcSettings,
    pub(crate) fetcher: Fetcher,
    keys: Mutex<Keys>,
    /// Somebody has shown a token of a key that is not known.
    pub(crate) wanted: Notify,
    /// Questions that have been answered.
    pub(crate) answers: watch::Sender<u64>,
    pub(crate) counters: Counters,
}

/// How long a call waits for keys that are asked for on its account: for both documents.
const WAIT: Duration = OIDC_ANSWER.saturating_mul(2);

// === impl Provider ===

impl Provider {
    /// Reads the files of the settings. Nobody is asked yet.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn new(settings: OidcSettings) -> Result<Self, IdentityError> {
        Ok(Self {
            fetcher: Fetcher::new(&settings)?,
            settings,
            keys: Mutex::default(),
            wanted: Notify::new(),
            answers: watch::Sender::new(0),
            counters: Counters::default(),
        })
    }

    /// Whose tokens these are.
    pub fn issuer(&self) -> &ProviderUrl {
        &self.settings.expected.issuer
    }

    /// The claim that has roles.
    pub fn roles_claim(&self) -> String {
        self.settings.expected.roles.to_string()
    }

    /// Whose token this is. Where its key is not known, the provider is asked: once for all who wait, and not again for
    /// [`headwater_types::caps::OIDC_AGAIN`].
    ///
    /// # Errors
    /// Why it is not taken.
    pub async fn identify(&self, token: &[u8]) -> Result<Arc<Identity>, Refused> {
        let before = self.answers.subscribe();
        let mut found = self.hold_against_keys(token);
        if found == Err(Refused::UnknownKey) && self.keys().may_ask(Instant::now()) {
            self.ask(before).await;
            found = self.hold_against_keys(token);
        }
        let counter: fn(&Counters) -> &AtomicU64 = match &found {
            Ok((_, true)) => |counters| &counters.known,
            Ok((_, false)) => |counters| &counters.verified,
            Err(_) => |counters| &counters.refused,
        };
        Counters::add(counter(&self.counters));
        found.map(|(identity, _)| identity)
    }

    /// Waits until there are keys, and says after each question why there are none yet.
    pub async fn ready(&self, mut say: impl FnMut(String)) {
        let mut answers = self.answers.subscribe();
        while let Err(refused) = self.trusted() {
            say(refused.to_string());
            // The sender lives as long as this.
            let _ = answers.changed().await;
        }
    }

    /// What has been counted.
    pub fn counts(&self) -> Counts {
        let keys = self.keys();
        let held = keys.held(Instant::now());
        self.counters.now(held.map_or(0, |(keys, _)| keys.len()), held.map(|(_, age)| age))
    }

    /// Has the provider asked, and waits for the next answer.
    async fn ask(&self, mut answers: watch::Receiver<u64>) {
        self.wanted.notify_one();
        // Without an answer in that time the key stays unknown.
        let _ = timeout(WAIT, answers.changed()).await;
    }

    fn hold_against_keys(&self, token: &[u8]) -> Result<(Arc<Identity>, bool), Refused> {
        self.trusted()?.identify(token, &self.settings.expected, seconds_since_1970())
    }

    fn trusted(&self) -> Result<Arc<Verifier>, Refused> {
        self.keys().trusted(Instant::now(), self.settings.keep).cloned()
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of tokens. A clock before 1970 takes none.
fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
