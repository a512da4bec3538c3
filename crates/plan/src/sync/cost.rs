//! What a worker's part of a round costs.

use super::micros::Micros;

/// What one worker takes for its part of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerCost {
    compute: Micros,
    communication: Micros,
}

// === impl WorkerCost ===

impl WorkerCost {
    /// `compute` is one local step (ESync's c), at least a microsecond: what takes no time could be repeated without
    /// end. `communication` is one exchange of weights, both ways (m), and may be nothing.
    pub fn new(compute: Micros, communication: Micros) -> Self {
        Self { compute: compute.max(Micros(1)), communication }
    }

    /// One local step.
    pub fn compute(self) -> Micros {
        self.compute
    }

    /// One exchange of weights.
    pub fn communication(self) -> Micros {
        self.communication
    }

    /// So many steps, without an exchange.
    pub(super) fn busy(self, steps: u32) -> Micros {
        self.compute.times(steps)
    }

    /// So many steps and the exchange behind them.
    pub(super) fn round(self, steps: u32) -> Micros {
        self.busy(steps).plus(self.communication)
    }

    /// The whole steps that fit into a time, from 1 to `most`.
    pub(super) fn steps_within(self, time: Micros, most: u32) -> u32 {
        let fit = time.get() / self.compute.get();
        u32::try_from(fit).unwrap_or(u32::MAX).clamp(1, most.max(1))
    }
}
