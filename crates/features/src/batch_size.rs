//! How many samples to run at once: measured at start, because it depends on model and machine.
//!
//! On the CPU small batches usually win, since their activations stay in the cache; on an accelerator large ones do.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::session::Session;

const CANDIDATES: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// Time for all candidates, and for one. A run that has begun is not cut short.
const TOTAL: Duration = Duration::from_secs(2);
const EACH: Duration = Duration::from_millis(250);
/// A larger batch must be this much faster: it costs memory, and those in it wait for each other.
const MARGIN: f64 = 1.03;
/// Most bytes of one worker's batch of tensors.
const MAX_BATCH_BYTES: usize = 256 << 20;

/// The largest batch whose tensors a worker may hold: at least one sample.
pub(crate) fn largest(row: usize) -> usize {
    (MAX_BATCH_BYTES / (row * size_of::<f32>()).max(1)).max(1)
}

/// The batch that gives the most samples a second, of those up to `limit`.
pub(crate) fn measure(session: &mut Session, limit: usize) -> Result<NonZeroUsize, String> {
    let began = Instant::now();
    let mut best = (NonZeroUsize::MIN, 0.0);
    for batch in CANDIDATES.into_iter().filter(|batch| *batch <= limit).filter_map(NonZeroUsize::new) {
        if began.elapsed() > TOTAL {
            break;
        }
        let rate = rate(session, batch.get())?;
        tracing::debug!(batch, samples_per_second = rate, "measured a batch size");
        if rate > best.1 * MARGIN {
            best = (batch, rate);
        }
    }
    Ok(best.0)
}

/// Samples a second, by the fastest of several runs: what slows a run down is never the batch's doing.
fn rate(session: &mut Session, batch: usize) -> Result<f64, String> {
    let rows = vec![0.5; session.row() * batch];
    let began = Instant::now();
    let mut fastest = Duration::MAX;
    // The first run of a shape allocates, and is not counted.
    session.run(&rows, |_, _| {})?;
    while fastest == Duration::MAX || began.elapsed() < EACH {
        let started = Instant::now();
        session.run(&rows, |_, _| {})?;
        fastest = fastest.min(started.elapsed());
    }
    Ok(batch as f64 / fastest.as_secs_f64().max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_large_tensors_is_bounded_in_bytes() {
        assert_eq!(largest(3 * 224 * 224), 445);
        assert_eq!(largest(3 * 4096 * 4096), 1);
        assert_eq!(largest(0), 256 << 20);
    }
}
