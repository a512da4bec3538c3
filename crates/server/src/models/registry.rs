//! The registry: what serves now, and how that changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use headwater_cli::exit::in_one_line;
use headwater_features::{Classifier, Extractor};
use headwater_types::{Digest, ModelName, NetworkCut};
use headwater_versions::{Version, VersionStore};
use headwater_wire::models::{Activate, Activation, ModelStanding};
use headwater_wire::status::Refusal;

use super::active::Active;
use super::begun::Begun;
use super::choice::Chosen;
use super::former::Formers;
use super::fronts::Fronts;
use super::opening::Opening;
use super::settings::Settings;
use crate::labels::{Head, NoClassifier};

/// The models of a server.
pub(crate) struct Models {
    now: RwLock<Arc<Active>>,
    formers: Formers,
    fronts: Fronts,
    pub(super) opening: Opening,
    pub(super) settings: Settings,
    /// Digests of the settings' files, as they were at the start.
    pub(super) files: BTreeMap<ModelName, Digest>,
    store: Option<VersionStore>,
    pub(super) begun: Begun,
    /// Held while a version is activated, and while what the settings name is kept.
    turn: Mutex<()>,
}

// === impl Models ===

impl Models {
    pub(super) fn new(
        active: Active,
        (settings, files): (Settings, BTreeMap<ModelName, Digest>),
        opening: Opening,
        store: Option<VersionStore>,
    ) -> Self {
        let (formers, fronts) = (Formers::default(), Fronts::default());
        let (now, begun, turn) = (RwLock::new(Arc::new(active)), Begun::default(), Mutex::default());
        Self { now, formers, fronts, opening, settings, files, store, begun, turn }
    }

    /// What serves now. Whoever has it goes on with it, whatever is activated meanwhile.
    pub(crate) fn now(&self) -> Arc<Active> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The model of this name, where it is the one that the client expects, or one that is held for it.
    pub(crate) fn find(&self, name: &ModelName, expected: Option<Digest>) -> Result<Arc<Extractor>, Refusal> {
        self.serving(name, (expected, Extractor::digest))
    }

    /// The front of a model's network up to this cut, which is opened where it is not open. `expected`: the front's
    /// digest. Blocks for seconds where it is opened.
    pub(crate) fn front(
        &self,
        name: &ModelName,
        cut: &NetworkCut,
        expected: Option<Digest>,
    ) -> Result<Arc<Extractor>, Refusal> {
        if let Some(front) = expected.and_then(|digest| self.fronts.find(digest)) {
            return Ok(front);
        }
        let digest_of = |model: &Extractor| cut.digest(model.digest(), model.output());
        let model = self.serving(name, (expected, digest_of))?;
        self.open_front(&model, cut)
    }

    /// The fronts that are open.
    pub(crate) fn fronts(&self) -> Vec<Arc<Extractor>> {
        self.fronts.open()
    }

    /// The front of this model's network up to this cut. Blocks for seconds where it is opened.
    fn open_front(&self, model: &Extractor, cut: &NetworkCut) -> Result<Arc<Extractor>, Refusal> {
        let open = || -> Result<Extractor> {
            let front = model.front(&self.opening.runtime()?, cut, &self.opening.options)?;
            let (name, batch, elements) = (front.name(), front.max_batch().get(), front.feature_len());
            tracing::info!(model = %name, %cut, batch, elements, "the front of a cut network is open");
            Ok(front)
        };
        let no_front = |error: anyhow::Error| Refusal::NoFront { message: in_one_line(&error) };
        self.fronts.get(cut.digest(model.digest(), model.output()), open).map_err(no_front)
    }

    /// The model of this name that serves, or is held, and of which the digest is the expected one.
    fn serving(
        &self,
        name: &ModelName,
        (expected, digest_of): (Option<Digest>, impl Fn(&Extractor) -> Digest),
    ) -> Result<Arc<Extractor>, Refusal> {
        let active = self.now();
        let registered = || active.models.iter().map(|model| model.name().as_str()).collect::<Vec<_>>().join(", ");
        let unknown = || Refusal::UnknownModel { asked: name.to_string(), registered: registered() };
        let model = active.models.get(name).ok_or_else(unknown)?;
        let Some(expected) = expected.filter(|digest| *digest != digest_of(model)) else {
            return Ok(Arc::clone(model));
        };
        let changed = || Refusal::ModelChanged {
            model: name.to_string(),
            expected: expected.short(),
            now: digest_of(model).short(),
        };
        self.formers.find(name, |former| digest_of(former) == expected).ok_or_else(changed)
    }

    /// The model or head of this name, as it labels samples. Blocks where it is opened.
    pub(crate) fn classifier(&self, name: &ModelName) -> Result<Arc<Classifier>, NoClassifier> {
        let active = self.now();
        active.classifiers.get(&active.models, name)
    }

