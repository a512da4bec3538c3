//! The arguments of `tuner relabel`.

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::{FailureArgs, LimitArgs};
use headwater_client::label_calls::{ControlLabelling, LabellingCommand, Relabel, SHARE_PERCENT};
use headwater_extraction::ServedModel;
use headwater_types::caps::MAX_TOP_K;
use headwater_types::{DatasetName, ModelName};

use super::plan::PlanArgs;
use super::reach::PartsArgs;

/// Have a model label every photo of a dataset, on the servers that have the photos
///
/// Each server runs the model over its own photos and keeps the best classes in its label index; no photo travels. What
/// the same model and recipe have labelled before is skipped. The work goes on where this command is stopped, and after
/// a restart of a server; run it again to follow it. While clients read samples, it takes a share of the cores.
///
/// With --split-at, --split-by or --plan a part of the network, or all of it, runs here, and what it makes of a photo
/// is brought to the server that keeps its labels. Stopped, it goes on from there when it is run again.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct RelabelArgs {
    #[command(flatten)]
    pub(crate) parts: PartsArgs,

    /// The dataset's name
    #[arg(long, value_name = "NAME", required_unless_present = "list", help_heading = "Servers")]
    pub(crate) dataset: Option<DatasetName>,

    /// The model's or head's name, as it is registered on the servers (--model, --head)
    #[arg(long, value_name = "NAME", required_unless_present = "list", help_heading = "Servers")]
    pub(crate) model: Option<ModelName>,

    /// Classes that are kept of each photo, the best first
    #[arg(long, value_name = "K", default_value = "5", value_parser = top_k, help_heading = "Labels")]
    pub(crate) top_k: u32,

    /// Try again photos that failed before, not only those that could not be read just then
    #[arg(long, help_heading = "Labels")]
    pub(crate) retry_failed: bool,

    /// Forget what this model has said of the dataset, and label all photos anew
    #[arg(long, help_heading = "Labels")]
    pub(crate) from_scratch: bool,

    /// Part of the model's places that labelling takes on the servers while clients read, in percent [default: 25]
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(1..=100),
        help_heading = "Labels"
    )]
    pub(crate) share: Option<u32>,

    /// Begin it and return, without waiting for its end
    #[arg(long, help_heading = "Labels", conflicts_with_all = ["list", "pause", "resume", "cancel"])]
    pub(crate) detach: bool,

    /// Show the labellings that the servers have under way, and how the last ones ended
    #[arg(long, help_heading = "Under way", conflicts_with_all = ["pause", "resume", "cancel"])]
    pub(crate) list: bool,

    /// Have a labelling rest, also after a restart of a server
    #[arg(long, help_heading = "Under way", conflicts_with_all = ["resume", "cancel"])]
    pub(crate) pause: bool,

    /// Have a labelling go on that rests
    #[arg(long, help_heading = "Under way", conflicts_with = "cancel")]
    pub(crate) resume: bool,

    /// End a labelling; what was labelled stays
    #[arg(long, help_heading = "Under way")]
    pub(crate) cancel: bool,

    #[command(flatten, next_help_heading = "Labels")]
    pub(crate) failures: FailureArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

const HELP: &str = "\
Examples:
  tuner relabel --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet
  tuner relabel --servers node1:7440,node2:7440 --list
  tuner relabel --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --split-by profile.json --extractor mobilenet.onnx
  tuner labels --servers node1:7440,node2:7440 --dataset photos \\
      --label Banana --min-score 0.9";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RelabelTask {
    Label(Relabel),
    Control(ControlLabelling),
    List,
}

// === impl RelabelArgs ===

impl RelabelArgs {
    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let controls = [("--pause", self.pause), ("--resume", self.resume), ("--cancel", self.cancel)];
        let given: Vec<_> = controls.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag).collect();
        if given.len() > 1 {
            return Err(UsageError(format!("{} exclude each other: give one", given.join(" and "))));
        }
        if let [flag] = given[..]
            && (self.from_scratch || self.retry_failed)
        {
            let words = "says what becomes of a labelling that is under way: give it without --from-scratch and \
                         --retry-failed";
            return Err(UsageError(format!("{flag} {words}")));
        }
        self.plan.check(false)?;
        let at_servers = [("--share", self.share.is_some()), ("--detach", self.detach), ("--list", self.list)];
        match at_servers.iter().chain(&controls).find(|(_, given)| *given && self.plan.makes_features()) {
            Some((flag, _)) => Err(UsageError(format!(
                "{flag} is of labellings that servers run alone: leave it out with --split-at, --split-by and --plan"
            ))),
            None => Ok(()),
        }
    }

    /// The dataset and the model whose features are brought: the labeller's extractor.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(crate) fn served_model(&self, dataset: DatasetName, extractor: ModelName) -> anyhow::Result<ServedModel> {
        let mut client = self.parts.options()?;
        client.bandwidth = self.plan.limit_bandwidth;
        client.cpu_workers = self.plan.inference_workers.unwrap_or(client.cpu_workers);
        client.limits = self.limits.limits();
        let (servers, inference) = (self.parts.servers(), self.plan.inference());
        Ok(ServedModel { servers, dataset, model: extractor, client, inference })
    }

    /// What is to be done.
    pub(crate) fn task(&self) -> RelabelTask {
        let (Some(dataset), Some(model), false) = (self.dataset.clone(), self.model.clone(), self.list) else {
            return RelabelTask::List;
        };
        let command = match (self.pause, self.resume, self.cancel) {
            (true, ..) => LabellingCommand::Pause,
            (_, true, _) => LabellingCommand::Resume,
            (.., true) => LabellingCommand::Cancel,
            _ => {
                let (top_k, share_percent) = (self.top_k, self.share.unwrap_or(SHARE_PERCENT));
                let (retry_failed, from_scratch) = (self.retry_failed, self.from_scratch);
                let relabel = Relabel { dataset, model, top_k, retry_failed, share_percent, from_scratch };
                return RelabelTask::Label(relabel);
            }
        };
        RelabelTask::Control(ControlLabelling { dataset, model, command })
    }
}

pub(super) fn top_k(text: &str) -> Result<u32, String> {
    let most = MAX_TOP_K as u32;
    let wrong = || format!("give a whole number from 1 to {most}");
    text.parse().ok().filter(|k| (1..=most).contains(k)).ok_or_else(wrong)
}
