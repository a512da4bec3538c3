//! What serves from the start: the files of the settings, and versions that were activated over them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_cli::exit::in_one_line;
use headwater_features::{ModelSpec, read_file};
use headwater_pipeline::ModelSet;
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::{Digest, ModelName};
use headwater_versions::{Opened, StoreLimits, VersionStore};

use super::active::Active;
use super::choice::{Choice, Chosen, choose};
use super::opening::{Opening, is_of_another};
use super::registry::Models;
use super::settings::{Setting, Settings};
use crate::labels::{Classifiers, Head};

/// Opens the store of a folder, or makes both. A record that was broken was moved aside, and the log says so. Blocks.
///
/// # Errors
/// A folder that cannot be written, or that another program has.
pub(crate) fn open_store(folder: &Path, keep: usize) -> Result<VersionStore> {
    let Opened { store, moved_aside } = VersionStore::open(folder, StoreLimits { keep, ..StoreLimits::default() })?;
    if let Some((aside, why)) = moved_aside {
        tracing::error!(
            why, moved_to = %aside.display(),
            "the record of pushed models was broken: the models of the settings serve; push the others again"
        );
    }
    Ok(store)
}

/// Opens what serves from the start. `begin` hears what is being done. Blocks for seconds.
///
/// # Errors
/// A runtime, or a model or head of the settings, that cannot be loaded. A version that was pushed and cannot be loaded
/// any more is said in the log, and what the settings name serves in its place.
pub(crate) fn start(
    settings: Settings,
    opening: Opening,
    store: Option<VersionStore>,
    begin: impl Fn(String),
) -> Result<Models> {
    let mut started = Started::new(&opening, store.as_ref(), &begin);
    for setting in settings.all().filter(|setting| !setting.is_head()) {
        started.model(setting.name(), Some(setting))?;
    }
    let all = store.iter().flat_map(VersionStore::all);
    let others: Vec<_> = all.map(|(name, _)| name).filter(|name| settings.get(name).is_none()).collect();
    for name in &others {
        started.model(name, None)?;
    }
    for setting in settings.all().filter(|setting| setting.is_head()) {
        started.head(setting.name(), Some(setting))?;
    }
    for name in &others {
        started.head(name, None)?;
    }
    let Started { models, specs, heads, files, .. } = started;
    let runtime = (!specs.is_empty()).then(|| opening.runtime()).transpose()?;
    let classifiers = Classifiers::new(runtime, specs, heads, opening.options.clone());
    Ok(Models::new(Active { models, classifiers }, (settings, files), opening, store))
}

/// What is open so far.
struct Started<'s> {
    opening: &'s Opening,
    store: Option<&'s VersionStore>,
    begin: &'s dyn Fn(String),
    models: ModelSet,
    specs: Vec<ModelSpec>,
    heads: BTreeMap<ModelName, Head>,
    files: BTreeMap<ModelName, Digest>,
}

// === impl Started ===

impl<'s> Started<'s> {
    fn new(opening: &'s Opening, store: Option<&'s VersionStore>, begin: &'s dyn Fn(String)) -> Self {
        let (models, specs) = (ModelSet::default(), Vec::new());
        let (heads, files) = (BTreeMap::new(), BTreeMap::new());
        Self { opening, store, begin, models, specs, heads, files }
    }

    /// What is to serve by this name: the file of the settings, if that is to be tried, and a version before it.
    fn tries(&mut self, name: &ModelName, setting: Option<&Setting>) -> Result<Vec<(Chosen, bool)>> {
        let of_setting = setting.map(|setting| (Chosen::of_setting(setting), false));
        let named = self.store.map(|store| store.named(name)).unwrap_or_default();
        let (Some(store), Some(_)) = (self.store, named.serving()) else { return Ok(of_setting.into_iter().collect()) };
        let file = setting.map(Setting::read).transpose()?;
        let digest = file.as_deref().map(Digest::of);
        self.files.extend(digest.map(|digest| (name.clone(), digest)));
        match choose(setting, digest, &named) {
            Some(Choice::Pushed(version)) => {
                let pushed = (Chosen::of_version(store, name, &version)?, true);
                Ok([pushed].into_iter().chain(of_setting).collect())
            }
            Some(Choice::Overruled) => {
                tracing::warn!(
                    model = %name, "the settings name another file than the one over which a version was activated: \
                     the file of the settings serves, and the version is kept for a rollback"
                );
                if let (Some(setting), Some(file)) = (setting, file) {
                    store.keep(&file)?;
                    store.overrule(name, setting.version(&file, None)?)?;
                }
                Ok(of_setting.into_iter().collect())
            }
            _ => Ok(of_setting.into_iter().collect()),
        }
    }

    fn model(&mut self, name: &ModelName, setting: Option<&Setting>) -> Result<()> {
        for (chosen, is_pushed) in self.tries(name, setting)? {
            let Chosen::Model(model) = chosen else { continue };
            let (spec, recipe) = *model;
            (self.begin)(format!("loading model {name}"));
            match self.opening.model(&spec, recipe) {
                Ok(model) => {
                    if !is_pushed {
                        self.files.insert(name.clone(), model.digest());
                    }
                    self.models.insert(Arc::new(model));
                    self.specs.push(spec);
                    return Ok(());
                }
                Err(error) if is_pushed => say_unopened(name, &error),
                Err(error) => return Err(error).with_context(|| format!("--model {name}")),
            }
        }
        Ok(())
    }

    fn head(&mut self, name: &ModelName, setting: Option<&Setting>) -> Result<()> {
        let has_versions = self.store.is_some_and(|store| !store.all().is_empty());
        for (chosen, is_pushed) in self.tries(name, setting)? {
            let Chosen::Head(spec) = chosen else { continue };
            let (digest, opened) = match self.opening.head(&spec, &self.models) {
                Ok(opened) => (opened.file(), Ok(opened)),
                Err(error) if has_versions && is_of_another(&error) => {
                    let why = in_one_line(&error);
                    tracing::warn!(head = %name, why, "a head does not fit the models that serve, and labels nothing");
                    (Digest::of(&read_file(name, &spec.path, MAX_MODEL_BYTES)?), Err(why))
                }
                Err(error) if is_pushed => {
                    say_unopened(name, &error);
                    continue;
                }
                Err(error) => return Err(error).with_context(|| format!("--head {name}")),
            };
            if !is_pushed {
                self.files.insert(name.clone(), digest);
            }
            self.heads.insert(name.clone(), Head { spec, digest, opened });
            return Ok(());
        }
        Ok(())
    }
}

fn say_unopened(name: &ModelName, error: &anyhow::Error) {
    let why = in_one_line(error);
    tracing::error!(model = %name, why, "a version that was pushed cannot be opened, and does not serve: push it");
}
