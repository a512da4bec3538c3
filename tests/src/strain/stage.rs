//! Where situations are tried: in full or in their small form, with photos, a model and servers at hand.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};

use anyhow::Result;
use headwater_testdata::{Extractor, onnxruntime_library};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};

use super::photos::Photos;
use super::subject::{DEFAULT_MEMORY, Subject};
use crate::server::ServerOptions;

/// What the model is called that servers have registered, where the cut features is asked for.
pub(crate) const MODEL: &str = "extractor";

/// The size of what is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Everything, for minutes; times are judged.
    Full,
    /// What shows the fault, in seconds; no time is judged.
    Small,
}

/// What situations have in common.
pub struct Stage {
    form: Form,
    folder: PathBuf,
    runtime: Runtime,
    servers: Cell<usize>,
    scratch: TempDir,
}

// === impl Stage ===

impl Stage {
    /// Photos are kept in this folder for the next time; without one they go with the rest.
    ///
    /// # Errors
    /// If there is no room, or no threads.
    pub fn new(form: Form, photos: Option<&Path>) -> Result<Self> {
        let scratch = TempDir::new()?;
        let folder = photos.map_or_else(|| scratch.path().to_owned(), Path::to_owned);
        std::fs::create_dir_all(&folder)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { form, folder, runtime, servers: Cell::new(0), scratch })
    }

    /// Whether times are judged, and everything is tried.
    pub(crate) fn is_full(&self) -> bool {
        self.form == Form::Full
    }

    /// One of two values: in full, in small.
    pub(crate) fn either<T>(&self, full: T, small: T) -> T {
        if self.is_full() { full } else { small }
    }

    /// Where raw readers run.
    pub(crate) fn runtime(&self) -> &Handle {
        self.runtime.handle()
    }

    /// A folder to write in.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The folder of such photos.
    pub(crate) fn photos(&self, photos: &Photos) -> Result<PathBuf> {
        self.progress(&format!("drawing {} photos: {}", photos.count, photos.name));
        photos.write(&self.folder)
    }

    /// A server of these photos with its default settings; nothing of them is kept on its disk.
    pub(crate) fn serve(&self, photos: &Photos) -> Result<Subject> {
        let options = ServerOptions::new(&self.photos(photos)?).arg("--no-cache");
        self.start(options, DEFAULT_MEMORY)
    }

    /// Any server.
    pub(crate) fn start(&self, options: ServerOptions, memory: u64) -> Result<Subject> {
        let number = self.servers.replace(self.servers.get() + 1);
        Subject::start(options, memory, &self.scratch().join(format!("server-{number}.log")))
    }

    /// A server's options with the model registered; `None` where there is no ONNX Runtime.
    pub(crate) fn with_model(&self, options: ServerOptions) -> Result<Option<ServerOptions>> {
        let Some(library) = onnxruntime_library() else { return Ok(None) };
        let [model, recipe] = ["extractor.onnx", "extractor.toml"].map(|name| self.scratch().join(name));
        std::fs::write(&model, Extractor::onnx(1))?;
        std::fs::write(&recipe, Extractor::RECIPE)?;
        let options = options.model(MODEL, &model, &recipe.display().to_string()).arg("--max-batch").arg("16");
        Ok(Some(options.variable("ORT_DYLIB_PATH", &library.display().to_string())))
    }

    /// Says on a terminal what is being done.
    pub(crate) fn progress(&self, doing: &str) {
        let mut out = stderr().lock();
        if out.is_terminal() {
            let _ = write!(out, "\r\x1b[K{doing}");
        }
    }

    /// Clears what [`Stage::progress`] said.
    pub(crate) fn quiet(&self) {
        self.progress("");
    }
}
