//! How a head is named on the command line: `NAME=FILE.onnx`.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use headwater_onnx::ModelFacts;
use headwater_onnx::head::{EXTRACTOR_KEY, RECIPE_KEY};
use headwater_types::{Digest, ModelName};

use super::error::ClassifierError;
use crate::extractor::Extractor;
use crate::spec::ModelSpecError;

/// A head to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadSpec {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// The ONNX file.
    pub path: PathBuf,
}

// === impl HeadSpec ===

impl HeadSpec {
    /// The extractor of whose features the head says that it was trained on them.
    pub(super) fn extractor_of(
        &self,
        facts: &ModelFacts,
        extractors: impl Iterator<Item = Arc<Extractor>>,
    ) -> Result<Arc<Extractor>, ClassifierError> {
        let said = |key: &'static str| -> Result<Digest, ClassifierError> {
            let value = facts.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.parse());
            value.and_then(Result::ok).ok_or(ClassifierError::NotAHead { name: self.name.clone(), key })
        };
        let (wanted, recipe) = (said(EXTRACTOR_KEY)?, said(RECIPE_KEY)?);
        let extractors: Vec<_> = extractors.collect();
        let fits = |extractor: &&Arc<Extractor>| extractor.digest() == wanted && extractor.recipe().digest() == recipe;
        extractors.iter().find(fits).cloned().ok_or_else(|| {
            let names: Vec<_> = extractors.iter().map(|extractor| extractor.name().as_str()).collect();
            ClassifierError::OtherExtractor { name: self.name.clone(), wanted, registered: names.join(", ") }
        })
    }
}

impl FromStr for HeadSpec {
    type Err = ModelSpecError;

    fn from_str(text: &str) -> Result<Self, ModelSpecError> {
        let (name, path) = text.split_once('=').ok_or_else(|| ModelSpecError::HeadNoName(text.to_owned()))?;
        let name: ModelName = name.parse()?;
        match path {
            "" => Err(ModelSpecError::HeadNoFile(name)),
            path => Ok(Self { name, path: path.into() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_name_and_a_file() {
        let spec: HeadSpec = "cats=a/head=1.onnx".parse().unwrap();
        assert_eq!((spec.name.as_str(), spec.path), ("cats", PathBuf::from("a/head=1.onnx")));
        let message = |text: &str| text.parse::<HeadSpec>().unwrap_err().to_string();
        assert!(message("head.onnx").contains("write NAME=FILE.onnx"));
        assert!(message("cats=").contains("write cats=FILE.onnx"));
        assert!(message("a b=head.onnx").contains("is not a model name"));
    }
}
