//! A plan out of its file.

use std::path::Path;

use anyhow::Context as _;
use headwater_cli::input::read_at_most;
use headwater_plan::Plan;
use headwater_types::caps::MAX_PLAN_BYTES;

/// Reads a plan.
pub(crate) fn read(path: &Path) -> anyhow::Result<Plan> {
    let bytes = read_at_most(path, MAX_PLAN_BYTES as u64);
    let bytes = bytes.with_context(|| format!("cannot read the plan {}", path.display()))?;
    Plan::parse(&bytes).with_context(|| format!("{} is not a plan", path.display()))
}
