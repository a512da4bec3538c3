//! What servers have, and what they are doing.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use headwater_client::label_calls::Labelling;
use headwater_client::{
    CacheReport, ClientError, DatasetState, ServedDataset, ServerCache, ServerDatasets, ServerLabellings, ServerModels,
};
use headwater_types::shown;
use serde::Serialize;

use super::models::ModelRow;

/// The fleet at a glance.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FleetStatus {
    servers: Vec<ServerStatus>,
}

/// One server. What it did not say is null or empty, and the error says why.
#[derive(Clone, Debug, Serialize)]
struct ServerStatus {
    server: String,
    version: Option<String>,
    /// Why the server did not say all of this; null where it did.
    error: Option<String>,
    datasets: Vec<DatasetRow>,
    cache: Option<CacheRow>,
    models: Vec<ModelRow>,
    labellings: Vec<LabellingRow>,
}

#[derive(Clone, Debug, Serialize)]
struct DatasetRow {
    dataset: String,
    state: &'static str,
    reason: String,
    samples: Option<u64>,
    bytes: Option<u64>,
    generation: Option<u64>,
    /// Bytes read of the dataset's own files since the server's start.
    bytes_read: Option<u64>,
    /// The same in the last second; null before it was asked twice (--watch).
    bytes_read_per_second: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct CacheRow {
    memory_bytes: u64,
    memory_limit: u64,
    ssd_bytes: u64,
    ssd_limit: u64,
    entries: u64,
    /// Why there is no part on disk at the moment; empty where there is one, or is to be none.
    ssd_trouble: String,
}

#[derive(Clone, Debug, Serialize)]
struct LabellingRow {
    dataset: String,
    model: String,
    state: &'static str,
    reason: String,
    samples: u64,
    done: u64,
    failed: u64,
    /// Photos that got labels or failed, over the time in which it ran.
    images_per_second: f64,
}

/// What was read of each dataset of each server when it was last asked.
#[derive(Default)]
pub(crate) struct Rates(BTreeMap<(String, String), (u64, Instant)>);

// === impl Rates ===

impl Rates {
    /// The status with what came since the one before.
    pub(crate) fn add(&mut self, mut status: FleetStatus, now: Instant) -> FleetStatus {
        for server in &mut status.servers {
            for row in &mut server.datasets {
                let Some(read) = row.bytes_read else { continue };
                let of = (server.server.clone(), row.dataset.clone());
                if let Some((before, then)) = self.0.insert(of, (read, now)) {
                    let seconds = now.duration_since(then).as_secs_f64();
                    // A server that was started anew counts from 0.
                    row.bytes_read_per_second = read.checked_sub(before).map(|bytes| bytes as f64 / seconds.max(1e-3));
                }
            }
        }
        status
    }
}

// === impl FleetStatus ===

impl FleetStatus {
    /// What the servers say, each list in the order of the servers.
    pub(crate) fn new(
        datasets: Vec<ServerDatasets>,
        caches: Vec<ServerCache>,
        models: Vec<ServerModels>,
        labellings: Vec<ServerLabellings>,
    ) -> Self {
        let each = datasets.into_iter().zip(caches).zip(models).zip(labellings);
        let servers = each.map(|(((datasets, cache), models), labellings)| {
            let mut errors = Errors::default();
            let cache = errors.take(cache.cache);
            ServerStatus {
                server: datasets.server.to_string(),
                version: cache.as_ref().map(|cache| cache.server_version.clone()),
                datasets: errors.take(datasets.datasets).unwrap_or_default().into_iter().map(dataset).collect(),
                cache: cache.and_then(cache_row),
                models: errors.take(models.models).unwrap_or_default().into_iter().map(ModelRow::from).collect(),
                labellings: errors.take(labellings.labellings).unwrap_or_default().iter().map(labelling).collect(),
                error: errors.0,
            }
        });
        Self { servers: servers.collect() }
    }

