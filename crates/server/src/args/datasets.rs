//! Settings of the datasets of a server: one by `--data` and `--dataset NAME`, or any number by `--dataset NAME=URI`.

use std::str::FromStr;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::{DatasetSource, DatasetSpec, Partition};
use headwater_types::DatasetName;

use super::labels::LabelsArgs;
use super::source::SourceArgs;

/// What is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct DatasetsArgs {
    /// The dataset, where it is the only one: a folder (class folders give labels) or s3://bucket/prefix (standard
    /// AWS_* variables); or shards, as in shard-{000..099}.tar, tar:DIR or parquet:s3://bucket/prefix; then, parted by
    /// commas, options such as labels=FILE
    #[arg(long, value_name = "DIR|s3://…|KIND:PLACE", help_heading = "Dataset")]
    data: Option<DatasetSource>,
    /// Take only the K-th of N parts of the dataset of --data, so that N servers can share one folder or bucket
    #[arg(long, value_name = "K/N", default_value = "1/1", help_heading = "Dataset")]
    partition: Partition,
    #[command(flatten)]
    labels: LabelsArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// What clients call the dataset of --data; or a dataset with its name, place and options, which may be repeated to
    /// serve several: flowers=/srv/flowers,partition=1/2
    #[arg(long, value_name = "NAME|NAME=URI[,option=value]…", help_heading = "Dataset")]
    dataset: Vec<Named>,
}

/// What `--dataset` says.
#[derive(Clone, Debug)]
enum Named {
    /// The name of the dataset of `--data`.
    Name(DatasetName),
    Whole(Box<DatasetSpec>),
}

// === impl Named ===

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.contains('=') {
            true => text
                .parse()
                .map(|spec| Self::Whole(Box::new(spec)))
                .map_err(|error: headwater_store::SpecError| error.to_string()),
            false => text.parse().map(Self::Name).map_err(|error| format!("{error}")),
        }
    }
}

// === impl DatasetsArgs ===

