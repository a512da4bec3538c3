//! What a person can see of the datasets that are served, as they were listed last.

use std::fmt;
use std::sync::Arc;

use headwater_store::{Catalog, Fetched, Skip};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use crate::datasets::Datasets;
use crate::generation::Generation;
use crate::listings::OUTCOMES;
use crate::served::{Served, Standing};

/// The partitions of a server.
#[derive(Debug)]
pub(super) struct DatasetMetrics(pub(super) Arc<Datasets>);

impl Collector for DatasetMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let current: Vec<_> =
            self.0.iter().filter_map(|served| Some((served.name.to_string(), served.current()?))).collect();
        let number = |of: fn(&Catalog) -> u64| {
            let value =
                move |(name, now): &(String, Arc<Generation>)| ([("dataset", name.clone())], of(now.catalog()) as f64);
            current.iter().map(value)
        };
        let mut families = Families(encoder);
        let info =
            current.iter().map(|(name, now)| ([("dataset", name.clone()), ("digest", now.digest().to_string())], 1.0));
        let help = "What is served: its name, and the digest of its listing";
        families.gauges("dataset_info", help, None, info)?;
        let samples = number(|catalog| catalog.len() as u64);
        families.gauges("dataset_samples", "Samples that are served", None, samples)?;
        let help = "Classes of the whole dataset, whatever part of it is served";
        families.gauges("dataset_classes", help, None, number(|catalog| catalog.classes().len() as u64))?;
        let help = "Stored bytes of the samples that are served";
        let stored = number(|catalog| catalog.bytes_total().get());
        families.gauges("dataset_stored", help, Some(&Unit::Bytes), stored)?;
        let left_out = current.iter().flat_map(|(name, now)| {
            Skip::ALL.map(|reason| {
                let labels = [("dataset", name.clone()), ("reason", reason.as_str().to_owned())];
                (labels, now.catalog().skipped().count(reason) as f64)
            })
        });
        let help = "Files and folders that the listing found and left out, by reason; the log names the first of each";
        families.gauges("dataset_left_out", help, None, left_out)?;
        let parts =
            self.0.iter().map(|served| (part(served), f64::from(u8::from(served.standing() == Standing::Serving))));
        let help = "Whether the part of the dataset that this server was given, as K/N, is served (1)";
        families.gauges("dataset_partition_served", help, None, parts)?;
        fetched(&mut families, &self.0)?;
        generations(&mut families, &self.0, &current)
    }
}

/// A dataset, and the part of it that the server was given.
fn part(served: &Served) -> [(&'static str, String); 2] {
    [("dataset", served.name.to_string()), ("partition", served.part.to_string())]
}

/// What was read of each dataset's files or objects.
fn fetched(families: &mut Families<'_>, datasets: &Datasets) -> Result<(), fmt::Error> {
    let of = |count: fn(&Fetched) -> u64| {
        datasets.iter().map(move |served| ([("dataset", served.name.to_string())], count(&served.fetched)))
    };
    let help = "Read of the dataset's own files or objects by listings and for samples: of a bucket what came over the \
                network, tries that failed and second requests included; of a folder what was asked of the system, \
                which may have it in memory, or read more ahead";
    families.counters_of("source_fetched", help, Some(&Unit::Bytes), of(|fetched| fetched.bytes().get()))?;
    let help = "Reads of the dataset's own files or objects: requests of a bucket, or reads of a file";
    families.counters("source_reads", help, of(Fetched::reads))
}

/// Which generation is served, and how listings went.
fn generations(
    families: &mut Families<'_>,
    datasets: &Datasets,
    current: &[(String, Arc<Generation>)],
) -> Result<(), fmt::Error> {
    let label = |name: &str| [("dataset", name.to_owned())];
    let number = current.iter().map(|(name, now)| (label(name), now.number as f64));
    let help = "Which listing is served, counted from 1 at the start; one that found nothing new does not count";
    families.gauges("dataset_generation", help, None, number)?;
    let held = datasets.iter().map(|served| (label(served.name.as_str()), served.held().len() as f64));
    let help = "Generations that are held, the current one included";
    families.gauges("dataset_generations_held", help, None, held)?;
    let memory = datasets.iter().map(|served| (label(served.name.as_str()), served.earlier_memory().get() as f64));
    let help = "Memory of the catalogs of earlier generations that are held";
    families.gauges("dataset_earlier_catalogs", help, Some(&Unit::Bytes), memory)?;
    let age = datasets.iter().filter_map(|served| {
        let age = served.listed()?.elapsed().unwrap_or_default();
        Some((label(served.name.as_str()), age.as_secs_f64()))
    });
    let help = "Time since the listing began that gave what is served, or found it unchanged";
    families.gauges("dataset_listing_age", help, Some(&Unit::Seconds), age)?;
    let failed = datasets.iter().map(|served| {
        (label(served.name.as_str()), f64::from(u8::from(served.listings(|listings| listings.failed.is_some()))))
    });
    let help = "Whether the last listing failed (1), while what was listed before is served on";
    families.gauges("dataset_listing_failed", help, None, failed)?;
    let outcomes = datasets.iter().flat_map(|served| {
        let counts = served.listings(|listings| listings.counts);
        let labels = |outcome: &str| [("dataset", served.name.to_string()), ("outcome", outcome.to_owned())];
        OUTCOMES.into_iter().zip(counts).map(move |(outcome, count)| (labels(outcome), count))
    });
    families.counters("dataset_reloads", "Listings after the first, by outcome", outcomes)
}
