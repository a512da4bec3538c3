//! The canonical form of a recipe: one text for one meaning.

use std::fmt::Write;

use super::stages::{DecodeMode, Geometry, Interpolation, Normalize, Orientation, Stages, Steps, TensorScale};
use crate::area::Size;
use crate::digest::Digest;

pub(super) fn digest(stages: &Stages) -> Digest {
    Digest::of(text(stages).as_bytes())
}

/// Stages as TOML, every field present, in the grammar's order; floats as the shortest text that reads back the same.
/// What recipes could not choose from the start is spelt out only where it is not its default, so that the digest of a
/// recipe which does not choose it stays what it was.
pub(super) fn text(stages: &Stages) -> String {
    let mut text = Text(String::new());
    text.decode(stages.orientation, stages.decode);
    text.geometry(stages.geometry, stages.interpolation);
    if let Some(p) = stages.flip {
        text.stage("random-horizontal-flip", &[("p", format!("{p:?}"))]);
    }
    text.tensor(stages.scale);
    if let Some(Normalize { mean, std }) = stages.normalize {
        let triple = |v: [f32; 3]| format!("[{:?}, {:?}, {:?}]", v[0], v[1], v[2]);
        text.stage("normalize", &[("mean", triple(mean)), ("std", triple(std))]);
    }
    text.0
}

/// The text of the stages so far.
struct Text(String);

/// A key and its value.
type Field = (&'static str, String);

// === impl Text ===

impl Text {
    fn stage(&mut self, op: &str, fields: &[Field]) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "\n[[stage]]\nop = \"{op}\"");
        for (name, value) in fields {
            let _ = writeln!(self.0, "{name} = {value}");
        }
    }

    fn decode(&mut self, orientation: Orientation, decode: DecodeMode) {
        let orientation = match orientation {
            Orientation::Stored => "\"stored\"",
            Orientation::Exif => "\"exif\"",
        };
        let decode = match decode {
            DecodeMode::Exact => "\"exact\"",
            DecodeMode::Fast => "\"fast\"",
        };
        self.stage("decode", &[("orientation", orientation.to_owned()), ("decode", decode.to_owned())]);
    }

    fn geometry(&mut self, geometry: Geometry, interpolation: Interpolation) {
        let interpolation: &[Field] = match interpolation {
            Interpolation::Bilinear => &[],
            Interpolation::Bicubic => &[("interpolation", "\"bicubic\"".to_owned())],
        };
        match geometry {
            Geometry::RandomResizedCrop { size, scale, ratio } => {
                let fields = [side(size), ("scale", pair(scale)), ("ratio", pair(ratio))];
                self.stage("random-resized-crop", &[&fields, interpolation].concat());
            }
            Geometry::ResizeThenCenterCrop { shorter, size, steps } => {
                self.stage("resize", &[&[("size", shorter.to_string())], interpolation].concat());
                let steps: &[Field] = match steps {
                    Steps::One => &[],
                    Steps::Two => &[("exact", "\"two-step\"".to_owned())],
                };
                self.stage("center-crop", &[&[side(size)], steps].concat());
            }
            Geometry::CenterCropThenResize { fraction, size } => {
                self.stage("center-crop", &[("fraction", format!("{fraction:?}"))]);
                self.stage("resize", &[&[side(size)], interpolation].concat());
            }
            Geometry::Resize { size } => self.stage("resize", &[&[side(size)], interpolation].concat()),
        }
    }

    fn tensor(&mut self, scale: TensorScale) {
        let scale = match scale {
            TensorScale::Unit => "\"unit\"",
            TensorScale::Byte => "\"byte\"",
        };
        self.stage("to-tensor", &[("scale", scale.to_owned())]);
    }
}

fn side(size: Size) -> Field {
    ("size", format!("[{}, {}]", size.height, size.width))
}

fn pair(pair: [f64; 2]) -> String {
    format!("[{:?}, {:?}]", pair[0], pair[1])
}

#[cfg(test)]
mod tests {
    use crate::recipe::{Geometry, Interpolation, Recipe, Steps};

