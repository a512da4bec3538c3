//! Who comes in, and what they may do.
//!
//! ```text
//! connection ─▶ Gate::tls ─▶ call ─▶ layer: token ─▶ Grant ─▶ role of the call ─▶ Desk::offer: the dataset
//!                                      └─ refused, or writing ─▶ a line of the audit
//! ```
//!
//! Invariant: a call that is not known to be allowed is refused. Health is for everybody.

mod audit;
mod roles;
mod scope;

mod layer;

use anyhow::Result;
use headwater_access::{ServerTls, Tokens};

use crate::args::GateArgs;

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
}

// === impl Gate ===

impl Gate {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub(crate) fn new(args: &GateArgs) -> Result<Self> {
        let tls = |protocol| args.tls().map(|files| ServerTls::open(files, protocol)).transpose();
        let tokens = args.tokens().map(Tokens::open).transpose()?;
        Ok(Self { tls: tls(b"h2")?, metrics_tls: tls(b"http/1.1")?, tokens })
    }
}
