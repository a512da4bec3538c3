//! Who comes in, and what they may do.
//!
//! ```text
//! connection ─▶ Gate::tls ─▶ call ─▶ layer: token ─▶ Bearer ─▶ role of the call ─▶ Grant ─▶ Desk::offer: the dataset
//!                                      └─ refused, or writing ─▶ a line of the audit
//! ```
//!
//! Invariant: a call that is not known to be allowed is refused. Health is for everybody.

mod audit;
mod bearer;
mod roles;
mod scope;

mod fresh;
mod layer;

use std::sync::Arc;

use anyhow::Result;
use headwater_access::{ServerTls, Tokens};
use headwater_identity::Provider;

use crate::args::GateArgs;

pub(crate) use fresh::Fresh;
pub(crate) use layer::{may_read, with_grants};
pub(crate) use scope::{covers, shows};

/// What connections and calls are asked for.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Of the calls' port.
    pub(crate) tls: Option<ServerTls>,
    /// Of the metrics port.
    pub(crate) metrics_tls: Option<ServerTls>,
    pub(crate) tokens: Option<Tokens>,
    /// Whose tokens are taken too.
    pub(crate) provider: Option<Arc<Provider>>,
}

// === impl Gate ===

impl Gate {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub(crate) fn new(args: &GateArgs) -> Result<Self> {
        let tls = |protocol| args.tls().map(|files| ServerTls::open(files, protocol)).transpose();
        let provider = args.provider().map(Provider::new).transpose()?.map(Arc::new);
        let tokens = args.tokens().map(|file| Tokens::open(file, provider.is_some())).transpose()?;
        Ok(Self { tls: tls(b"h2")?, metrics_tls: tls(b"http/1.1")?, tokens, provider })
    }

    /// Whether calls must show a token.
    pub(crate) fn asks_for_tokens(&self) -> bool {
        self.tokens.is_some() || self.provider.is_some()
    }
}
