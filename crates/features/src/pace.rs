//! How fast the devices of a model are: measured once its sessions are open, with all of them at work at once.
//!
//! Why not one session alone, whose rate is known from the choice of a batch size? A device has two, and what travels
//! to it for one is hidden behind the other's run. Why not the counters of what was done? They say how fast samples
//! came, which is what other resources allowed.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use headwater_types::DevicePool;

use crate::devices::Devices;
use crate::rows::Rows;
use crate::session::Session;

/// For how long each session runs. A run that has begun is not cut short.
const WITHIN: Duration = Duration::from_millis(250);

/// How fast these devices are with full batches; `None` for the processor's cores, whose time is counted by itself.
pub(crate) fn measure(
    devices: &Devices,
    sessions: &mut [(Session, Rows)],
    batch: usize,
) -> Result<Option<DevicePool>, String> {
    if !devices.is_accelerator() {
        return Ok(None);
    }
    let runs = sessions.iter_mut().map(|(session, rows)| {
        rows.begin(batch);
        rows.all_mut().fill(0.5);
        || session.run(rows, (0, batch), |_, _| {})
    });
    let of_all = side_by_side(runs.collect(), batch, WITHIN)?;
    let count = devices.iter().count();
    let pool = DevicePool::new(u32::try_from(count).unwrap_or(u32::MAX), of_all / count as f64);
    pool.map(Some).map_err(|error| error.to_string())
}

/// Samples a second of all runs together, each repeated in a thread of its own: the sum of their rates, each over the
/// time that it took. Every run is of so many samples.
fn side_by_side<R>(runs: Vec<R>, samples: usize, within: Duration) -> Result<f64, String>
where
    R: FnMut() -> Result<(), String> + Send,
{
    let together = Barrier::new(runs.len());
    let repeat = |mut run: R| {
        together.wait();
        let (began, mut done) = (Instant::now(), 0);
        while done == 0 || began.elapsed() < within {
            run()?;
            done += samples;
        }
        Ok(done as f64 / began.elapsed().as_secs_f64().max(1e-9))
    };
    thread::scope(|scope| {
        let repeat = &repeat;
        let threads: Vec<_> = runs.into_iter().map(|run| scope.spawn(move || repeat(run))).collect();
        let lost = |_| Err("a thread that measures a device was lost: please report it".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(lost)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_side_by_side_add_up() {
        let run = || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(4) {
                std::hint::spin_loop();
            }
            Ok(())
        };
        let rate = |sessions: usize| side_by_side(vec![run; sessions], 8, Duration::from_millis(40)).unwrap();
        // 4 ms and more for 8 samples: at most 2000 a second for each.
        let (one, three) = (rate(1), rate(3));
        assert!(one > 0.0 && one <= 2000.0 && three <= 6000.0, "{one}, {three}");
        let slow = side_by_side(vec![run], 8, Duration::ZERO).unwrap();
        assert!(slow > 0.0 && slow <= 2000.0, "one run at least: {slow}");
    }

    #[test]
    fn a_session_that_cannot_run_says_so() {
        let mut runs: Vec<Box<dyn FnMut() -> Result<(), String> + Send>> = vec![Box::new(|| Ok(()))];
        runs.push(Box::new(|| Err("no memory".to_owned())));
        assert_eq!(side_by_side(runs, 1, Duration::from_millis(5)), Err("no memory".to_owned()));
    }
}
