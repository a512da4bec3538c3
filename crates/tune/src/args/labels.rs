//! The arguments of `tuner labels`.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_client::label_calls::{AskLabels, CountLabels, LabellerChoice, Question};
use headwater_store::Site;
use headwater_types::{DatasetName, ModelName};

use super::reach::PartsArgs;

/// Ask which photos are what, by the labels that models gave them
///
/// Without --label, --uncertain, --changed-since or --export it counts the photos of each label. A photo's label is the
/// best class that the model gave it. Photos that are gone or changed since they were labelled do not appear.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LabelsArgs {
    #[command(flatten)]
    pub(crate) parts: PartsArgs,

    /// The dataset's name
    #[arg(long, value_name = "NAME", help_heading = "Servers")]
    pub(crate) dataset: DatasetName,

    /// Whose labels: a model's or head's name; where several are meant, the one that began last
    #[arg(long, value_name = "NAME", help_heading = "Whose")]
    pub(crate) model: Option<ModelName>,

    /// Whose labels: the first digits of a digest, of the labeller or of its file
    #[arg(
        long,
        value_name = "DIGEST",
        default_value = "",
        hide_default_value = true,
        value_parser = digest,
        help_heading = "Whose"
    )]
    pub(crate) labeller: String,

    /// Photos with this label, the highest score first: a class's name, or its number where classes have no names
    #[arg(long, value_name = "LABEL", help_heading = "Which")]
    pub(crate) label: Option<String>,

    /// Photos of the lowest scores, the lowest first: those to look at next
    #[arg(long, help_heading = "Which")]
    pub(crate) uncertain: bool,

    /// Photos whose label is another than by this labeller: the first digits of a digest
    #[arg(long, value_name = "DIGEST", value_parser = digest, help_heading = "Which")]
    pub(crate) changed_since: Option<String>,

    /// Least score, from 0 to 1
    #[arg(long, value_name = "SCORE", default_value = "0", value_parser = score, help_heading = "Which")]
    pub(crate) min_score: f32,

    /// Most photos that are shown or exported
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Which")]
    pub(crate) limit: Option<u64>,

    /// Write the photos with their labels to this Parquet file or object (standard AWS_* variables), and show how many
    /// there are; without --label, --uncertain and --changed-since: all
    #[arg(long, value_name = "FILE.parquet|s3://…", help_heading = "Output")]
    pub(crate) export: Option<Site>,
}

const HELP: &str = "\
Examples:
  tuner labels --servers node1:7440,node2:7440 --dataset photos
  tuner labels --servers node1:7440,node2:7440 --dataset photos \\
      --label Banana --min-score 0.9 --limit 20
  tuner labels --servers node1:7440,node2:7440 --dataset photos \\
      --uncertain --limit 100
  tuner labels --servers node1:7440,node2:7440 --dataset photos \\
      --export labels.parquet
  python3 -c 'import pandas; print(pandas.read_parquet(\"labels.parquet\"))'";

// === impl LabelsArgs ===

impl LabelsArgs {
    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let questions = [
            ("--label", self.label.is_some()),
            ("--uncertain", self.uncertain),
            ("--changed-since", self.changed_since.is_some()),
        ];
        let given: Vec<_> = questions.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag).collect();
        if given.len() > 1 {
            return Err(UsageError(format!("{} are different questions: give one", given.join(" and "))));
        }
        if given.is_empty() && self.export.is_none() && self.limit.is_some() {
            let words = "--limit is for photos, and counts of labels have no limit: give --label, --uncertain, \
                         --changed-since or --export too";
            return Err(UsageError(words.to_owned()));
        }
        if let Some(Site::S3 { prefix, .. }) = &self.export
            && prefix.is_empty()
        {
            return Err(UsageError("--export names a bucket: give s3://bucket/name.parquet".to_owned()));
        }
        Ok(())
    }

    /// The photos that are asked for; `None` where labels are counted.
    pub(crate) fn ask(&self) -> Option<AskLabels> {
        let question = match (&self.label, self.uncertain, &self.changed_since) {
            (Some(label), ..) => Question::Label(label.clone()),
            (_, true, _) => Question::Uncertain,
            (.., Some(digest)) => Question::ChangedSince(LabellerChoice { model: None, digest: digest.clone() }),
            _ if self.export.is_some() => Question::All,
            _ => return None,
        };
        let (dataset, labeller) = (self.dataset.clone(), self.labeller());
        Some(AskLabels { dataset, labeller, question, min_score: self.min_score, limit: self.limit })
    }

    /// The labels that are counted.
    pub(crate) fn count(&self) -> CountLabels {
        CountLabels { dataset: self.dataset.clone(), labeller: self.labeller(), min_score: self.min_score }
    }

    fn labeller(&self) -> LabellerChoice {
        LabellerChoice { model: self.model.clone(), digest: self.labeller.clone() }
    }
}

fn digest(text: &str) -> Result<String, String> {
    let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hexadecimal && text.len() <= 64 {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("give the first hexadecimal digits of a digest, at most 64".to_owned()),
    }
}

fn score(text: &str) -> Result<f32, String> {
    let score = text.parse().ok().filter(|score: &f32| (0.0..=1.0).contains(score));
    score.ok_or_else(|| "give a number from 0 to 1".to_owned())
}
