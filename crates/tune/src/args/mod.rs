//! The tuner's command line.

mod extract;
mod features;
mod fine_tune;
mod ingest;
mod labels;
mod partition;
mod plan;
mod push;
mod reach;
mod relabel;
mod rounds;
mod servers;
mod status;

pub(crate) use extract::ExtractArgs;
pub(crate) use fine_tune::FineTuneArgs;
pub(crate) use ingest::IngestArgs;
pub(crate) use labels::LabelsArgs;
pub(crate) use partition::PartitionArgs;
pub(crate) use plan::PlanArgs;
pub(crate) use push::{BasesArgs, PushArgs, PushSpec, RollbackArgs};
pub(crate) use relabel::{RelabelArgs, RelabelTask};
pub(crate) use status::{ModelsArgs, StatusArgs};

use clap::{Parser, Subcommand};
use headwater_cli::Common;

/// Turns photos on storage servers into features and a trained head, pushes models, and has them label photos there.
#[derive(Clone, Debug, Parser)]
#[command(name = "tuner", after_help = HELP)]
pub struct TunerArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP: &str = "\
Examples:
  tuner extract --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --out features
  tuner fine-tune --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --out head.onnx
  tuner push --servers node1:7440,node2:7440 --model cats=head.onnx \\
      --activate
  tuner relabel --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet
  tuner labels --servers node1:7440,node2:7440 --dataset photos \\
      --label Banana --min-score 0.9

Every flag is also a variable (--runs: HEADWATER_RUNS) and a key of
--config FILE.toml.";

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    Extract(ExtractArgs),
    FineTune(Box<FineTuneArgs>),
    Relabel(RelabelArgs),
    Labels(LabelsArgs),
    Ingest(IngestArgs),
    Models(ModelsArgs),
    Plan(PartitionArgs),
    Push(PushArgs),
    Rollback(RollbackArgs),
    Status(StatusArgs),
}

// === impl TunerArgs ===

impl TunerArgs {
    /// The flags that every program has.
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// These arguments, with `--log FILE.jsonl` of a training in rounds taken for its `--run-log`: that is what ESync's
    /// tools call it, and a filter of messages never ends so.
    #[must_use]
    pub fn settled(mut self) -> Self {
        let Command::FineTune(args) = &mut self.command else { return self };
        let is_run_log = |log: &mut String| log.ends_with(".jsonl");
        if args.rounds.mode.is_some() && args.rounds.run_log.is_none() {
            args.rounds.run_log = self.common.log.take_if(is_run_log).map(Into::into);
        }
        self
    }

    /// Whether results and errors are for a program.
    pub fn json(&self) -> bool {
        self.common.json
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use headwater_learn::{HeadKind, TrainOptions};
    use headwater_types::Seed;

    use super::*;

    pub(crate) fn fine_tune(arguments: &[&str]) -> FineTuneArgs {
        let arguments = ["tuner", "fine-tune"].iter().chain(arguments);
        match TunerArgs::try_parse_from(arguments).unwrap().command {
            Command::FineTune(args) => *args,
            _ => panic!("another subcommand"),
        }
    }

    const SERVERS: [&str; 6] = ["--servers", "a:1,b:2", "--dataset", "d", "--model", "m"];

    #[test]
    fn the_contract_of_the_command_line_is_understood() {
        <TunerArgs as clap::CommandFactory>::command().debug_assert();
        let extract = [&["tuner", "extract"][..], &SERVERS, &["--out", "o", "--json"]].concat();
        let extract = TunerArgs::try_parse_from(extract).unwrap();
        assert!(extract.json());
        let rest = ["--runs", "3", "--validation-fraction", "0.2", "--seed", "1", "--out", "head.onnx", "--json"];
        let args = fine_tune(&[&SERVERS[..], &rest].concat());
        args.check().unwrap();
        assert_eq!(args.from.servers().unwrap().servers.len(), 2);
        assert_eq!(args.head_kind(), HeadKind::Softmax);
        assert_eq!(args.train_options(), TrainOptions { seed: Seed(1), ..TrainOptions::default() });
    }

    #[test]
    fn what_is_to_be_joined_is_the_extractor_where_none_is_named() {
        let joined = ["--join", "m.onnx", "--joined-out", "c.onnx", "--plan", "auto"];
        let extractor = |more: &[&str]| {
            let args = fine_tune(&[&SERVERS[..], &joined, more].concat());
            args.check().unwrap();
            args.served_model().unwrap().inference.extractor
        };
        assert_eq!(extractor(&[]), Some("m.onnx".into()));
        assert_eq!(extractor(&["--extractor", "n.onnx"]), Some("n.onnx".into()));
    }

    #[test]
    fn what_contradicts_itself_is_refused_in_words() {
        for (arguments, words) in [
            (&["--features", "f", "--hidden", "5"][..], "--head mlp"),
            (&["--features", "f", "--join", "x"], "--joined-out"),
            (&["--features", "f", "--servers", "a:1"], "exclude each other"),
            (&["--features", "f", "--push"], "--push is for --servers"),
            (&[&SERVERS[..], &["--relabel"]].concat(), "give --push too"),
            (&["--features", "f", "--learning-rate", "0"], "learning rate is 0"),
            (&["--features", "f", "--plan", "auto"], "--plan is for --servers"),
            (&[&SERVERS[..], &["--extractor", "m.onnx"]].concat(), "--extractor without --plan"),
            (&[&SERVERS[..], &["--inference-workers", "2"]].concat(), "--inference-workers without --plan"),
            (&[&SERVERS[..], &["--plan", "p", "--device", "cuda:1"]].concat(), "--device cuda:1 without --extractor"),
            (&["--features", "f", "--device", "tensorrt"], "--device tensorrt without --extractor"),
            (&[&SERVERS[..], &["--join", "x", "--joined-out", "y", "--device", "cuda"]].concat(), "without --plan"),
            (
                &[&SERVERS[..], &["--plan", "p", "--extractor", "x", "--device", "cuda", "--precision", "fp16"]]
                    .concat(),
                "--precision fp16: precision fp16 is of --device tensorrt",
            ),
            (&[&SERVERS[..], &["--plan", "p", "--profile-seconds", "2"]].concat(), "without --plan auto"),
            (&["--servers", "a:1"], "nothing to learn from"),
            (&[], "nothing to learn from"),
        ] {
            let error = fine_tune(arguments).check().unwrap_err().to_string();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }
}
