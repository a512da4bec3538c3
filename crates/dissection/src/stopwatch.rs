//! CPU seconds of this thread.

use std::time::{Duration, Instant};

use headwater_image::CpuMeter;

/// Runs the work once; its result, and its CPU seconds.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let meter = CpuMeter::start(true);
    let done = work();
    (done, meter.read().unwrap_or_default().0)
}

/// CPU seconds of the fastest run of several, within a time: at least two, the first of which warms up and is not
/// counted. A slower run was held up by something else than the work.
pub(crate) fn fastest<E>(within: Duration, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    work()?;
    let began = Instant::now();
    let mut fastest = f64::INFINITY;
    while fastest.is_infinite() || began.elapsed() < within {
        let (done, seconds) = timed(&mut work);
        done?;
        fastest = fastest.min(seconds);
    }
    Ok(fastest)
}
