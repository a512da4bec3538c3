//! What a model's file leaves open about its input, said in its metadata.
//!
//! A setting that is given with a file is written into the file's metadata when it is read. So a model that is pushed,
//! kept or joined carries its settings along, and its digest, which is that of the file with the settings in it, tells
//! two of them apart.

use headwater_types::Digest;

use crate::check::ModelFacts;
use crate::error::OnnxError;
use crate::graph::write_metadata;
use crate::layout::Layout;
use crate::schema::{entry, model};
use crate::value::ElementType;
use crate::walk::text_in;
use crate::wire::{Parts, fields};

/// Metadata: the order of the axes of the input, `nchw` or `nhwc`.
pub const LAYOUT_KEY: &str = "headwater.layout";
/// Metadata: the type of the input's elements, `float32`, `float16` or `uint8`.
pub const INPUT_KEY: &str = "headwater.input";

/// Settings of a model's input; all of them may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputSettings {
    /// On which axis the colours are.
    pub layout: Option<Layout>,
    /// The type of its elements. `uint8` says that the model takes a photo's pixels as they are before `normalize`.
    pub element: Option<InputElement>,
}

/// Type of the elements of an image that a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputElement {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary16.
    Float16,
    /// A byte: pixels, 0 to 255.
    Uint8,
}

// === impl InputElement ===

impl InputElement {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Float32, Self::Float16, Self::Uint8];

    /// What the type is called in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Float32 => "float32",
            Self::Float16 => "float16",
            Self::Uint8 => "uint8",
        }
    }

    /// ONNX's type.
    pub const fn element(self) -> ElementType {
        match self {
            Self::Float32 => ElementType::FLOAT32,
            Self::Float16 => ElementType::FLOAT16,
            Self::Uint8 => ElementType::UINT8,
        }
    }
}

// === impl InputSettings ===

impl InputSettings {
    /// Reads the values of the settings `layout` and `input`.
    ///
    /// # Errors
    /// `UnknownSetting`: a value that there is not.
    pub fn parse(layout: Option<&str>, input: Option<&str>) -> Result<Self, OnnxError> {
        let layout = layout.map(|value| choose("layout", value, &Layout::ALL, Layout::name));
        let element = input.map(|value| choose("input", value, &InputElement::ALL, InputElement::name));
        Ok(Self { layout: layout.transpose()?, element: element.transpose()? })
    }

    /// The settings that a model carries in its metadata.
    ///
    /// # Errors
    /// `UnknownSetting`: a value that there is not.
    pub fn of(facts: &ModelFacts) -> Result<Self, OnnxError> {
        let value =
            |key: &str| facts.metadata.iter().rev().find(|(known, _)| known == key).map(|(_, value)| &value[..]);
        Self::parse(value(LAYOUT_KEY), value(INPUT_KEY))
    }

    /// The model with these settings in its metadata, in the place of others that it has. Without settings it comes
    /// back byte for byte.
    ///
    /// # Errors
    /// `Malformed` for what is no model.
    pub fn written_into(self, file: Vec<u8>) -> Result<Vec<u8>, OnnxError> {
        let layout = self.layout.map(|layout| (LAYOUT_KEY, layout.name()));
        let element = self.element.map(|element| (INPUT_KEY, element.name()));
        let written: Vec<_> = layout.into_iter().chain(element).collect();
        if written.is_empty() {
            return Ok(file);
        }
        let mut out = Parts::default();
        for field in fields(&file) {
            let field = field?;
            let is_replaced = |key: &str| written.iter().any(|(replaced, _)| *replaced == key);
            if field.number != model::METADATA || !is_replaced(text_in(field.bytes()?, entry::KEY)?) {
                out.carry(&field);
            }
        }
        out.write(|out| written.iter().for_each(|(key, value)| write_metadata(out, key, value)));
        Ok(out.finish())
    }

    /// The settings with which this file is the model of this digest, and that model; `None` where no settings make it
    /// that. Whoever has a file, and knows of a model only its digest, need not be told the settings.
    pub fn behind(file: Vec<u8>, digest: Digest) -> Option<(Self, Vec<u8>)> {
        if Digest::of(&file) == digest {
            return Some((Self::default(), file));
        }
        let all = || Layout::ALL.map(Some).into_iter().chain([None]);
        let every =
            all().flat_map(|layout| InputElement::ALL.map(Some).into_iter().chain([None]).map(move |e| (layout, e)));
        every.map(|(layout, element)| Self { layout, element }).find_map(|settings| {
            let written = settings.written_into(file.clone()).ok()?;
            (Digest::of(&written) == digest).then_some((settings, written))
        })
    }
}

/// The value that is called so.
fn choose<T: Copy>(setting: &'static str, value: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T, OnnxError> {
    all.iter().copied().find(|one| name(*one) == value).ok_or_else(|| OnnxError::UnknownSetting {
        setting,
        value: value.chars().take(64).collect(),
        known: all.iter().copied().map(name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::GraphBuilder;
    use crate::{Limits, check};

    fn model() -> Vec<u8> {
        GraphBuilder::new("input").relu("y", "x").metadata("origin", "test").finish()
    }

    fn nhwc() -> InputSettings {
        InputSettings { layout: Some(Layout::ChannelsLast), ..InputSettings::default() }
    }

    #[test]
    fn settings_travel_in_the_file_and_make_another_model_of_it() {
        let file = model();
        assert_eq!(InputSettings::default().written_into(file.clone()).unwrap(), file);
        let written = nhwc().written_into(file.clone()).unwrap();
        let facts = check(&written, &Limits::default()).unwrap();
        assert_eq!(InputSettings::of(&facts).unwrap(), nhwc());
        assert_eq!(facts.metadata[0], ("origin".to_owned(), "test".to_owned()));
        assert_eq!(nhwc().written_into(written.clone()).unwrap(), written, "once is enough");
        let both = InputSettings { element: Some(InputElement::Uint8), ..nhwc() };
        let first = InputSettings { layout: Some(Layout::ChannelsFirst), ..both };
        let replaced = first.written_into(both.written_into(written.clone()).unwrap()).unwrap();
        assert_eq!(InputSettings::of(&check(&replaced, &Limits::default()).unwrap()).unwrap(), first);
        assert_eq!(replaced, first.written_into(file).unwrap());
    }

    #[test]
    fn the_settings_behind_a_digest_are_found() {
        let (file, both) = (model(), InputSettings { element: Some(InputElement::Uint8), ..nhwc() });
        for settings in [InputSettings::default(), nhwc(), both] {
            let written = settings.written_into(file.clone()).unwrap();
            assert_eq!(InputSettings::behind(file.clone(), Digest::of(&written)), Some((settings, written)));
        }
        assert_eq!(InputSettings::behind(file, Digest::of(b"another")), None);
    }

    #[test]
    fn a_value_that_there_is_not_is_named_with_those_that_there_are() {
        let error = InputSettings::parse(Some("hwc"), None).unwrap_err().to_string();
        assert_eq!(error, "layout=hwc is none: there are nchw, nhwc");
        let error = InputSettings::parse(None, Some("int8")).unwrap_err().to_string();
        assert_eq!(error, "input=int8 is none: there are float32, float16, uint8");
        let file = GraphBuilder::new("input").metadata(LAYOUT_KEY, "hwc").finish();
        assert!(InputSettings::of(&check(&file, &Limits::default()).unwrap()).is_err());
    }
}
