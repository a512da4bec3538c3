//! CPU time of the calling thread: what a piece of work took of a core, whatever else ran on the machine meanwhile.

use std::time::Duration;

use headwater_types::CpuSeconds;
use rustix::time::{ClockId, clock_gettime};

/// Measures the calling thread from its making on; or nothing, at no cost. It must be read on the thread that made it.
#[derive(Clone, Copy, Debug)]
pub struct CpuMeter(Option<Duration>);

// === impl CpuMeter ===

impl CpuMeter {
    /// Begins, where `on`.
    pub fn start(on: bool) -> Self {
        Self(on.then(now))
    }

    /// CPU time since the start; `None` where nothing is measured.
    pub fn read(&self) -> Option<CpuSeconds> {
        self.0.map(|start| now().saturating_sub(start).into())
    }
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_and_waiting_does_not() {
        let meter = CpuMeter::start(true);
        let (_sender, nothing) = std::sync::mpsc::channel::<()>();
        assert!(nothing.recv_timeout(Duration::from_millis(50)).is_err());
        let asleep = meter.read().unwrap();
        assert!(asleep.0 < 0.025, "{asleep:?}");
        let mut sum = 0_u64;
        while meter.read().unwrap().0 < asleep.0 + 0.01 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert_eq!(CpuMeter::start(false).read(), None);
    }
}
