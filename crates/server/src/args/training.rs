//! Heads that are trained on this server.

use clap::Args;
use headwater_types::ByteCount;

use super::aside::by_default;

/// What trainings may take, and how slow they are made.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArgs {
    /// Memory for the features on which heads are trained here (tuner fine-tune --mode), beside --memory [default:
    /// 1GiB; in a container with little memory an eighth of its limit]
    #[arg(long, value_name = "SIZE")]
    training_memory: Option<ByteCount>,
    /// For experiments alone: have each training step take so many times as long (8x), as on a slower machine. The log,
    /// the tuner and its run log say so
    #[arg(long, value_name = "FACTOR", value_parser = slowdown)]
    simulate_slowdown: Option<f64>,
}

/// Memory for the features of trainings, where there is enough.
const TRAINING_MEMORY: ByteCount = ByteCount::mebibytes(1024);
/// The largest slowdown.
const MAX_SLOWDOWN: f64 = 10_000.0;

// === impl TrainingArgs ===

impl TrainingArgs {
    /// Memory for the features of all trainings.
    pub(crate) fn memory(&self) -> ByteCount {
        self.training_memory.unwrap_or_else(|| by_default(TRAINING_MEMORY))
    }

    /// By what steps are slowed down, said in the log where they are.
    pub(crate) fn slowdown(&self) -> f64 {
        let slowdown = self.simulate_slowdown.unwrap_or(1.0);
        if slowdown > 1.0 {
            tracing::warn!(
                slowdown,
                "--simulate-slowdown: TRAINING STEPS ARE MADE SLOWER ON PURPOSE; leave it out but for experiments"
            );
        }
        slowdown
    }
}

/// A factor of 1 or more: `8x` or `8`.
fn slowdown(text: &str) -> Result<f64, String> {
    let factor = text.strip_suffix('x').unwrap_or(text).parse().ok();
    let factor = factor.filter(|factor| (1.0..=MAX_SLOWDOWN).contains(factor));
    factor.ok_or_else(|| format!("{text:?} is no slowdown: give a factor from 1 to {MAX_SLOWDOWN}, such as 8x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slowdown_is_a_factor_of_at_least_one() {
        assert_eq!([slowdown("8x"), slowdown("1.5")], [Ok(8.0), Ok(1.5)]);
        for wrong in ["0.5x", "x", "-4", "nan", "inf", "1e9"] {
            assert!(slowdown(wrong).unwrap_err().contains("such as 8x"), "{wrong}");
        }
    }
}
