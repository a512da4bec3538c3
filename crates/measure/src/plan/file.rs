//! A plan out of its file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use headwater_plan::Plan;
use headwater_types::caps::MAX_PLAN_BYTES;

/// Reads a plan.
pub(crate) fn read(path: &Path) -> anyhow::Result<Plan> {
    let mut bytes = Vec::new();
    // One byte more than a plan may have: enough for its parser to refuse it.
    File::open(path)
        .and_then(|file| file.take(MAX_PLAN_BYTES as u64 + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read the plan {}", path.display()))?;
    Plan::parse(&bytes).with_context(|| format!("{} is not a plan", path.display()))
}