    /// What somebody has to look after; `None` where all is well.
    pub(crate) fn unwell(&self) -> Option<String> {
        let silent = self.servers.iter().filter_map(|server| server.error.clone());
        let broken = self.servers.iter().flat_map(|server| {
            let broken = server.datasets.iter().filter(|row| row.state == DatasetState::NotReady.as_str());
            broken.map(|row| {
                format!("server {}: the dataset {} is not ready: {}", server.server, row.dataset, row.reason)
            })
        });
        silent.chain(broken).reduce(|all, next| all + "; " + &next)
    }
}

/// The first error of a server: the others say the same in other words.
#[derive(Default)]
struct Errors(Option<String>);

// === impl Errors ===

impl Errors {
    fn take<T>(&mut self, said: Result<T, ClientError>) -> Option<T> {
        match said {
            Ok(said) => Some(said),
            Err(error) => {
                self.0.get_or_insert_with(|| error.to_string());
                None
            }
        }
    }
}

fn dataset(dataset: ServedDataset) -> DatasetRow {
    let listed = dataset.listed.as_ref();
    DatasetRow {
        dataset: dataset.name.to_string(),
        state: dataset.state.as_str(),
        samples: listed.map(|listed| listed.samples),
        bytes: listed.map(|listed| listed.stored.get()),
        generation: listed.map(|listed| listed.generation),
        bytes_read: listed.map(|listed| listed.fetched.get()),
        bytes_read_per_second: None,
        reason: dataset.reason,
    }
}

fn cache_row(cache: CacheReport) -> Option<CacheRow> {
    let setup = cache.setup?;
    let held = |tier: &str| {
        let of_tier = cache.holdings.iter().filter(|(of, ..)| of == tier);
        of_tier.fold((0, 0), |(bytes, entries), (_, _, more, others)| (bytes + more, entries + others))
    };
    let ((memory_bytes, in_memory), (_, on_ssd)) = (held("memory"), held("ssd"));
    Some(CacheRow {
        memory_bytes,
        memory_limit: setup.memory_limit,
        ssd_bytes: setup.ssd_bytes,
        ssd_limit: setup.ssd_limit,
        entries: in_memory + on_ssd,
        ssd_trouble: setup.ssd_trouble,
    })
}

fn labelling(labelling: &Labelling) -> LabellingRow {
    let (here, seconds) = (labelling.labelled + labelling.failed, labelling.ran.as_secs_f64());
    LabellingRow {
        dataset: labelling.dataset.to_string(),
        model: labelling.model.to_string(),
        state: labelling.state.as_str(),
        reason: labelling.reason.clone(),
        samples: labelling.samples,
        done: here + labelling.skipped,
        failed: labelling.failed,
        images_per_second: super::rate(here, seconds),
    }
}

impl fmt::Display for FleetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, server) in self.servers.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{server}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.server)?;
        self.version.iter().try_for_each(|version| write!(f, "  version {version}"))?;
        self.error.iter().try_for_each(|error| write!(f, "\n  {error}"))?;
        self.datasets.iter().try_for_each(|row| write!(f, "\n  dataset    {row}"))?;
        self.cache.iter().try_for_each(|row| write!(f, "\n  cache      {row}"))?;
        self.models.iter().try_for_each(|row| write!(f, "\n  model      {row}"))?;
        self.labellings.iter().try_for_each(|row| write!(f, "\n  labelling  {row}"))
    }
}

impl fmt::Display for DatasetRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.dataset, self.state)?;
        if let (Some(samples), Some(bytes), Some(generation)) = (self.samples, self.bytes, self.generation) {
            write!(f, ", {samples} samples, {}, generation {generation}", shown::bytes(bytes))?;
        }
        if let Some(rate) = self.bytes_read_per_second {
            write!(f, ", {}/s read", shown::bytes(rate as u64))?;
        }
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

impl fmt::Display for CacheRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |bytes, limit| format!("{} of {}", shown::bytes(bytes), shown::bytes(limit));
        let (memory, ssd) = (of(self.memory_bytes, self.memory_limit), of(self.ssd_bytes, self.ssd_limit));
        write!(f, "{} entries, memory {memory}, disk {ssd}", self.entries)?;
        if self.ssd_trouble.is_empty() { Ok(()) } else { write!(f, " ({})", self.ssd_trouble) }
    }
}

impl fmt::Display for LabellingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dataset, model, state, samples, done, images_per_second, .. } = self;
        write!(f, "{dataset} by {model}: {state}, {done} of {samples}, {}/s", shown::count(*images_per_second))?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fleet(read: u64) -> FleetStatus {
        let row = DatasetRow {
            dataset: "photos".into(),
            state: "serving",
            reason: String::new(),
            samples: Some(3),
            bytes: Some(3000),
            generation: Some(2),
            bytes_read: Some(read),
            bytes_read_per_second: None,
        };
        let (datasets, models, labellings) = (vec![row], Vec::new(), Vec::new());
        let server = ServerStatus {
            server: "node1:7440".into(),
            version: Some("1.2.3".into()),
            error: None,
            datasets,
            cache: None,
            models,
            labellings,
        };
        FleetStatus { servers: vec![server] }
    }

    #[test]
    fn what_was_read_since_the_last_look_is_a_rate_and_a_restart_is_none() {
        let (mut rates, begin) = (Rates::default(), Instant::now());
        let after = |seconds| begin + Duration::from_secs(seconds);
        assert!(rates.add(fleet(1000), begin).servers[0].datasets[0].bytes_read_per_second.is_none());
        let second = rates.add(fleet(5000), after(2));
        assert_eq!(second.servers[0].datasets[0].bytes_read_per_second, Some(2000.0));
        assert!(rates.add(fleet(10), after(4)).servers[0].datasets[0].bytes_read_per_second.is_none());
        let shown = second.to_string();
        assert_eq!(
            shown,
            "node1:7440  version 1.2.3\n  dataset    photos: serving, 3 samples, 3 kB, generation 2, 2 kB/s read"
        );
    }

    #[test]
    fn a_dataset_that_somebody_must_mend_is_named() {
        let mut status = fleet(0);
        assert_eq!(status.unwell(), None);
        status.servers[0].datasets[0].state = "not-ready";
        status.servers[0].datasets[0].reason = "no such folder".into();
        let words = status.unwell().unwrap();
        assert!(
            words.contains("node1:7440") && words.contains("photos") && words.contains("no such folder"),
            "{words}"
        );
    }
}
