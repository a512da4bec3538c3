//! Hit rates over the size of a cache, for every policy.

use headwater_policy::{PolicyName, TierSizes};
use headwater_report::{Curves, Line};

use crate::outlook::Outlook;
use crate::replay::Replay;
use crate::trace::Trace;

/// Sizes of the cache, in parts of the bytes of all samples.
const PARTS: [f64; 12] = [0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0];

/// Hit rates over sizes, for every policy.
pub struct Curve<'a> {
    /// The accesses.
    pub trace: &'a Trace,
    /// When samples are needed next.
    pub outlook: &'a Outlook,
    /// The sizes of which each point keeps the ratio.
    pub sizes: TierSizes,
    /// As in [`Replay::substitute`].
    pub substitute: Option<f64>,
    /// The policy that is drawn before all others.
    pub chosen: PolicyName,
}

// === impl Curve ===

impl Curve<'_> {
    /// How often the trace is read.
    pub const REPLAYS: u64 = (PARTS.len() * PolicyName::ALL.len()) as u64;

    /// Replays the trace at each size, and gives the page. `passed` hears how many accesses more are done.
    pub fn page(&self, title: &str, passed: &dyn Fn(u64)) -> String {
        let places: Vec<_> = PARTS.iter().map(|&part| self.at(part)).collect();
        let line = |policy: PolicyName| Line {
            name: policy.to_string(),
            values: places.iter().map(|&sizes| self.hit_rate(policy, sizes, passed)).collect(),
            chosen: policy == self.chosen,
        };
        let lines: Vec<_> = PolicyName::ALL.into_iter().map(line).collect();
        let bytes: Vec<_> = places.iter().map(|sizes| (sizes.memory + sizes.ssd) as f64).collect();
        Curves { title, words: &self.words(), label: "both tiers together", bytes: &bytes, lines: &lines }.to_string()
    }

    fn hit_rate(&self, policy: PolicyName, sizes: TierSizes, passed: &dyn Fn(u64)) -> f64 {
        let replay = Replay { trace: self.trace, outlook: self.outlook, policy, sizes, substitute: self.substitute };
        replay.run(false, passed).counts.hit_rate()
    }

    /// A cache for this part of all samples.
    fn at(&self, part: f64) -> TierSizes {
        let total = (self.trace.bytes() as f64 * part).ceil();
        let memory = self.sizes.memory as f64 / (self.sizes.memory as f64 + self.sizes.ssd as f64).max(1.0);
        let memory = (total * memory).round() as u64;
        TierSizes { memory, ssd: total as u64 - memory.min(total as u64) }
    }

    fn words(&self) -> String {
        let (trace, TierSizes { memory, ssd }) = (self.trace, self.sizes);
        format!(
            "{} accesses of {} samples with {} bytes, by {} jobs; {memory} bytes of memory for {ssd} of the SSD at \
             each size. Hits are those of both tiers, in all epochs, the first one included.",
            trace.accesses(),
            trace.samples(),
            trace.bytes(),
            trace.jobs(),
        )
    }
}