    /// Lets go of models that were replaced, and of fronts, that nobody has asked for in so long.
    pub(crate) fn let_go(&self, keep: Duration) {
        self.formers.let_go(keep);
        self.fronts.let_go(keep);
    }

    /// Where versions are kept.
    pub(super) fn store(&self) -> Result<&VersionStore> {
        self.store.as_ref().context("this server has no place for versions of models: start it with --state DIR")
    }

    /// What is known of the versions of a name.
    pub(crate) fn standing(&self, name: &ModelName) -> ModelStanding {
        let named = self.store.as_ref().map(|store| store.named(name)).unwrap_or_default();
        let file = self.now().file(name);
        let active = file.map(|(digest, _)| digest);
        let before = named.before();
        let versions = named.versions.iter().map(|version| version.digest);
        let held: std::collections::BTreeSet<_> = versions.chain(active).collect();
        let (keeps, is_head) = (self.store.is_some(), file.is_some_and(|(_, is_head)| is_head));
        ModelStanding { keeps, revision: named.revision, active, before, held: held.into_iter().collect(), is_head }
    }

    /// The revision and the versions of a name, for lists.
    pub(crate) fn versions(&self, name: &ModelName) -> (u64, Vec<Digest>) {
        let named = self.store.as_ref().map(|store| store.named(name)).unwrap_or_default();
        (named.revision, named.versions.iter().map(|version| version.digest).collect())
    }

    /// Has a version serve from now on. It is opened and run before the record names it. Blocks for seconds.
    ///
    /// # Errors
    /// A version that is not here or cannot run, a revision that is not newer, a disk that takes no record. Then
    /// nothing has changed.
    pub(crate) fn activate(&self, wanted: &Activate) -> Result<Activation> {
        let Activate { name, digest, revision } = wanted;
        let (_turn, store) = (self.turn(), self.store()?);
        store.check_revision(name, *digest, *revision)?;
        let (next, unfit) = self.opened(name, *digest)?;
        let named = store.activate(name, *digest, *revision, self.files.get(name).copied())?;
        self.serve(name, next);
        tracing::info!(model = %name, digest = %digest.short(), revision = named.revision, "a version serves now");
        Ok(Activation { revision: named.revision, digest: *digest, unfit_heads: unfit })
    }

    /// Has the version serve again that served before. Blocks for seconds.
    ///
    /// # Errors
    /// As [`Models::activate`]; another version before than the one that is wanted.
    pub(crate) fn roll_back(&self, wanted: &Activate) -> Result<Activation> {
        let Activate { name, digest, revision } = wanted;
        let (_turn, store) = (self.turn(), self.store()?);
        store.check_rollback(name, *digest, *revision)?;
        let (next, unfit) = self.opened(name, *digest)?;
        let named = store.roll_back(name, *digest, *revision, self.files.get(name).copied())?;
        self.serve(name, next);
        tracing::info!(model = %name, digest = %digest.short(), revision = named.revision, "rolled back");
        Ok(Activation { revision: named.revision, digest: *digest, unfit_heads: unfit })
    }

    /// What serves once this version does, and the heads that do not fit then.
    fn opened(&self, name: &ModelName, digest: Digest) -> Result<(Active, Vec<String>)> {
        let (active, version) = (self.now(), self.version(name, digest)?);
        match Chosen::of_version(self.store()?, name, &version)? {
            Chosen::Model(model) => {
                let (spec, recipe) = *model;
                let model = self.opening.model(&spec, recipe)?;
                check_file(model.digest(), digest)?;
                Ok(active.with_model(&self.opening, &spec, model))
            }
            Chosen::Head(spec) => {
                let opened = self.opening.head(&spec, &active.models)?;
                check_file(opened.file(), digest)?;
                Ok((active.with_head(Head { spec, digest, opened: Ok(opened) }), Vec::new()))
            }
        }
    }

    fn version(&self, name: &ModelName, digest: Digest) -> Result<Version> {
        let named = self.store()?.named(name);
        named.version(digest).cloned().with_context(|| format!("model {name} has no version {} here", digest.short()))
    }

    fn serve(&self, name: &ModelName, next: Active) {
        let before = {
            let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *now, Arc::new(next))
        };
        let is_another =
            |model: &&Arc<Extractor>| self.now().models.get(name).is_none_or(|now| now.digest() != model.digest());
        if let Some(model) = before.models.get(name).filter(is_another) {
            self.formers.hold(Arc::clone(model));
        }
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that was changed on the disk is none of the versions.
fn check_file(actual: Digest, expected: Digest) -> Result<()> {
    match actual == expected {
        true => Ok(()),
        false => bail!("the file of version {} is damaged on the disk: push it again", expected.short()),
    }
}