    /// Every way to a fixed size, with `{}` behind the keys of the stage that resizes.
    const GEOMETRIES: [&str; 4] = [
        "[[stage]]\nop='random-resized-crop'\nsize=32\n{}",
        "[[stage]]\nop='resize'\nsize=256\n{}[[stage]]\nop='center-crop'\nsize=[224, 200]\n",
        "[[stage]]\nop='center-crop'\nfraction=0.875\n[[stage]]\nop='resize'\nsize=224\n{}",
        "[[stage]]\nop='resize'\nsize=[10, 20]\n{}",
    ];

    /// The second of them, in as many steps.
    const TWO_STEPS: &str =
        "[[stage]]\nop='resize'\nsize=256\n{}[[stage]]\nop='center-crop'\nsize=[224, 200]\nexact='{steps}-step'\n";

    fn recipe(geometry: &str, keys: &str) -> Recipe {
        let geometry = geometry.replace("{}", keys);
        Recipe::from_toml(&format!("name='x'\n[[stage]]\nop='decode'\n{geometry}[[stage]]\nop='to-tensor'\n")).unwrap()
    }

    #[test]
    fn the_canonical_form_reads_back_as_the_same_recipe() {
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            assert_eq!(Recipe::from_toml(&recipe.to_toml()).unwrap(), recipe);
        }
        for geometry in GEOMETRIES {
            let bicubic = recipe(geometry, "interpolation='bicubic'\n");
            assert_eq!(bicubic.stages().interpolation, Interpolation::Bicubic);
            assert_eq!(Recipe::from_toml(&bicubic.to_toml()).unwrap(), bicubic);
        }
        for keys in ["", "interpolation='bicubic'\n"] {
            let two = recipe(&TWO_STEPS.replace("{steps}", "two"), keys);
            assert!(matches!(two.stages().geometry, Geometry::ResizeThenCenterCrop { steps: Steps::Two, .. }));
            assert_eq!(Recipe::from_toml(&two.to_toml()).unwrap(), two);
        }
    }

    /// Plans, features and heads are kept under them.
    #[test]
    fn digests_are_what_they_were_before_there_was_a_choice_of_interpolation_or_steps() {
        for (name, digest) in [
            ("imagenet-train", "3eb66a3277b0d7966e43e04dc58d2dd875a8f5ba978363352cb17768acd7b00a"),
            ("imagenet-train-fast", "fe2732d10996a84d2d9c39da9ddc0cde731490ff16bc7070885900ca3f56d946"),
            ("imagenet-eval", "c772eaff4e0a025191b7b06820c963397ccd6c417909c200f732014c175572ef"),
            ("mobilenet-eval", "da2e60587f618e8a5195c3c76068b57855e0d4c2c7bed9103296117c5af951e4"),
        ] {
            assert_eq!(Recipe::builtin(name).unwrap().digest().to_string(), digest, "{name}");
        }
        let resize = "[[stage]]\nop='resize'\nsize=[8, 9]\n{}";
        let digest = "b6a760788bc6d647517a8cf460db4a7b1ac64368df250657334f4d74a16e1a71";
        assert_eq!(recipe(resize, "").digest().to_string(), digest);
        for geometry in GEOMETRIES {
            let default = recipe(geometry, "").digest();
            assert_eq!(recipe(geometry, "interpolation='bilinear'\n").digest(), default, "{geometry}");
            assert_ne!(recipe(geometry, "interpolation='bicubic'\n").digest(), default, "{geometry}");
        }
        let [one, two] = ["one", "two"].map(|steps| recipe(&TWO_STEPS.replace("{steps}", steps), "").digest());
        assert_eq!(one, recipe(GEOMETRIES[1], "").digest());
        assert_ne!(two, one);
    }

    #[test]
    fn defaults_and_names_do_not_change_the_digest() {
        let short = "name='a'\n[[stage]]\nop='decode'\n[[stage]]\nop='resize'\nsize=[8,9]\n[[stage]]\nop='to-tensor'\n";
        let long = "name='b'\n[[stage]]\nop='decode'\norientation='stored'\ndecode='exact'\n[[stage]]\nop='resize'\n\
                    size=[8,9]\ninterpolation='bilinear'\n[[stage]]\nop='to-tensor'\nscale='unit'\n";
        let (short, long) = (Recipe::from_toml(short).unwrap(), Recipe::from_toml(long).unwrap());
        assert_eq!(short.digest(), long.digest());
        let other = Recipe::from_toml(&short.to_toml().replace("[8, 9]", "[9, 8]")).unwrap();
        assert_ne!(short.digest(), other.digest());
    }
}
