//! Traces for tests: given ones, and ones that are made on the spot.

use std::path::PathBuf;

use headwater_policy::{PolicyName, TierSizes};
use headwater_simulate::{Outlook, Replay, Report, Trace};

/// A trace of the folder of test data; `None`, and a word about it, where there is none.
pub(crate) fn given(name: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("HEADWATER_TEST_DATA").map_or(beside, PathBuf::from);
    let found = std::fs::read_to_string(root.join("traces").join(name)).ok();
    println!("{name}: {}", if found.is_some() { "given" } else { "made on the spot (set HEADWATER_TEST_DATA)" });
    found
}

pub(crate) fn replay(trace: &Trace, policy: PolicyName, memory: u64, ssd: u64) -> Report {
    let sizes = TierSizes { memory, ssd };
    Replay { trace, outlook: &Outlook::new(trace, 1), policy, sizes, substitute: None }.run(true, &|_| {})
}

pub(crate) fn hits(report: &Report) -> u64 {
    report.counts.memory_hits + report.counts.ssd_hits
}
