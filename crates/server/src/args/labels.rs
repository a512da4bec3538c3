//! Labels, classes and fields of the one dataset of `--data`. Of several, each says its own behind its place.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_store::{ClassList, DatasetOptions, DatasetSource, Site};

/// What is said of the samples beside their photos.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct LabelsArgs {
    /// A table of the labels, in the place of class folders: CSV, TSV, JSON Lines or Parquet with a column of keys
    /// (paths below the dataset's root, with or without suffix), one of labels, and others (see --fields)
    #[arg(long, value_name = "FILE|s3://…", help_heading = "Dataset")]
    labels: Option<Site>,
    /// Which classes there are, in the order of their numbers: names parted by commas, or a file with one in each line
    #[arg(long, value_name = "FILE|A,B,…", help_heading = "Dataset")]
    classes: Option<ClassList>,
    /// Columns of the table that clients may ask for beside photo and label; \* for all
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "Dataset")]
    fields: Vec<String>,
}

// === impl LabelsArgs ===

impl LabelsArgs {
    /// What is wrong with these settings beside the dataset of `--data`, or beside none.
    pub(crate) fn conflicts(&self, data: Option<&DatasetSource>) -> Option<UsageError> {
        let given = [
            ("labels", self.labels.is_some(), data.is_some_and(|data| data.options.labels.is_some())),
            ("classes", self.classes.is_some(), data.is_some_and(|data| data.options.classes.is_some())),
            ("fields", !self.fields.is_empty(), data.is_some_and(|data| !data.options.fields.is_empty())),
        ];
        let wrong = given.into_iter().find(|(_, is_given, is_twice)| *is_given && (data.is_none() || *is_twice));
        wrong.map(|(name, ..)| match data {
            None => UsageError(format!("--{name} is of --data: write ,{name}=... behind the --dataset that it is of")),
            Some(_) => UsageError(format!("--{name} is given, and --data has {name}=: leave one out")),
        })
    }

    /// The dataset with these settings.
    pub(crate) fn applied(&self, source: DatasetSource) -> DatasetSource {
        let Self { labels, classes, fields } = self.clone();
        let of = source.options;
        let fields = if fields.is_empty() { of.fields } else { fields };
        let (labels, classes) = (labels.or(of.labels), classes.or(of.classes));
        DatasetSource { options: DatasetOptions { labels, classes, fields, ..of }, ..source }
    }
}
