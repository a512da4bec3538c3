//! What came of labellings.

use std::fmt;

use headwater_cli::Failures;
use headwater_client::label_calls::Labelling;
use headwater_client::{ClientError, ServerAddress};
use headwater_types::shown;
use serde::Serialize;

use super::rate;
use super::table::Table;
use super::travel::TravelSummary;

/// Labellings of several servers, together and one by one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RelabelSummary {
    /// Photos that got labels.
    labelled: u64,
    /// Photos that had labels, or had failed, before.
    skipped: u64,
    /// Photos that could not be labelled, and why.
    failed: u64,
    failures: Failures,
    /// Photos whose pixels were needed: of the others the features were kept. Where features were brought, all of them.
    decoded: u64,
    /// Photos that were changed or gone when their turn came.
    changed: u64,
    /// Photos that got labels or failed, over the longest time for which a server ran.
    images_per_second: f64,
    /// Time that the command took.
    seconds: f64,
    servers: Vec<ServerLabelling>,
    /// How samples came whose features were brought from here; null where the servers ran alone.
    brought: Option<TravelSummary>,
}

/// A labelling of one server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ServerLabelling {
    server: String,
    /// Why the server does not say more; null where it does.
    error: Option<String>,
    #[serde(flatten)]
    labelling: Option<Told>,
}

/// What a server says of a labelling.
#[derive(Clone, Debug, Serialize)]
struct Told {
    dataset: String,
    model: String,
    digest: Option<String>,
    model_digest: Option<String>,
    /// How it is: `done`, `running`, `waiting`, `paused`, `cancelled`, `failed` or `stopping`.
    state: &'static str,
    /// Why it is so; empty where that is plain.
    reason: String,
    /// Photos of this server.
    samples: u64,
    /// Photos that got labels.
    labelled: u64,
    /// Photos that had labels, or had failed, before.
    skipped: u64,
    /// Photos that could not be labelled.
    failed: u64,
    /// Photos whose pixels were needed.
    decoded: u64,
    /// Photos that were changed or gone when their turn came.
    changed: u64,
    /// Time for which it ran.
    seconds: f64,
    #[serde(skip)]
    failures: Failures,
}

// === impl ServerLabelling ===

impl ServerLabelling {
    pub(crate) fn of(server: &ServerAddress, labelling: Labelling) -> Self {
        let mut failures = Failures::default();
        for of_kind in &labelling.failures {
            failures.add_counted(of_kind.kind, of_kind.count, of_kind.first_keys.iter().map(String::as_str));
        }
        let told = Told {
            dataset: labelling.dataset.to_string(),
            model: labelling.model.to_string(),
            digest: labelling.digest.map(|digest| digest.to_string()),
            model_digest: labelling.model_digest.map(|digest| digest.to_string()),
            state: labelling.state.as_str(),
            reason: labelling.reason,
            samples: labelling.samples,
            labelled: labelling.labelled,
            skipped: labelling.skipped,
            failed: labelling.failed,
            decoded: labelling.decoded,
            changed: labelling.changed,
            seconds: labelling.ran.as_secs_f64(),
            failures,
        };
        Self { server: server.to_string(), error: None, labelling: Some(told) }
    }

    pub(crate) fn silent(server: &ServerAddress, error: &ClientError) -> Self {
        Self { server: server.to_string(), error: Some(error.to_string()), labelling: None }
    }
}

// === impl RelabelSummary ===

impl RelabelSummary {
    pub(crate) fn new(servers: Vec<ServerLabelling>, seconds: f64) -> Self {
        let told = || servers.iter().filter_map(|server| server.labelling.as_ref());
        let sum = |count: fn(&Told) -> u64| told().map(count).sum::<u64>();
        let mut failures = Failures::default();
        told().for_each(|told| failures.merge(&told.failures));
        let (labelled, failed) = (sum(|told| told.labelled), sum(|told| told.failed));
        let ran = told().map(|told| told.seconds).fold(0.0, f64::max);
        let (skipped, decoded, changed) =
            (sum(|told| told.skipped), sum(|told| told.decoded), sum(|told| told.changed));
        let images_per_second = rate(labelled + failed, ran);
        let brought = None;
        Self { labelled, skipped, failed, failures, decoded, changed, images_per_second, seconds, servers, brought }
    }

    /// The same, of features that were brought from here.
    pub(crate) fn with_travel(self, travel: TravelSummary) -> Self {
        Self { brought: Some(travel), ..self }
    }

    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Photos that have had their turn.
    pub(crate) fn done(&self) -> u64 {
        self.labelled + self.skipped + self.failed
    }

    /// Photos of all servers.
    pub(crate) fn samples(&self) -> u64 {
        self.servers.iter().filter_map(|server| server.labelling.as_ref()).map(|told| told.samples).sum()
    }

    /// Why servers did not answer; `None` where all did.
    pub(crate) fn silent(&self) -> Option<String> {
        let errors: Vec<_> = self.servers.iter().filter_map(|server| server.error.clone()).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

impl fmt::Display for RelabelSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.servers.is_empty() {
            return f.write_str("no labelling is under way");
        }
        for server in &self.servers {
            match (&server.labelling, &server.error) {
                (Some(told), _) => writeln!(f, "{}  {told}", server.server)?,
                (None, error) => writeln!(f, "{}  {}", server.server, error.as_deref().unwrap_or_default())?,
            }
        }
        if let Some(travel) = &self.brought {
            let mut table = Table::default();
            travel.lines(&mut table);
            writeln!(f, "{table}")?;
        }
        let Self { labelled, skipped, failed, decoded, changed, images_per_second, .. } = self;
        let rate = shown::count(*images_per_second);
        write!(f, "{labelled} labelled ({decoded} decoded, {rate}/s), {skipped} skipped, {failed} failed")?;
        if *changed > 0 { write!(f, ", {changed} changed meanwhile") } else { Ok(()) }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, model, state, samples, labelled, skipped, failed, .. } = self;
        let digest = self.model_digest.as_deref().map_or("", |digest| &digest[..digest.len().min(12)]);
        let done = labelled + skipped + failed;
        write!(f, "{dataset} by {model} {digest}: {state}, {done} of {samples}")?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}
