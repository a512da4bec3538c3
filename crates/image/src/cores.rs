//! How many cores there are to use: what every number of threads is by default.

use std::num::NonZeroUsize;

/// Cores that this process may use, whole ones, at least one: those of the machine that its affinity leaves it (`taskset`, cpusets), and no
/// more than the CPU quota of its control group, or of one above that, allows (`docker run --cpus`, Kubernetes' limits). The standard library
/// reads all of that, of cgroup v1 and v2; what it cannot find out is one core.
pub fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
