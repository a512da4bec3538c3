//! Where a server keeps what it makes: in one folder of its own, never in the source.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use headwater_cli::user_cache;
use headwater_store::{Apart, Kept, Location};
use headwater_types::Digest;

/// The setting that names the folder.
const STATE: &str = "--state";

/// The state folder.
#[derive(Args, Clone, Debug)]
pub(crate) struct StateArgs {
    /// Keep everything that the server keeps in this folder, made if need be, each kind of thing in a folder of its
    /// name: the cache in DIR/cache, in DIR/catalog what makes the next start quick, in DIR/labels what models said of
    /// photos (tuner relabel), in DIR/models versions of models (tuner push), and in DIR/engines what TensorRT builds
    /// [default: headwater in the user's cache folder, for the cache and for engines alone]
    #[arg(long, value_name = "DIR", help_heading = "State")]
    state: Option<PathBuf>,
}

// === impl StateArgs ===

impl StateArgs {
    /// The folder for one kind of thing. `otherwise` is the setting that names another place for that kind.
    ///
    /// # Errors
    /// There is no state folder, or it lies within the dataset or around it.
    pub(crate) fn folder(&self, kind: &str, otherwise: &'static str, data: &Location) -> Result<Apart> {
        let Some(state) = &self.state else {
            let state = user_cache()
                .with_context(|| format!("no home folder to keep things in: give --state DIR or {otherwise} DIR"))?;
            return Ok(Apart::from(data, otherwise, state.join(kind))?);
        };
        // The folder is apart from the source as a whole, so that nothing that comes into it later lies around the
        // source.
        Apart::from(data, STATE, state.clone())?;
        Ok(Apart::from(data, STATE, state.join(kind))?)
    }

    /// Where what is made once of the dataset at the first of these places is kept for the next start: nowhere, unless
    /// the folder is given.
    ///
    /// # Errors
    /// The folder lies within one of the datasets or around it.
    pub(crate) fn kept(&self, places: &[Location]) -> Result<Kept> {
        let (Some(state), Some(first)) = (&self.state, places.first()) else { return Ok(Kept::nowhere()) };
        let name = Digest::of(first.to_string().as_bytes()).to_string();
        for place in places {
            Apart::from(place, STATE, state.clone())?;
        }
        Ok(Kept::at(Apart::from(first, STATE, state.join("catalog").join(name))?))
    }

    /// The folder for labels; `None` where no state folder is given, since labels are no cache: they are asked for long
    /// after they were made.
    ///
    /// # Errors
    /// The folder lies within one of the datasets or around it.
    pub(crate) fn labels(&self, places: &[Location]) -> Result<Option<Apart>> {
        self.apart("labels", places)
    }

    /// The folder for versions of models; `None` where no state folder is given: a version that was pushed has to serve
    /// after the next start too.
    ///
    /// # Errors
    /// The folder lies within one of the datasets or around it.
    pub(crate) fn models(&self, places: &[Location]) -> Result<Option<Apart>> {
        self.apart("models", places)
    }

    /// The folder for what TensorRT builds, which can be built again: without a state folder it is in the user's cache
    /// folder; `None` for a user without a home.
    ///
    /// # Errors
    /// The folder lies within one of the datasets or around it.
    pub(crate) fn engines(&self, places: &[Location]) -> Result<Option<PathBuf>> {
        let state = self.state.clone().or_else(user_cache);
        Self { state }.apart("engines", places).map(|apart| apart.map(|apart| apart.path().to_owned()))
    }

    fn apart(&self, kind: &str, places: &[Location]) -> Result<Option<Apart>> {
        let (Some(state), Some(first)) = (&self.state, places.first()) else { return Ok(None) };
        for place in places {
            Apart::from(place, STATE, state.clone())?;
        }
        Ok(Some(Apart::from(first, STATE, state.join(kind))?))
    }

    /// The setting, where it is given.
    pub(crate) fn setting(&self) -> Option<&'static str> {
        self.state.as_ref().map(|_| STATE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_thing_has_its_folder_and_none_lies_in_the_source_or_around_it() {
        let root = tempfile::TempDir::new().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("srv/photos")).unwrap();
        let data = at("srv/photos").display().to_string().parse().unwrap();
        let folder = |state: &str| StateArgs { state: Some(at(state)) }.folder("cache", "--cache-dir", &data);
        assert_eq!(folder("state").unwrap().path(), at("state/cache"));
        for refused in ["srv", "srv/photos", "srv/photos/state"] {
            let error = folder(refused).unwrap_err().to_string();
            assert!(error.contains("--state") && error.contains("never written"), "{refused}: {error}");
        }
    }
}
