//! What the settings name: models and heads, each with the digest of its file.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use headwater_features::{HeadSpec, ModelSpec, read_file, read_model};
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::{Digest, ModelName, Recipe};
use headwater_versions::{Manner, Version};

/// Models and heads of the settings, by name.
#[derive(Default)]
pub(crate) struct Settings(BTreeMap<ModelName, Setting>);

/// A model or head of the settings.
#[derive(Clone)]
pub(super) enum Setting {
    Model(Box<(ModelSpec, Recipe)>),
    Head(HeadSpec),
}

// === impl Settings ===

impl Settings {
    /// The models, in step with their recipes, and the heads.
    pub(crate) fn new(models: &[ModelSpec], recipes: Vec<Recipe>, heads: &[HeadSpec]) -> Self {
        let models = models.iter().zip(recipes).map(|(spec, recipe)| Setting::Model(Box::new((spec.clone(), recipe))));
        let heads = heads.iter().cloned().map(Setting::Head);
        Self(models.chain(heads).map(|setting| (setting.name().clone(), setting)).collect())
    }

    pub(super) fn get(&self, name: &ModelName) -> Option<&Setting> {
        self.0.get(name)
    }

    /// Every setting, models first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Setting> {
        let of = |is_head| self.0.values().filter(move |setting| setting.is_head() == is_head);
        of(false).chain(of(true))
    }
}

// === impl Setting ===

impl Setting {
    pub(super) fn name(&self) -> &ModelName {
        match self {
            Self::Model(model) => &model.0.name,
            Self::Head(spec) => &spec.name,
        }
    }

    pub(super) fn is_head(&self) -> bool {
        matches!(self, Self::Head(_))
    }

    /// The file as it is now, with what lies beside it and what the settings say of its input. Blocks.
    pub(super) fn read(&self) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Model(model) => read_model(&model.0, MAX_MODEL_BYTES)?,
            Self::Head(spec) => read_file(&spec.name, &spec.path, MAX_MODEL_BYTES)?,
        })
    }

    /// The file as a version that can be kept, of which this output is taken. Blocks.
    pub(super) fn version(&self, file: &[u8], taken: Option<String>) -> Result<Version> {
        let manner = match self {
            Self::Head(_) => Manner::Head,
            Self::Model(model) => {
                let (spec, recipe) = &**model;
                let names =
                    spec.classes.as_ref().map(std::fs::read_to_string).transpose().context("its classes=FILE")?;
                let classes = names.iter().flat_map(|names| names.lines()).map(|name| name.trim().to_owned());
                let output = taken.or_else(|| spec.output.clone());
                Manner::Model { recipe: recipe.to_toml(), output, classes: classes.collect() }
            }
        };
        Ok(Version { digest: Digest::of(file), bytes: file.len() as u64, manner })
    }
}
