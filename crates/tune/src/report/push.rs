//! What came of a push, and of a rollback.

use std::fmt;

use headwater_client::model_calls::Activation;
use headwater_rollout::{Candidate, Kind, RolledBack, ServerPush};
use headwater_types::{Digest, ModelName, shown};
use serde::Serialize;

/// A push to several servers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PushSummary {
    /// The model's name.
    model: String,
    /// Of the model's file.
    digest: Digest,
    /// Size of the model's file.
    bytes: u64,
    /// Bytes that were sent to all servers, again after cuts too.
    bytes_sent: u64,
    /// Each server.
    servers: Vec<PushRow>,
}

/// A push to one server.
#[derive(Clone, Debug, Serialize)]
struct PushRow {
    /// The server.
    server: String,
    /// Why the server does not have it, or why it does not serve; null where all went well.
    error: Option<String>,
    /// `equal`, `delta` or `whole`; null where the server does not have it.
    kind: Option<&'static str>,
    /// The version from which the difference was made; null but for a delta.
    base: Option<Digest>,
    /// Bytes that were sent, again after cuts too.
    bytes_sent: u64,
    /// Of the version that the server has now; null where it does not have it.
    digest: Option<Digest>,
    /// Whether it serves.
    active: bool,
    /// The revision by which it serves; null where it was not activated.
    revision: Option<u64>,
    /// Heads that were trained on the features of the model before, and label nothing now.
    unfit_heads: Vec<String>,
}

/// A rollback of several servers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RollbackSummary {
    /// The model's name.
    model: String,
    /// Each server.
    servers: Vec<RollbackRow>,
}

/// A rollback of one server.
#[derive(Clone, Debug, Serialize)]
struct RollbackRow {
    /// The server.
    server: String,
    /// Why nothing changed; null where the version before serves.
    error: Option<String>,
    /// The version that served before.
    from: Option<Digest>,
    /// The version that serves now.
    digest: Option<Digest>,
    /// The revision by which it serves.
    revision: Option<u64>,
    /// Heads that were trained on the features of the model before, and label nothing now.
    unfit_heads: Vec<String>,
}

// === impl PushSummary ===

impl PushSummary {
    pub(crate) fn new(candidate: &Candidate, pushed: &[ServerPush]) -> Self {
        let digest = Digest::of(&candidate.file);
        let servers: Vec<_> = pushed.iter().map(|each| PushRow::new(each, digest)).collect();
        let bytes_sent = servers.iter().map(|row| row.bytes_sent).sum();
        Self { model: candidate.name.to_string(), digest, bytes: candidate.file.len() as u64, bytes_sent, servers }
    }

    /// Why servers do not have it; `None` where all do.
    pub(crate) fn missing(&self) -> Option<String> {
        errors(self.servers.iter().map(|row| row.error.as_ref()))
    }
}

// === impl PushRow ===

impl PushRow {
    fn new(of: &ServerPush, digest: Digest) -> Self {
        let nothing = Self {
            server: of.server.to_string(),
            error: None,
            kind: None,
            base: None,
            bytes_sent: 0,
            digest: None,
            active: false,
            revision: None,
            unfit_heads: Vec::new(),
        };
        let nothing = Self { error: of.fault().map(ToString::to_string), ..nothing };
        let Ok(pushed) = &of.pushed else { return nothing };
        let (kind, base) = match pushed.kind {
            Kind::Equal => ("equal", None),
            Kind::Delta(base) => ("delta", Some(base)),
            Kind::Whole => ("whole", None),
        };
        let activation = pushed.activation.as_ref().and_then(|activation| activation.as_ref().ok());
        Self {
            kind: Some(kind),
            base,
            bytes_sent: pushed.bytes_sent.get(),
            digest: Some(digest),
            active: activation.is_some(),
            revision: activation.map(|activation| activation.revision),
            unfit_heads: unfit(activation),
            ..nothing
        }
    }
}

// === impl RollbackSummary ===

impl RollbackSummary {
    pub(crate) fn new(model: &ModelName, told: &[RolledBack]) -> Self {
        let row = |of: &RolledBack| {
            let activation = of.activation.as_ref().ok();
            RollbackRow {
                server: of.server.to_string(),
                error: of.activation.as_ref().err().map(ToString::to_string),
                from: of.from,
                digest: activation.map(|activation| activation.digest),
                revision: activation.map(|activation| activation.revision),
                unfit_heads: unfit(activation),
            }
        };
        Self { model: model.to_string(), servers: told.iter().map(row).collect() }
    }

    /// Why servers did not go back; `None` where all did.
    pub(crate) fn missing(&self) -> Option<String> {
        errors(self.servers.iter().map(|row| row.error.as_ref()))
    }
}

fn unfit(activation: Option<&Activation>) -> Vec<String> {
    activation.map(|activation| activation.unfit_heads.clone()).unwrap_or_default()
}

fn errors<'e>(errors: impl Iterator<Item = Option<&'e String>>) -> Option<String> {
    errors.flatten().cloned().reduce(|all, next| all + "; " + &next)
}

/// Heads that a person has to do something about.
fn heads(f: &mut fmt::Formatter<'_>, unfit: &[String]) -> fmt::Result {
    match unfit.is_empty() {
        true => Ok(()),
        false => write!(f, "; heads that do not fit any more: {}", unfit.join(", ")),
    }
}

impl fmt::Display for PushSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, digest, bytes, bytes_sent, servers } = self;
        servers.iter().try_for_each(|row| writeln!(f, "{row}"))?;
        let (sent, bytes) = (shown::bytes(*bytes_sent), shown::bytes(*bytes));
        write!(f, "{model} {}: {sent} sent, {bytes} in its file", digest.short())
    }
}

impl fmt::Display for PushRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ", self.server)?;
        let Some(kind) = self.kind else { return f.write_str(self.error.as_deref().unwrap_or_default()) };
        write!(f, "{kind}, {} sent, ", shown::bytes(self.bytes_sent))?;
        match (self.revision, &self.error) {
            (_, Some(error)) => write!(f, "and does not serve: {error}")?,
            (Some(revision), None) => write!(f, "serves as revision {revision}")?,
            (None, None) => f.write_str("kept: a push with --activate has it serve")?,
        }
        heads(f, &self.unfit_heads)
    }
}

impl fmt::Display for RollbackSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |digest: &Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.short());
        for (place, row) in self.servers.iter().enumerate() {
            let end = if place == 0 { "" } else { "\n" };
            write!(f, "{end}{}  ", row.server)?;
            match (&row.error, row.revision) {
                (Some(error), _) => f.write_str(error)?,
                (None, revision) => {
                    let (from, to, model) = (short(&row.from), short(&row.digest), &self.model);
                    write!(f, "{model} {from} -> {to}, revision {}", revision.unwrap_or_default())?;
                }
            }
            heads(f, &row.unfit_heads)?;
        }
        Ok(())
    }
}
