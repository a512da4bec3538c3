//! `storage-server token`: makes a token, and the line by which servers know it.

use std::fmt;

use anyhow::{Context as _, Result};
use headwater_access::{Grant, Secret};
use headwater_cli::Outcome;
use serde::Serialize;

use crate::args::TokenArgs;

/// A token that was made.
#[derive(Serialize)]
struct Made {
    /// The token itself, for its holder.
    token: String,
    /// What goes into the file of `--tokens`.
    line: String,
}

/// Makes a token, and prints it.
///
/// # Errors
/// A system without random bits, and output that cannot be written.
pub(crate) fn token(args: TokenArgs, json: bool) -> Result<()> {
    let secret = Secret::generate().context("the system gives no random bits")?;
    let datasets = (!args.datasets.is_empty()).then(|| args.datasets.into_iter().collect());
    let line = Grant { name: args.holder, role: args.role, datasets }.line(secret.hash());
    Outcome::done(Made { token: secret.expose().to_owned(), line }).print(json)
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token, for its holder's --token-file:\n{}\n", self.token)?;
        write!(f, "line, for the servers' --tokens:\n{}", self.line)
    }
}
