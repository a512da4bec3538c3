//! What is known of a sample's bytes at a way before they travel.

use headwater_types::recipe::DecodeMode;
use headwater_types::{Form, PixelCoding, Way};

use crate::survey::SurveyedPhoto;
use crate::target::Target;

/// The bytes of a photo at a way, where they follow from its header.
pub(super) fn exact(target: Target<'_>, photo: &SurveyedPhoto, way: Way) -> Option<u64> {
    let recipe = target.recipe();
    let output = recipe.output_size().pixels();
    let (header, raw) = (photo.header, way.pixels() == PixelCoding::Raw);
    match way.cut().form() {
        Form::Stored => Some(photo.stored),
        // Only a JPEG can be cropped as one: other photos come as they are stored.
        Form::Crop => header.filter(|header| !header.jpeg).map(|_| photo.stored),
        Form::Photo => {
            let exact = raw && recipe.stages().decode == DecodeMode::Exact;
            header.filter(|_| exact).map(|header| 3 * header.size.pixels())
        }
        Form::Pixels => raw.then_some(3 * output),
        Form::Floats => Some(12 * output),
        Form::Features => target.model().map(|model| 4 * u64::from(model.feature_len)),
    }
}

/// The most bytes of a photo at a way: pixels that coding does not make smaller travel raw.
pub(super) fn most(target: Target<'_>, photo: &SurveyedPhoto, way: Way) -> u64 {
    match way.cut().form() {
        Form::Photo => photo.header.map_or(u64::MAX, |header| 3 * header.size.pixels()),
        Form::Pixels => 3 * target.recipe().output_size().pixels(),
        Form::Stored | Form::Crop | Form::Floats | Form::Features => u64::MAX,
    }
}