impl DatasetsArgs {
    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        if let Some(misnamed) = self.misnamed() {
            return vec![UsageError(misnamed)];
        }
        let labels = self.labels.conflicts(self.data.as_ref());
        let (mut found, specs) = (Vec::new(), self.specs());
        for (place, spec) in specs.iter().enumerate() {
            let earlier = &specs[..place];
            if earlier.iter().any(|before| before.name == spec.name) {
                found.push(format!("--dataset {} is given twice: give each dataset a name of its own", spec.name));
            } else if let Some(before) = earlier.iter().find(|before| before.source == spec.source) {
                let (first, second, place) = (&before.name, &spec.name, &spec.source.location);
                found.push(format!("--dataset {first} and {second} are the same part of {place}: leave one out"));
            }
        }
        let local =
            if self.data.is_some() { "--data is on this machine" } else { "every --dataset is on this machine" };
        let sources: Vec<_> = specs.iter().map(|spec| &spec.source).collect();
        found.into_iter().map(UsageError).chain(labels).chain(self.source.conflicts(local, &sources)).collect()
    }

    /// What does not go together of names and places.
    fn misnamed(&self) -> Option<String> {
        let bare = self.dataset.iter().find_map(|named| match named {
            Named::Name(name) => Some(name),
            Named::Whole(_) => None,
        });
        let has_part = self.partition != Partition::ALL;
        match (&self.data, bare, &self.dataset[..]) {
            (None, None, []) => {
                Some("there is nothing to serve: give --data DIR --dataset NAME, or --dataset NAME=URI".to_owned())
            }
            (Some(_), None, []) => Some("--data needs a name: give --dataset NAME beside it".to_owned()),
            (Some(data), _, [Named::Whole(spec), ..]) => Some(format!(
                "--data {data} and --dataset {spec} are two datasets: give both as --dataset NAME=URI, without --data"
            )),
            (Some(data), Some(name), [_, _, ..]) => Some(format!(
                "--data {data} is one dataset, and --dataset is given more than once: give each as --dataset NAME=URI, \
                 such as {name}={data}, without --data"
            )),
            (Some(data), ..) => (has_part && data.partition.is_some())
                .then(|| "--partition is given, and --data has partition=: leave one out".to_owned()),
            (None, Some(name), _) => {
                Some(format!("--dataset {name} has no place: give --dataset {name}=URI, or --data DIR beside it"))
            }
            (None, None, _) => has_part.then(|| {
                format!(
                    "--partition is of --data: write ,partition={} behind the --dataset that it is of",
                    self.partition
                )
            }),
        }
    }

    /// The datasets, each with the part that is served.
    pub(crate) fn specs(&self) -> Vec<DatasetSpec> {
        let whole = |source: &DatasetSource, part| DatasetSource {
            partition: source.partition.or(Some(part)),
            ..source.clone()
        };
        let spec = |named: &Named| match (named, &self.data) {
            (Named::Name(name), Some(data)) => {
                Some(DatasetSpec { name: name.clone(), source: self.labels.applied(whole(data, self.partition)) })
            }
            (Named::Name(_), None) => None,
            (Named::Whole(spec), _) => {
                Some(DatasetSpec { name: spec.name.clone(), source: whole(&spec.source, Partition::ALL) })
            }
        };
        self.dataset.iter().filter_map(spec).collect()
    }

    /// The setting that a dataset comes from, as a person would look for it.
    pub(crate) fn setting(&self, name: &DatasetName) -> String {
        if self.data.is_some() { "--data".to_owned() } else { format!("--dataset {name}") }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        datasets: DatasetsArgs,
    }

    fn read(arguments: &[&str]) -> DatasetsArgs {
        Settings::parse_from(["serve"].iter().chain(arguments)).datasets
    }

    #[test]
    fn both_ways_name_datasets_with_their_parts() {
        let one = read(&["--data", "/srv/photos", "--dataset", "photos", "--partition", "1/2"]);
        let several = read(&["--dataset", "photos=/srv/photos,partition=1/2", "--dataset", "cats=s3://bucket/cats"]);
        let shown = |args: &DatasetsArgs| args.specs().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(&one), ["photos=/srv/photos,partition=1/2"]);
        assert_eq!(shown(&several), ["photos=/srv/photos,partition=1/2", "cats=s3://bucket/cats,partition=1/1"]);
        assert!(one.conflicts().is_empty() && several.conflicts().is_empty());
        let labels = ["--labels", "l.csv", "--classes", "b,a", "--fields", "x,y"];
        let labelled = read(&[&["--data", "/srv/photos", "--dataset", "photos"][..], &labels].concat());
        let options = "labels=l.csv,classes=b+a,fields=x+y";
        assert_eq!(shown(&labelled), [format!("photos=/srv/photos,partition=1/1,{options}")]);
        let cats = "cats".parse().unwrap();
        assert_eq!((one.setting(&cats), several.setting(&cats)), ("--data".to_owned(), "--dataset cats".to_owned()));
    }

    #[test]
    fn what_does_not_go_together_is_refused_with_the_fix() {
        for (arguments, words) in [
            (&[][..], "give --data DIR --dataset NAME, or --dataset NAME=URI"),
            (&["--data", "/a"], "give --dataset NAME beside it"),
            (&["--dataset", "a"], "--dataset a has no place: give --dataset a=URI"),
            (&["--data", "/a", "--dataset", "b=/b"], "are two datasets"),
            (&["--data", "/a", "--dataset", "a", "--dataset", "b"], "such as a=/a, without --data"),
            (&["--dataset", "a=/a", "--dataset", "a=/b"], "give each dataset a name of its own"),
            (&["--dataset", "a=/a", "--dataset", "b=/a"], "a and b are the same part of /a: leave one out"),
            (&["--dataset", "a=/a", "--partition", "1/2"], "write ,partition=1/2 behind"),
            (&["--dataset", "a=/a", "--fields", "x"], "write ,fields=... behind the --dataset"),
            (&["--data", "/a,labels=l.csv", "--dataset", "a", "--labels", "m.csv"], "leave one out"),
            (&["--dataset", "a=/a", "--s3-allow-http"], "every --dataset is on this machine"),
        ] {
            let found = read(arguments).conflicts();
            assert_eq!(found.len(), 1, "{arguments:?}: {found:?}");
            assert!(found[0].to_string().contains(words), "{arguments:?}: {found:?}");
        }
        let parts = ["--dataset", "a=/a,partition=1/2", "--dataset", "b=/a,partition=2/2"];
        assert!(read(&parts).conflicts().is_empty());
    }
}
