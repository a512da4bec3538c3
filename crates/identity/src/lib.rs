//! Tokens of an identity provider: who somebody is, and what they may do, as an OpenID provider says it.
//!
//! ```text
//! provider's URL ─▶ fetcher ─▶ discovery ─▶ key set ─▶ keys (fresh, kept, or too old) ─┐
//!                     ▲ refresher: every so often, and for a key that is not known     │
//!                                                                                      ▼
//! token ─▶ compact ─▶ algorithm and key ─▶ signature ─▶ claims ─▶ roles ─▶ Identity, remembered until it expires
//! ```
//!
//! Invariants: a token is taken only after its signature, by a key that the provider has now, with an algorithm that
//! this key is for. What was verified is forgotten with the keys that it was verified by. No token is in a message, a
//! log line or a `Debug`. Whatever the provider sends is bounded, and changes nothing where it is not in order.

mod error;
mod escaped;
mod refused;

mod claim_path;
mod url;

mod base64url;

mod algorithm;
mod jwk;
mod key_set;

mod compact;

mod claims;
mod roles;

mod identity;

mod verified;
mod verifier;

mod discovery;
mod fetcher;

mod counts;
mod keys;

mod settings;

mod provider;
mod refresher;

pub use claim_path::ClaimPath;
pub use counts::Counts;
pub use error::IdentityError;
pub use identity::Identity;
pub use key_set::count_keys;
pub use provider::Provider;
pub use refused::Refused;
pub use settings::{Expected, OidcSettings};
pub use url::ProviderUrl;
pub use verifier::judge;
