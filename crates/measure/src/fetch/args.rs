//! The arguments of `profiler fetch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::{FailureArgs, values};
use headwater_types::{Cut, Form, ModelName, PixelCoding, shown};

use super::indices::IndexSet;
use crate::served::{ClientArgs, ServedArgs};

const EXAMPLES: &str = "\
Examples:
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut encoded --out samples/
  profiler fetch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe mine.toml --cut decoded --seed 1 --epoch 3 \\
      --indices 0-99,500 --out samples/
  profiler fetch --servers node1:7440 --dataset photos \\
      --cut features --model mobilenet --out features/
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut jpeg-crop --wire-bytes --out samples/
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut flipped --pixels lossless \\
      --wire-bytes --out samples/
  profiler fetch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --plan photos.plan --out samples/

Whatever the cut, and however it travels, the tensors are the same, to
the bit.
DIR/<index>.npy     the finished tensor, f32 [3, height, width];
                    at the cut features the vector, f32 [d]
DIR/samples.jsonl   a line for each sample: index, key, label, width,
                    height, box, flip, error; with --fields an
                    object of them, fields; and with --wire-bytes
                    wire_bytes, wire_cut, coding
standard output     a summary; JSON with --json

Ctrl-C, SIGTERM and a closed terminal keep what has come: see samples.jsonl.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) served: ServedArgs,

    /// What is done to the photos: a recipe in the box, or a TOML file (not needed with --model)
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) recipe: Option<String>,

    #[arg(long, value_name = "CUT", help = format!("How far the servers go: {}", shown::listed(Cut::ALL, "or")))]
    pub(crate) cut: Option<Cut>,

    /// Go by a plan, sample by sample: a file, or auto, which profiles a little, plans, and plans anew on the way
    #[arg(long, value_name = "FILE|auto")]
    pub(crate) plan: Option<PathBuf>,

    /// Time that --plan auto may take to measure, in seconds. A job that is too short for that is not planned: photos
    /// come as they are stored [default: a twentieth of what the job is estimated to take]
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) profile_seconds: Option<Duration>,

    /// How the pixels of u8 cuts travel: raw, or lossless (fewer bytes, for some CPU on both sides)
    #[arg(long, value_name = "CODING", default_value_t = PixelCoding::Raw)]
    pub(crate) pixels: PixelCoding,

    /// Have the cuts tensor and normalized travel as f32, and not as the u8 pixels from which they are made here
    #[arg(long)]
    pub(crate) wire_floats: bool,

    /// Say of each sample how many bytes it took on the wire, and as what
    #[arg(long)]
    pub(crate) wire_bytes: bool,

    /// Fields of the dataset, such as captions, that are listed with each sample; null where a sample has none, or a
    /// number that JSON does not have
    #[arg(long, env = "HEADWATER_FETCH_FIELDS", value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,

    /// The model, for the cut features
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<ModelName>,

    /// Take features that are not finite (NaN or an infinity) too, where without this their samples fail
    #[arg(long)]
    pub(crate) allow_non_finite: bool,

    /// The run's seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// The pass over the dataset
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) epoch: u64,

    /// Which samples: 0-99, 5 or 1,5,10-20 [default: all]
    #[arg(long, value_name = "INDICES")]
    pub(crate) indices: Option<IndexSet>,

    /// The folder to write to; files of the same name are replaced
    #[arg(long, env = "HEADWATER_FETCH_OUT", value_name = "DIR")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) failures: FailureArgs,

    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

// === impl FetchArgs ===

impl FetchArgs {
    /// Whether the arguments fit together: clap sees only those that are flags.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match self.cut {
            Some(_) if self.plan.is_some() => return wrong("--plan says how each sample is cut: leave --cut out"),
            None if self.plan.is_some() && self.model.is_some() => {
                return wrong(
                    "--plan is of a recipe's tensors: leave --model out; tuner extract --plan is of features",
                );
            }
            None if self.plan.is_some() && self.pixels == PixelCoding::Lossless => {
                return wrong("--plan says how the pixels of each sample travel: leave --pixels out");
            }
            Some(cut) if self.wire_floats && cut.form() != Form::Floats => {
                return Err(UsageError(format!(
                    "--wire-floats is of the cuts tensor and normalized: {cut} has no floats; leave it out"
                )));
            }
            Some(cut)
                if self.pixels == PixelCoding::Lossless
                    && matches!(cut.form(), Form::Stored | Form::Crop | Form::Features) =>
            {
                return Err(UsageError(format!(
                    "--pixels is of cuts that travel as pixels: {cut} does not; leave it out"
                )));
            }
            _ => {}
        }
        if self.allow_non_finite && self.cut != Some(Cut::Features) {
            return wrong("--allow-non-finite is of the cut features: leave it out");
        }
        if self.profile_seconds.is_some() && self.plan.is_none() {
            return wrong("--profile-seconds is of --plan auto: give that, or leave it out");
        }
        match (&self.plan, self.cut, &self.model) {
            (None, None, _) => wrong("give --cut CUT, or --plan FILE"),
            (None, Some(Cut::Features), None) => wrong("the cut features needs a model: give --model NAME"),
            (None, Some(Cut::Features), Some(_)) => Ok(()),
            (None, Some(cut), Some(_)) if self.recipe.is_some() => Err(UsageError(format!(
                "--recipe and --model both say what is done to the photos, and {cut} is of pixels: give one of the two"
            ))),
            (_, _, None) if self.recipe.is_none() => wrong("give --recipe NAME|FILE: what is done to the photos"),
            _ => Ok(()),
        }
    }
}
