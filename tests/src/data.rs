//! What the tests run on: real data where it is, generated data where it is not; each says which it took.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use headwater_testdata::{Extractor, HostileFile, PhotoSet, hostile, shared_data};
use tempfile::TempDir;

/// Awkward and hostile files beside good ones.
pub struct Hostile {
    /// The dataset; the good ones are under `generated/`.
    pub folder: PathBuf,
    /// What we made ourselves, and what is to come of it.
    pub files: Vec<HostileFile>,
    _scratch: TempDir,
}

/// A folder of photos, and a model with a recipe that fits it.
pub struct Data {
    /// The dataset.
    pub photos: PathBuf,
    /// An extractor.
    pub model: PathBuf,
    /// The model's recipe: a name or a file.
    pub recipe: String,
    /// Whether the photos are real.
    pub real: bool,
    /// A folder to write in; gone with this.
    pub scratch: TempDir,
}

// === impl Data ===

impl Data {
    /// A few hundred labelled photos: the groceries, or generated ones.
    ///
    /// # Errors
    /// If nothing can be written.
    pub fn photos() -> Result<Self> {
        let scratch = TempDir::new()?;
        if let Some(shared) = shared_data() {
            let model = shared.join("models/mobilenet_v1_0.25_128.onnx");
            // The small network takes 128 pixels: its recipe is the one in the box with another size.
            let recipe = scratch.path().join("mobilenet-eval-128.toml");
            let text = include_str!("../../profiles/recipes/mobilenet-eval.toml");
            std::fs::write(&recipe, text.replace("224", "128").replace("mobilenet-eval", "mobilenet-eval-128"))?;
            let (photos, recipe) = (shared.join("photos/grocery"), recipe.display().to_string());
            return Ok(Self { photos, model, recipe, real: true, scratch });
        }
        let photos = scratch.path().join("photos");
        PhotoSet { classes: 5, per_class: 40, ..PhotoSet::default() }.write(&photos)?;
        let model = scratch.path().join("extractor.onnx");
        std::fs::write(&model, Extractor::onnx(1))?;
        let recipe = scratch.path().join("extractor.toml");
        std::fs::write(&recipe, Extractor::RECIPE)?;
        let recipe = recipe.display().to_string();
        Ok(Self { photos, model, recipe, real: false, scratch })
    }
}

// === impl Hostile ===

impl Hostile {
    /// The corpus where there is one, and always our own.
    ///
    /// # Errors
    /// If nothing can be written.
    pub fn new() -> Result<Self> {
        let scratch = TempDir::new()?;
        let files = hostile::write(scratch.path())?;
        let folder = scratch.path().join("data");
        PhotoSet { classes: 3, per_class: 6, ..PhotoSet::default() }.write(&folder.join("generated"))?;
        if let Some(shared) = shared_data() {
            for kind in ["good", "edge", "bad"] {
                copy_all(&shared.join("corpus").join(kind), &folder.join(kind))?;
            }
        }
        Ok(Self { folder, files, _scratch: scratch })
    }
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        std::fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
