//! The asynchronous runtime of a program's `main`.

use std::future::Future;

use anyhow::Context as _;

use crate::traces;

/// Runs the program's future to its end on all cores, and sends its last traces.
///
/// Tasks that still block a thread by then are left behind, not waited for: when a second signal says "at once", a
/// decode in progress must not hold the process.
///
/// # Errors
/// The future's own, or the runtime's threads could not be started.
pub fn block_on<T>(program: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    let result = runtime.block_on(program);
    runtime.shutdown_background();
    traces::end();
    result
}
