//! The threads that read from the network, and waiting for them without the GIL and with Ctrl-C.

use std::io;
use std::pin::pin;
use std::time::Duration;

use pyo3::{PyResult, Python};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::log;

/// How long a signal may have to wait.
const LOOK: Duration = Duration::from_millis(100);
/// Threads that read from the network: two keep one 25 Gbit/s link busy.
const THREADS: usize = 2;

/// Threads that read. Dropping them ends what runs there, and waits for them a moment and no longer: the look-up of a
/// name may take seconds.
#[derive(Debug)]
pub(crate) struct Network {
    runtime: Option<Runtime>,
    handle: Handle,
}

// === impl Network ===

impl Network {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("headwater-net").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs a future beside everything else.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.handle.spawn(future)
    }

    /// Runs a future to its end. Python's signal handlers run in between; what they raise ends the wait.
    pub(crate) fn wait<F>(&self, py: Python<'_>, future: F) -> PyResult<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        self.wait_looking(py, future, |_| Ok(()))
    }

    /// Runs a future to its end like [`wait`](Self::wait); `look` runs with the GIL whenever signals do, and its error
    /// ends the wait as well.
    pub(crate) fn wait_looking<F>(
        &self,
        py: Python<'_>,
        future: F,
        mut look: impl FnMut(Python<'_>) -> PyResult<()>,
    ) -> PyResult<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let mut future = pin!(future);
        loop {
            let slice = async { tokio::time::timeout(LOOK, future.as_mut()).await };
            let output = py.detach(|| self.handle.block_on(slice));
            log::pass_on(py)?;
            look(py)?;
            if let Ok(output) = output {
                return Ok(output);
            }
            py.check_signals()?;
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LOOK);
        }
    }
}
