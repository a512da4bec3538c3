//! How a model is named on the command line: `NAME=FILE.onnx,recipe=R[,output=O][,classes=FILE][,layout=L][,input=T]`.

use std::path::PathBuf;
use std::str::FromStr;

use headwater_onnx::{InputSettings, OnnxError};
use headwater_types::ModelName;
use headwater_types::ids::NameError;

/// A model to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelSpec {
    /// The name by which requests ask for the model.
    pub name: ModelName,
    /// The ONNX file.
    pub path: PathBuf,
    /// The recipe that makes the model's input: the name of a built-in one, or the path of a TOML file.
    pub recipe: String,
    /// The output to take; `None` for `features` where there is one, else the only output.
    pub output: Option<String>,
    /// A file with the names of the model's classes, one on each line, for labels; `None` for the names that the
    /// model's own file has, if it has any.
    pub classes: Option<PathBuf>,
    /// What the file leaves open about its input.
    pub input: InputSettings,
}

/// Why a text names no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelSpecError {
    /// The text has no `NAME=` before the file.
    #[error("{0:?} does not say what the model is called: write NAME=FILE.onnx,recipe=R[,output=O][,classes=FILE]")]
    NoName(String),
    /// The text of a head has no `NAME=` before the file.
    #[error("{0:?} does not say what the head is called: write NAME=FILE.onnx")]
    HeadNoName(String),
    /// The text of a head has nothing after `NAME=`.
    #[error("head {0} has no file: write {0}=FILE.onnx")]
    HeadNoFile(ModelName),
    /// The name has characters that names may not have.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The text has nothing between `NAME=` and the first comma.
    #[error("model {0} has no file: write {0}=FILE.onnx,recipe=R[,output=O][,classes=FILE]")]
    NoFile(ModelName),
    /// The text has no `recipe=`.
    #[error("model {0} has no recipe: add ,recipe=NAME or ,recipe=FILE.toml")]
    NoRecipe(ModelName),
    /// The text has a setting that models do not have.
    #[error(
        "model {name} has no setting {setting:?}: there are recipe=R, output=O, classes=FILE, layout=nchw|nhwc and \
         input=float32|float16|uint8, separated by commas"
    )]
    UnknownSetting {
        /// The model.
        name: ModelName,
        /// The unknown setting.
        setting: String,
    },
    /// A setting of the input has a value that there is not.
    #[error("model {name}: {source}")]
    Input {
        /// The model.
        name: ModelName,
        /// What is wrong.
        source: OnnxError,
    },
    /// A setting was given twice or left empty.
    #[error("model {name} must give {setting} once, with a value")]
    BadSetting {
        /// The model.
        name: ModelName,
        /// The setting.
        setting: &'static str,
    },
}

// === impl ModelSpec ===

impl FromStr for ModelSpec {
    type Err = ModelSpecError;

    fn from_str(text: &str) -> Result<Self, ModelSpecError> {
        let (name, rest) = text.split_once('=').ok_or_else(|| ModelSpecError::NoName(text.to_owned()))?;
        // `FILE.onnx,recipe=R` has an `=` too, and no name before it.
        if name.contains(',') {
            return Err(ModelSpecError::NoName(text.to_owned()));
        }
        let name: ModelName = name.parse()?;
        let mut parts = rest.split(',');
        let path = parts.next().filter(|path| !path.is_empty()).ok_or_else(|| ModelSpecError::NoFile(name.clone()))?;
        let (mut recipe, mut output, mut classes, mut layout, mut element) = (None, None, None, None, None);
        for part in parts {
            let (slot, setting, value) = match part.split_once('=') {
                Some(("recipe", value)) => (&mut recipe, "recipe", value),
                Some(("output", value)) => (&mut output, "output", value),
                Some(("classes", value)) => (&mut classes, "classes", value),
                Some(("layout", value)) => (&mut layout, "layout", value),
                Some(("input", value)) => (&mut element, "input", value),
                _ => return Err(ModelSpecError::UnknownSetting { name, setting: part.to_owned() }),
            };
            if value.is_empty() || slot.replace(value.to_owned()).is_some() {
                return Err(ModelSpecError::BadSetting { name, setting });
            }
        }
        let recipe = recipe.ok_or_else(|| ModelSpecError::NoRecipe(name.clone()))?;
        let input = InputSettings::parse(layout.as_deref(), element.as_deref())
            .map_err(|source| ModelSpecError::Input { name: name.clone(), source })?;
        Ok(Self { name, path: path.into(), recipe, output, classes: classes.map(PathBuf::from), input })
    }
}

#[cfg(test)]
mod tests {
    use headwater_onnx::{InputElement, Layout};

    use super::*;

    fn message(text: &str) -> String {
        text.parse::<ModelSpec>().unwrap_err().to_string()
    }

    #[test]
    fn a_model_is_read_in_any_order_of_its_settings() {
        for text in
            ["mnv2=a/b.onnx,recipe=mobilenet-eval,output=pool", "mnv2=a/b.onnx,output=pool,recipe=mobilenet-eval"]
        {
            let spec: ModelSpec = text.parse().unwrap();
            assert_eq!((spec.name.as_str(), spec.recipe.as_str()), ("mnv2", "mobilenet-eval"));
            assert_eq!((spec.path, spec.output.as_deref()), (PathBuf::from("a/b.onnx"), Some("pool")));
        }
        let spec = |text: &str| text.parse::<ModelSpec>().unwrap();
        assert_eq!((spec("m=f.onnx,recipe=r.toml").output, spec("m=f.onnx,recipe=r").classes), (None, None));
        assert_eq!(spec("m=f.onnx,recipe=r,classes=c.txt").classes, Some(PathBuf::from("c.txt")));
        let input = spec("m=f.onnx,input=uint8,recipe=r,layout=nhwc").input;
        let (layout, element) = (Some(Layout::ChannelsLast), Some(InputElement::Uint8));
        assert_eq!(input, InputSettings { layout, element });
    }

    #[test]
    fn each_mistake_is_named_with_its_remedy() {
        assert!(message("model.onnx").contains("write NAME=FILE.onnx,recipe=R"));
        assert!(message("model.onnx,recipe=r").contains("write NAME=FILE.onnx,recipe=R"));
        assert!(message("a b=model.onnx,recipe=r").contains("is not a model name"));
        assert!(message("m=,recipe=r").contains("write m=FILE.onnx"));
        assert!(message("m=f.onnx").contains("add ,recipe=NAME"));
        assert!(message("m=f.onnx,receipt=r").contains("no setting \"receipt=r\""));
        assert!(message("m=f.onnx,recipe=r,recipe=s").contains("must give recipe once"));
        assert!(message("m=f.onnx,recipe=").contains("must give recipe once"));
        assert!(message("m=f.onnx,recipe=r,layout=hwc").contains("model m: layout=hwc is none: there are nchw, nhwc"));
        assert!(message("m=f.onnx,recipe=r,input=uint8,input=uint8").contains("must give input once"));
    }
}
