//! Outputs of a program: opened beside their places before the work begins, so that what cannot be written is found out
//! then.
//!
//! ```text
//! Outputs ─▶ file   DIR/.NAME.XXXXXX.part, locked ──write──▶ synced ──rename──▶ DIR/NAME
//!         └▶ folder made where there is none, and taken away again where nothing came into it
//! ```
//!
//! Whoever looks finds the old file, the new one or none, and never a part. Devices and pipes are written to directly.
//! What cannot be written at the end although it could be opened at the start (a disk that became full) is kept in the
//! system's folder for temporary files, where the caller asks for that: see [`OutputFile::write_somewhere`].

mod beside;
mod setting;
mod sink;
mod space;

mod error;
mod target;

mod file;
mod folder;

use std::path::{Path, PathBuf};

use self::setting::Setting;

pub use error::{KeptElsewhere, OutputError};
pub use file::{OutputFile, Written};
pub use folder::OutputFolder;
pub use sink::Sink;

/// What one command reads and writes. Two outputs in one place are refused, and so is an output in the place of an
/// input.
#[derive(Debug, Default)]
pub struct Outputs {
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    setting: Setting,
    place: PathBuf,
    is_read: bool,
}

// === impl Outputs ===

impl Outputs {
    /// The outputs of a command that has none yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a file that is read: no output may take its place.
    pub fn reading(mut self, setting: impl Into<Setting>, path: Option<&Path>) -> Self {
        if let Some(path) = path {
            self.known.push(Known { setting: setting.into(), place: place(path), is_read: true });
        }
        self
    }

    /// Opens a file that is to be written.
    ///
    /// # Errors
    /// A place that cannot be written to, or that is taken.
    pub fn file(&mut self, setting: impl Into<Setting>, path: &Path) -> Result<OutputFile, OutputError> {
        let setting = setting.into();
        let file = OutputFile::open(setting.clone(), path)?;
        if !file.is_direct() {
            self.take(setting, path)?;
        }
        Ok(file)
    }

    fn take(&mut self, setting: Setting, path: &Path) -> Result<(), OutputError> {
        let place = place(path);
        if let Some(known) = self.known.iter().find(|known| known.place == place) {
            let (other, path) = (known.setting.clone(), path.to_owned());
            return Err(match known.is_read {
                true => OutputError::Input { setting, other, path },
                false => OutputError::Same { setting, other, path },
            });
        }
        self.known.push(Known { setting, place, is_read: false });
        Ok(())
    }
}

/// One name for each place, however it is written: links and `..` resolved as far as there is something.
fn place(path: &Path) -> PathBuf {
    let beside = || Some(beside::folder_of(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(beside).unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn two_outputs_in_one_place_and_an_output_in_an_inputs_place_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("model.onnx"), "model").unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut outputs = Outputs::new().reading("--join", Some(&at("model.onnx"))).reading("--plan", None);
        let head = outputs.file("--out", &at("head.onnx")).unwrap();
        let same = dir.path().join(".").join("head.onnx");
        let refused = outputs.file("--joined-out", &same).unwrap_err().to_string();
        assert!(refused.contains("--joined-out") && refused.contains("--out"), "{refused}");
        std::os::unix::fs::symlink(at("model.onnx"), at("link.onnx")).unwrap();
        let refused = outputs.file("--joined-out", &at("link.onnx")).unwrap_err().to_string();
        assert!(refused.contains("--join reads"), "{refused}");
        let null = Path::new("/dev/null");
        let both = (outputs.file("--a", null).unwrap(), outputs.file("--b", null).unwrap());
        drop((head, both));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside the model and its link");
    }
}
