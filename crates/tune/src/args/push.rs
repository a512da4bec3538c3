//! The arguments of `tuner push` and `tuner rollback`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use headwater_cli::user_cache;
use headwater_cli::values::period;
use headwater_onnx::{InputSettings, OnnxError};
use headwater_types::{ModelName, NameError};

use super::reach::ReachArgs;

/// Send a model to the servers, and have it serve there
///
/// Each server gets what is fewest bytes for it: nothing where it has the file, the difference from a version that both
/// ends have, or the whole file. A push that was cut off goes on where it was. What came is checked before it is kept,
/// and opened and run before it serves; calls under way end with the model with which they began. A server that is
/// away catches up when it comes back, where others name it (--models-from of storage-server).
#[derive(Clone, Debug, Args)]
#[command(after_help = PUSH_HELP)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// The model or head and its name on the servers. The recipe and the output are those of the model that serves by
    /// this name, where they are not given; classes=FILE names its classes, one on each line. layout=nchw|nhwc and
    /// input=float32|float16|uint8 say what its file leaves open about its input. A head that tuner fine-tune has
    /// trained says itself whose features it takes
    #[arg(
        long,
        value_name = "NAME=FILE.onnx[,recipe=R][,output=O][,classes=FILE][,layout=L][,input=T]",
        env = "HEADWATER_PUSH_MODEL",
        help_heading = "Model"
    )]
    pub(crate) model: PushSpec,

    /// Have it serve from now on; without this it is kept, and a push with this needs to send nothing
    #[arg(long, help_heading = "Model")]
    pub(crate) activate: bool,

    #[command(flatten, next_help_heading = "Model")]
    pub(crate) bases: BasesArgs,

    /// Ask servers that do not answer again for so long (30s, 10m, 2h)
    #[arg(long, value_name = "TIME", value_parser = period, help_heading = "Servers")]
    wait_for: Option<Duration>,
}

/// Earlier models, from which differences are made.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BasesArgs {
    /// An earlier version of the model, from which the difference can be made; may be repeated
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) base: Vec<PathBuf>,

    /// Keep what is pushed in this folder, the last sixteen files, so that the next push can send the difference
    /// [default: headwater/bases in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    bases: Option<PathBuf>,
}

/// Have the servers go back to the version before
///
/// No model travels: each server keeps the version that served before. Where the servers would go back to different
/// versions, nothing changes.
#[derive(Clone, Debug, Args)]
#[command(after_help = ROLLBACK_HELP)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// The model's or head's name on the servers
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub(crate) model: ModelName,
}

const PUSH_HELP: &str = "\
Examples:
  tuner push --servers node1:7440,node2:7440 \\
      --model mobilenet=mobilenet.onnx,recipe=mobilenet-eval --activate
  tuner push --servers node1:7440,node2:7440 --model cats=head.onnx \\
      --activate --wait-for 10m
  tuner models --servers node1:7440,node2:7440";

const ROLLBACK_HELP: &str = "\
Examples:
  tuner rollback --servers node1:7440,node2:7440 --model mobilenet";

/// A model that is to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PushSpec {
    pub(crate) name: ModelName,
    pub(crate) path: PathBuf,
    pub(crate) recipe: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) classes: Option<PathBuf>,
    pub(crate) input: InputSettings,
}

/// Why a text names no model to push.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PushSpecError {
    #[error("{0:?} does not say what the model is called: write NAME=FILE.onnx[,recipe=R][,output=O][,classes=FILE]")]
    NoName(String),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("model {0} has no file: write {0}=FILE.onnx")]
    NoFile(ModelName),
    #[error(
        "model {0} has no setting {1:?}: there are recipe=R, output=O, classes=FILE, layout=nchw|nhwc and \
         input=float32|float16|uint8, each once and not empty"
    )]
    Setting(ModelName, String),
    #[error("model {0}: {1}")]
    Input(ModelName, OnnxError),
}

// === impl PushArgs ===

impl PushArgs {
    /// How long servers are asked again that do not answer.
    pub(crate) fn wait(&self) -> Duration {
        self.wait_for.unwrap_or_default()
    }
}

// === impl BasesArgs ===

impl BasesArgs {
    /// The folder of what was pushed before; `None` for a user without a home.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        self.bases.clone().or_else(|| Some(user_cache()?.join("bases")))
    }
}

// === impl PushSpec ===

impl FromStr for PushSpec {
    type Err = PushSpecError;

    fn from_str(text: &str) -> Result<Self, PushSpecError> {
        let (name, rest) = text.split_once('=').ok_or_else(|| PushSpecError::NoName(text.to_owned()))?;
        // `FILE.onnx,recipe=R` has an `=` too, and no name before it.
        if name.contains(',') {
            return Err(PushSpecError::NoName(text.to_owned()));
        }
        let name: ModelName = name.parse()?;
        let mut parts = rest.split(',');
        let path = parts.next().filter(|path| !path.is_empty()).ok_or_else(|| PushSpecError::NoFile(name.clone()))?;
        let (mut recipe, mut output, mut classes, mut layout, mut element) = (None, None, None, None, None);
        for part in parts {
            let (slot, value) = match part.split_once('=') {
                Some(("recipe", value)) => (&mut recipe, value),
                Some(("output", value)) => (&mut output, value),
                Some(("classes", value)) => (&mut classes, value),
                Some(("layout", value)) => (&mut layout, value),
                Some(("input", value)) => (&mut element, value),
                _ => return Err(PushSpecError::Setting(name, part.to_owned())),
            };
            if value.is_empty() || slot.replace(value.to_owned()).is_some() {
                return Err(PushSpecError::Setting(name, part.to_owned()));
            }
        }
        let input = InputSettings::parse(layout.as_deref(), element.as_deref())
            .map_err(|error| PushSpecError::Input(name.clone(), error))?;
        Ok(Self { name, path: path.into(), recipe, output, classes: classes.map(PathBuf::from), input })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_in_any_order_of_its_settings_and_each_mistake_is_named() {
        let spec: PushSpec = "m=a/b.onnx,classes=c.txt,recipe=r.toml,output=o".parse().unwrap();
        assert_eq!((spec.name.as_str(), spec.path), ("m", PathBuf::from("a/b.onnx")));
        assert_eq!((spec.recipe.as_deref(), spec.output.as_deref()), (Some("r.toml"), Some("o")));
        assert_eq!((spec.classes, spec.input), (Some(PathBuf::from("c.txt")), InputSettings::default()));
        let spec: PushSpec = "m=b.onnx,layout=nhwc,input=uint8".parse().unwrap();
        assert_eq!(spec.input, InputSettings::parse(Some("nhwc"), Some("uint8")).unwrap());
        let message = |text: &str| text.parse::<PushSpec>().unwrap_err().to_string();
        assert!(message("m.onnx").contains("write NAME=FILE.onnx"));
        assert!(message("m.onnx,recipe=r").contains("write NAME=FILE.onnx"));
        assert!(message("a b=m.onnx").contains("is not a model name"));
        assert!(message("m=").contains("write m=FILE.onnx"));
        assert!(message("m=f,layout=hwc").contains("there are nchw, nhwc"));
        for wrong in ["m=f,receipt=r", "m=f,recipe=", "m=f,recipe=r,recipe=s"] {
            assert!(message(wrong).contains("each once and not empty"), "{wrong}");
        }
    }
}
