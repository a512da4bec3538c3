//! Versions on their way: announced, taken piece by piece, and kept.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use headwater_types::{Digest, ModelName, Recipe};
use headwater_versions::{Manner, Transfer, Version};
use headwater_wire::models::{PushManner, PushOffer, PushPiece, PushState};

use super::begun::Push;
use super::registry::Models;

impl Models {
    /// Sees whether a version can be taken, and how much of it is here. Blocks.
    ///
    /// # Errors
    /// A server without a place, a model that says too little of itself, and what its store refuses.
    pub(crate) fn begin(&self, offer: &PushOffer) -> Result<PushState> {
        let store = self.store()?;
        let _turn = self.turn();
        let (name, digest) = (&offer.name, offer.digest);
        self.check_role(offer)?;
        self.keep_setting(name)?;
        let manner = self.manner(offer)?;
        let version = Version { digest, bytes: offer.bytes.get(), manner };
        let PushOffer { transfer, transfer_bytes, base, bytes: target_bytes, .. } = *offer;
        let transfer = Transfer { digest: transfer, bytes: transfer_bytes, target: digest, target_bytes, base };
        let push = Push { name: name.clone(), version, transfer, since: Instant::now() };
        let (received, is_complete) = store.begin(&transfer)?;
        match is_complete {
            true => store.add(name, push.version)?,
            false => self.begun.note(push),
        }
        Ok(PushState { received, is_complete })
    }

    /// Takes a piece; `None` where nobody has announced it since the server's start. Blocks.
    ///
    /// # Errors
    /// What the store refuses.
    pub(crate) fn take(&self, transfer: Digest, piece: &PushPiece) -> Result<Option<PushState>> {
        let store = self.store()?;
        let Some(Push { name, version, transfer, .. }) = self.begun.find(transfer) else { return Ok(None) };
        let (received, is_complete) = store.take(&transfer, piece.place, &piece.piece)?;
        if is_complete {
            store.add(&name, version)?;
            self.begun.end(transfer.digest);
        }
        Ok(Some(PushState { received, is_complete }))
    }

    /// Sees to it that a name stays what it is, a model or a head.
    fn check_role(&self, offer: &PushOffer) -> Result<()> {
        let name = &offer.name;
        match (&offer.manner, self.now().file(name)) {
            (PushManner::Head, Some((_, false))) => bail!("{name} is a model here, and no head: give it another name"),
            (PushManner::Model { .. }, Some((_, true))) => {
                bail!("{name} is a head here, and no model: give it another name")
            }
            (PushManner::Head, _) => Ok(()),
            (PushManner::Model { .. }, _) => self.opening.check_workers(),
        }
    }

    /// How a version is opened: what it does not say is as it was for the same file, or as with the one that serves.
    fn manner(&self, offer: &PushOffer) -> Result<Manner> {
        let PushOffer { name, digest, .. } = offer;
        let PushManner::Model { recipe, output, classes } = &offer.manner else { return Ok(Manner::Head) };
        let (recipe, classes) = (recipe.as_ref().map(Recipe::to_toml), classes.clone());
        let known = self.store()?.named(name).version(*digest).map(|version| version.manner.clone());
        if let Some(Manner::Model { recipe: its, output: its_output, .. }) = known {
            // Clients know a model by its file's digest: the same file has the same features.
            if recipe.is_some_and(|recipe| recipe != its) || (output.is_some() && *output != its_output) {
                bail!("model {name} has this file already, with another recipe or output: give it another name");
            }
            return Ok(Manner::Model { recipe: its, output: its_output, classes });
        }
        let now = self.now().models.get(name).cloned();
        let recipe = recipe.or_else(|| now.as_ref().map(|model| model.recipe().to_toml())).with_context(|| {
            format!("no model {name} serves here whose recipe this one could have: add ,recipe=R to --model")
        })?;
        let output = output.clone().or_else(|| now.map(|model| model.output().to_owned()));
        Ok(Manner::Model { recipe, output, classes })
    }

    /// Keeps the file that the settings name as a version, so that differences can be made from it, and a rollback can
    /// lead to it. A file that was changed since the start is not the one that serves, and is not kept.
    pub(super) fn keep_setting(&self, name: &ModelName) -> Result<()> {
        let (Some(setting), store) = (self.settings.get(name), self.store()?) else { return Ok(()) };
        let Some(digest) = self.files.get(name).filter(|digest| store.named(name).version(**digest).is_none()) else {
            return Ok(());
        };
        let file = setting.read()?;
        if Digest::of(&file) != *digest {
            tracing::warn!(model = %name, "the file of the settings was changed since the start, and is not kept");
            return Ok(());
        }
        store.keep(&file)?;
        let output = self.now().models.get(name).map(|model| model.output().to_owned());
        let version = setting.version(&file, output)?;
        match store.named(name).active {
            None => Ok(store.overrule(name, version)?),
            Some(_) => Ok(store.add(name, version)?),
        }
    }
}
