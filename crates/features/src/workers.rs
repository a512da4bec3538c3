//! The workers of a model: their threads, how many sessions they have, and their end.

use std::thread::{Builder, JoinHandle};

use headwater_types::ModelName;

use crate::error::ModelError;
use crate::options::ExtractorOptions;
use crate::worker::Worker;

/// The threads of a model's workers. Dropping it waits for them: each ends when its queue has ended.
#[derive(Default)]
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
}

/// Most sessions of one model on the CPU: each holds a copy of the weights. With more threads than this, each session
/// has several.
const MAX_SESSIONS: usize = 16;
/// Sessions of one model on each GPU: one fills a batch while the other's runs.
const ACCELERATOR_SESSIONS: usize = 2;

/// How many sessions a model gets on each of its devices, and how many threads each of them.
pub(crate) fn division(options: &ExtractorOptions) -> (usize, usize) {
    if options.devices.is_accelerator() {
        return (ACCELERATOR_SESSIONS, 1);
    }
    let threads = options.threads.get();
    let sessions = threads.min(MAX_SESSIONS);
    (sessions, threads / sessions)
}

// === impl Workers ===

impl Workers {
    /// Starts a worker in a thread of its own.
    pub(crate) fn start(&mut self, worker: Worker, model: &ModelName) -> Result<(), ModelError> {
        let thread = Builder::new().name(format!("infer-{}", self.threads.len()));
        let thread = thread.spawn(move || worker.work());
        self.threads.push(thread.map_err(|source| ModelError::Thread { name: model.clone(), source })?);
        Ok(())
    }

    /// The number of workers.
    pub(crate) fn len(&self) -> usize {
        self.threads.len()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for thread in self.threads.drain(..) {
            // A worker catches its own panics: one that is dead all the same has said so in the log.
            drop(thread.join());
        }
    }
}
