//! The canonical form of a recipe: one text for one meaning.

use std::fmt::Write;

use super::{DecodeMode, Geometry, Normalize, Orientation, Stages, TensorScale};
use crate::digest::Digest;
use crate::framing::Size;

pub(super) fn digest(stages: &Stages) -> Digest {
    Digest::of(text(stages).as_bytes())
}

/// Stages as TOML, every field present, in the grammar's order; floats as the shortest text that reads back the same.
pub(super) fn text(stages: &Stages) -> String {
    let mut out = String::new();
    let mut stage = |op: &str, fields: &[(&str, String)]| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n[[stage]]\nop = \"{op}\"");
        for (name, value) in fields {
            let _ = writeln!(out, "{name} = {value}");
        }
    };
    let orientation = match stages.orientation {
        Orientation::Stored => "\"stored\"",
        Orientation::Exif => "\"exif\"",
    };
    let decode = match stages.decode {
        DecodeMode::Exact => "\"exact\"",
        DecodeMode::Fast => "\"fast\"",
    };
    stage("decode", &[("orientation", orientation.to_owned()), ("decode", decode.to_owned())]);
    let side = |size: Size| ("size", format!("[{}, {}]", size.height, size.width));
    match stages.geometry {
        Geometry::RandomResizedCrop { size, scale, ratio } => {
            let pair = |pair: [f64; 2]| format!("[{:?}, {:?}]", pair[0], pair[1]);
            stage("random-resized-crop", &[side(size), ("scale", pair(scale)), ("ratio", pair(ratio))]);
        }
        Geometry::ResizeThenCenterCrop { shorter, size } => {
            stage("resize", &[("size", shorter.to_string())]);
            stage("center-crop", &[side(size)]);
        }
        Geometry::CenterCropThenResize { fraction, size } => {
            stage("center-crop", &[("fraction", format!("{fraction:?}"))]);
            stage("resize", &[side(size)]);
        }
        Geometry::Resize { size } => stage("resize", &[side(size)]),
    }
    if let Some(p) = stages.flip {
        stage("random-horizontal-flip", &[("p", format!("{p:?}"))]);
    }
    let scale = match stages.scale {
        TensorScale::Unit => "\"unit\"",
        TensorScale::Byte => "\"byte\"",
    };
    stage("to-tensor", &[("scale", scale.to_owned())]);
    if let Some(Normalize { mean, std }) = stages.normalize {
        let triple = |v: [f32; 3]| format!("[{:?}, {:?}, {:?}]", v[0], v[1], v[2]);
        stage("normalize", &[("mean", triple(mean)), ("std", triple(std))]);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;

    #[test]
    fn the_canonical_form_reads_back_as_the_same_recipe() {
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
        }
    }

    #[test]
    fn defaults_and_names_do_not_change_the_digest() {
        let short = "name='a'\n[[stage]]\nop='decode'\n[[stage]]\nop='resize'\nsize=[8,9]\n[[stage]]\nop='to-tensor'\n";
        let long = "name='b'\n[[stage]]\nop='decode'\norientation='stored'\ndecode='exact'\n[[stage]]\nop='resize'\nsize=[8,9]\n\
                    interpolation='bilinear'\n[[stage]]\nop='to-tensor'\nscale='unit'\n";
        let (short, long) = (Recipe::from_toml(short).unwrap(), Recipe::from_toml(long).unwrap());
        assert_eq!(short.digest(), long.digest());
        let other = Recipe::from_toml(&short.to_toml().replace("[8, 9]", "[9, 8]")).unwrap();
        assert_ne!(short.digest(), other.digest());
    }
}
