//! How many samples to run at once: measured at start, because it depends on model and machine.
//!
//! On the CPU small batches usually win, since their activations stay in the cache; on an accelerator large ones do.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::error::ModelError;
use crate::model::Model;
use crate::options::ExtractorOptions;
use crate::session::Session;

const CANDIDATES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// The largest that is tried on the CPU, whose caches hold no more.
const MOST_ON_CPU: usize = 32;
/// Time for all candidates, on the CPU and on an accelerator, and for each. A run that has begun is not cut short.
const TOTAL: Duration = Duration::from_secs(2);
const TOTAL_ON_ACCELERATOR: Duration = Duration::from_secs(4);
const EACH: Duration = Duration::from_millis(250);
/// A batch size this close to the fastest rate is as good, and a larger one means fewer hand-overs between threads.
const AS_GOOD: f64 = 0.97;
/// After so many sizes in a row that are slower, larger ones are not tried: they would only take memory.
const GIVE_UP: usize = 2;
/// What a user is warned of whose batch size cannot be had.
const SMALLER: &str = "a smaller batch than asked for: the model or memory allows no more";
/// Most bytes of one worker's batch of tensors.
const MAX_BATCH_BYTES: usize = 256 << 20;

/// How many samples to run at once, by the options or by measurement, and the length of a sample's features.
pub(crate) fn choose(
    model: &Model,
    options: &ExtractorOptions,
    mut session: Session,
) -> Result<(NonZeroUsize, usize), ModelError> {
    let failed = |reason| ModelError::Runtime { name: model.name.clone(), reason };
    let limit = match model.fixed_batch {
        Some(_) => 1,
        None => largest(session.row()),
    };
    let batch = match options.max_batch {
        Some(wanted) => {
            let batch = wanted.min(NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN));
            // What the model says of its first axis may not be what its operators take: find out now.
            let mut rows = session.rows(batch.get()).map_err(failed)?;
            rows.begin(batch.get());
            session.run(&rows, (0, batch.get()), |_, _| {}).map_err(failed)?;
            if batch < wanted {
                let (model, wanted, batch) = (&model.name, wanted.get(), batch.get());
                tracing::warn!(%model, wanted, batch, "{SMALLER}");
            }
            batch
        }
        None => {
            let is_accelerator = options.devices.is_accelerator();
            let total = if is_accelerator { TOTAL_ON_ACCELERATOR } else { TOTAL };
            let limit = limit.min(largest_candidate(is_accelerator));
            let batch = measure(&mut session, limit, total).map_err(failed)?;
            tracing::info!(model = %model.name, batch = batch.get(), "chose the batch size by measurement");
            batch
        }
    };
    Ok((batch, session.features()))
}

/// The largest batch whose tensors a worker may hold: at least one sample.
fn largest(row: usize) -> usize {
    (MAX_BATCH_BYTES / (row * size_of::<f32>()).max(1)).max(1)
}

/// Most samples of one run that may come of the options: for what has to know it before anything is measured.
pub(crate) fn most(options: &ExtractorOptions, row: usize) -> usize {
    let wanted = options.max_batch.map(NonZeroUsize::get);
    wanted.unwrap_or_else(|| largest_candidate(options.devices.is_accelerator())).min(largest(row))
}

fn largest_candidate(is_accelerator: bool) -> usize {
    let candidates = CANDIDATES.into_iter().filter(|&batch| is_accelerator || batch <= MOST_ON_CPU);
    candidates.max().unwrap_or(1)
}

/// The largest batch, of those up to `limit`, that gives about the most samples a second. The memory that runs
/// allocate stays with the session, so that the session should be one for this purpose alone.
fn measure(session: &mut Session, limit: usize, total: Duration) -> Result<NonZeroUsize, String> {
    let began = Instant::now();
    let mut rates = Vec::new();
    for batch in CANDIDATES.into_iter().filter(|batch| *batch <= limit) {
        let slower = rates.iter().rev().take_while(|(_, rate)| *rate < AS_GOOD * fastest(&rates)).count();
        if slower == GIVE_UP || began.elapsed() > total {
            break;
        }
        rates.push((batch, rate(session, batch)?));
    }
    tracing::debug!(?rates, "measured batch sizes, in samples a second");
    Ok(fastest_of(&rates))
}

fn fastest(rates: &[(usize, f64)]) -> f64 {
    rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max)
}

fn fastest_of(rates: &[(usize, f64)]) -> NonZeroUsize {
    let good = rates.iter().filter(|(_, rate)| *rate >= AS_GOOD * fastest(rates));
    good.filter_map(|(batch, _)| NonZeroUsize::new(*batch)).max().unwrap_or(NonZeroUsize::MIN)
}

/// Samples a second, by the fastest of several runs. A slower run was held up by something else than the batch.
fn rate(session: &mut Session, batch: usize) -> Result<f64, String> {
    let mut rows = session.rows(batch)?;
    rows.begin(batch);
    rows.all_mut().fill(0.5);
    let began = Instant::now();
    let mut fastest = Duration::MAX;
    // The first run of a shape allocates, and is not counted.
    session.run(&rows, (0, batch), |_, _| {})?;
    while fastest == Duration::MAX || began.elapsed() < EACH {
        let started = Instant::now();
        session.run(&rows, (0, batch), |_, _| {})?;
        fastest = fastest.min(started.elapsed());
    }
    Ok(batch as f64 / fastest.as_secs_f64().max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_the_fast_batches_is_chosen() {
        for (rates, expected) in [
            (&[(1, 241.0), (2, 242.0), (4, 229.0), (8, 191.0)][..], 2),
            (&[(1, 100.0), (2, 180.0), (4, 300.0), (8, 310.0), (16, 305.0)], 16),
            (&[(1, 188.0), (2, 150.0)], 1),
            (&[], 1),
        ] {
            assert_eq!(fastest_of(rates).get(), expected);
        }
    }

    #[test]
    fn a_batch_of_large_tensors_is_bounded_in_bytes() {
        assert_eq!(largest(3 * 224 * 224), 445);
        assert_eq!(largest(3 * 4096 * 4096), 1);
        assert_eq!(largest(0), 256 << 20);
    }
}
