//! Which file serves by a name: the one of the settings, or a version that was pushed.

use anyhow::{Context, Result};
use headwater_features::{HeadSpec, InputSettings, ModelSpec};
use headwater_types::{Digest, ModelName, Recipe};
use headwater_versions::{Manner, Named, Version, VersionStore};

use super::settings::Setting;

/// A file with all that it takes to open it.
#[derive(Clone)]
pub(super) enum Chosen {
    Model(Box<(ModelSpec, Recipe)>),
    Head(HeadSpec),
}

/// What is to serve from the start.
pub(super) enum Choice {
    /// The file of the settings.
    Setting,
    /// A version that was activated over it, or without any.
    Pushed(Version),
    /// The file of the settings, which is another than the one over which a version was activated.
    Overruled,
}

/// What is to serve: a version that was pushed, unless the settings have named another file since. `file` is the digest
/// of the settings' file.
pub(super) fn choose(setting: Option<&Setting>, file: Option<Digest>, named: &Named) -> Option<Choice> {
    let Some(version) = named.serving() else { return setting.map(|_| Choice::Setting) };
    let fits = |setting: &Setting| setting.is_head() == matches!(version.manner, Manner::Head);
    match (setting, file) {
        (Some(_), Some(file)) if file == version.digest => Some(Choice::Setting),
        (Some(setting), file) if fits(setting) && named.over == file => Some(Choice::Pushed(version.clone())),
        (Some(_), _) => Some(Choice::Overruled),
        (None, _) => Some(Choice::Pushed(version.clone())),
    }
}

// === impl Chosen ===

impl Chosen {
    pub(super) fn of_setting(setting: &Setting) -> Self {
        match setting {
            Setting::Model(model) => Self::Model(model.clone()),
            Setting::Head(spec) => Self::Head(spec.clone()),
        }
    }

    /// A version that is kept. Blocks where it has names of classes.
    pub(super) fn of_version(store: &VersionStore, name: &ModelName, version: &Version) -> Result<Self> {
        let (name, path) = (name.clone(), store.file(version.digest));
        Ok(match &version.manner {
            Manner::Head => Self::Head(HeadSpec { name, path }),
            Manner::Model { output, classes, .. } => {
                let recipe = version.manner.recipe()?.context("a model without a recipe")?;
                let classes = store.classes(classes)?;
                let (output, text) = (output.clone(), recipe.name().to_string());
                // What was said of its input is in the file.
                let input = InputSettings::default();
                Self::Model(Box::new((ModelSpec { name, path, recipe: text, output, classes, input }, recipe)))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version { digest: Digest::of(text.as_bytes()), bytes: 1, manner: Manner::Head }
    }

    fn named(active: &str, over: Option<&str>) -> Named {
        let over = over.map(|over| Digest::of(over.as_bytes()));
        let active = version(active);
        Named { revision: 1, active: Some(active.digest), over, versions: vec![active], ..Named::default() }
    }

    #[test]
    fn a_pushed_version_counts_until_the_settings_name_another_file() {
        let setting = Setting::Head(HeadSpec { name: "h".parse().unwrap(), path: "h.onnx".into() });
        let choice = |setting, file: Option<&str>, named: &Named| match choose(
            setting,
            file.map(|file| Digest::of(file.as_bytes())),
            named,
        ) {
            None => "none",
            Some(Choice::Setting) => "setting",
            Some(Choice::Pushed(_)) => "pushed",
            Some(Choice::Overruled) => "overruled",
        };
        assert_eq!(choice(None, None, &Named::default()), "none");
        assert_eq!(choice(Some(&setting), Some("a"), &Named::default()), "setting");
        assert_eq!(choice(Some(&setting), Some("a"), &named("b", Some("a"))), "pushed");
        assert_eq!(choice(Some(&setting), Some("c"), &named("b", Some("a"))), "overruled");
        assert_eq!(choice(Some(&setting), Some("b"), &named("b", Some("a"))), "setting");
        assert_eq!(choice(Some(&setting), Some("a"), &named("b", None)), "overruled");
        assert_eq!(choice(None, None, &named("b", Some("a"))), "pushed");
    }
}
