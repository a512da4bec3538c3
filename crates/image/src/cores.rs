//! How many cores there are to use: the default of every number of threads.

use std::num::NonZeroUsize;

/// The number of whole cores that this process may use, at least one. The process's affinity (`taskset`, cpusets) and
/// the CPU quotas of its control groups (`docker run --cpus`, Kubernetes' limits, cgroup v1 and v2) bound it. Where the
/// standard library cannot find the number out, it is one.
pub fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
