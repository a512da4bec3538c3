//! Which datasets take photos.

use std::str::FromStr;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::DatasetSpec;
use headwater_types::{ByteCount, DatasetName, ModelName, Partition};

/// Datasets that take photos. Without this none does.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct IngestArgs {
    /// Take photos into this dataset, a folder or s3://bucket/prefix that is served whole (tuner ingest), until all of
    /// it has so many bytes (quota=SIZE); a model or head labels them as they come (label-by=MODEL; without it those
    /// that have labelled the dataset, or the only one). Nothing that is there is ever replaced. May be repeated
    #[arg(long, value_name = "NAME[,quota=SIZE][,label-by=MODEL]", help_heading = "Ingest")]
    pub(crate) ingest: Vec<IngestSpec>,
}

/// A dataset that takes photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IngestSpec {
    pub(crate) dataset: DatasetName,
    /// The most bytes that all photos of the dataset may have together.
    pub(crate) quota: Option<ByteCount>,
    /// Who labels photos that come.
    pub(crate) label_by: Option<ModelName>,
}

// === impl IngestSpec ===

impl FromStr for IngestSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',');
        let dataset = parts.next().unwrap_or_default().parse().map_err(|error| format!("{error}"))?;
        let mut spec = Self { dataset, quota: None, label_by: None };
        for part in parts {
            match part.split_once('=') {
                Some(("quota", size)) if spec.quota.is_none() => {
                    spec.quota = Some(size.parse().map_err(|error| format!("quota: {error}"))?);
                }
                Some(("label-by", model)) if spec.label_by.is_none() => {
                    spec.label_by = Some(model.parse().map_err(|error| format!("label-by: {error}"))?);
                }
                _ => return Err(format!("{part:?}: there are quota=SIZE and label-by=MODEL, each once")),
            }
        }
        Ok(spec)
    }
}

// === impl IngestArgs ===

impl IngestArgs {
    /// What does not go together with these datasets and models, each with the fix.
    pub(crate) fn conflicts(&self, datasets: &[DatasetSpec], models: &[&ModelName]) -> Vec<UsageError> {
        let wrong = self.ingest.iter().enumerate().filter_map(|(place, spec)| {
            let name = &spec.dataset;
            let Some(dataset) = datasets.iter().find(|dataset| dataset.name == *name) else {
                return Some(format!("--ingest {name}: there is no --dataset of that name"));
            };
            if self.ingest[..place].iter().any(|before| before.dataset == *name) {
                return Some(format!("--ingest {name} is given twice"));
            }
            if dataset.source.partition.is_some_and(|part| part != Partition::ALL) {
                return Some(format!(
                    "--ingest {name}: this server serves a part of it, and a photo may be of another: serve it whole, \
                     or give each server a folder of its own"
                ));
            }
            let unknown = spec.label_by.as_ref().filter(|model| !models.contains(model));
            unknown.map(|model| format!("--ingest {name}: label-by={model} is no --model or --head of this server"))
        });
        wrong.map(UsageError).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_are_named_with_their_limits_and_what_cannot_be_meant_is_refused() {
        let read = |text: &str| text.parse::<IngestSpec>();
        let spec = read("photos,quota=2GiB,label-by=m").unwrap();
        assert_eq!((spec.quota, spec.label_by), (Some(ByteCount::mebibytes(2048)), Some("m".parse().unwrap())));
        for (text, words) in [
            ("a b", "name"),
            ("photos,quota=x", "quota"),
            ("photos,quota=1,quota=2", "once"),
            ("photos,x=1", "quota=SIZE"),
        ] {
            assert!(read(text).unwrap_err().contains(words), "{text}: {:?}", read(text));
        }
        let datasets: Vec<DatasetSpec> =
            ["photos=/p", "half=/h,partition=1/2"].map(|spec| spec.parse().unwrap()).into();
        let conflicts = |given: &[&str]| {
            let args = IngestArgs { ingest: given.iter().map(|text| read(text).unwrap()).collect() };
            args.conflicts(&datasets, &[]).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(conflicts(&["photos"]).is_empty());
        for (given, words) in [
            (&["other"][..], "no --dataset"),
            (&["photos", "photos"], "twice"),
            (&["half"], "serve it whole"),
            (&["photos,label-by=m"], "no --model or --head"),
        ] {
            let found = conflicts(given);
            assert!(found.len() == 1 && found[0].contains(words), "{given:?}: {found:?}");
        }
    }
}
