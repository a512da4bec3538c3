//! What the kernel says of this process, under the names that every Prometheus client library uses.
//!
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use super::families::Families;

/// This process, read from `/proc` at each scrape. On a system without `/proc` there are no values.
#[derive(Debug)]
pub(super) struct ProcessMetrics;

/// Fields of `/proc/self/stat`, from the third on, which is the state.
struct Stat {
    /// User and system time of all threads.
    cpu_seconds: f64,
    /// When the process started, in seconds from 1970.
    start_seconds: Option<f64>,
    threads: f64,
}

/// Ticks of a second in `/proc`, whatever the kernel's own clock: `USER_HZ` is 100 on every architecture that is served
/// on.
const TICKS: f64 = 100.0;

/// What the process takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProcessUsage {
    /// `None` where the system does not say.
    pub(crate) cpu_seconds: Option<f64>,
    /// `None` where the system does not say.
    pub(crate) resident_bytes: Option<f64>,
}

// === impl ProcessUsage ===

impl ProcessUsage {
    pub(crate) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self { cpu_seconds: Stat::read().map(|stat| stat.cpu_seconds), resident_bytes: kib(&status, "VmRSS:") }
    }
}

// === impl Stat ===

impl Stat {
    fn read() -> Option<Self> {
        let boot = fs::read_to_string("/proc/stat").ok();
        let boot = boot.and_then(|stat| stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()));
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?, boot)
    }

    /// The second field is the program's name in brackets, and may hold anything.
    fn parse(stat: &str, boot: Option<f64>) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        // proc_pid_stat(5) counts from 1, and the state is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS,
            start_seconds: boot.zip(field(22)).map(|(boot, ticks)| boot + ticks / TICKS),
            threads: field(20)?,
        })
    }
}

impl Collector for ProcessMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (stat, status) = (Stat::read(), fs::read_to_string("/proc/self/status").unwrap_or_default());
        let mut families = Families(encoder);
        let help = "User and system CPU time of the process";
        let cpu = families.0.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), MetricType::Counter)?;
        if let Some(stat) = &stat {
            ConstCounter::new(stat.cpu_seconds).encode(cpu)?;
        }
        let bytes = || Some(&Unit::Bytes);
        families.gauge(
            "process_resident_memory",
            "Memory of the process that is in RAM",
            bytes(),
            kib(&status, "VmRSS:"),
        )?;
        families.gauge("process_virtual_memory", "Address space of the process", bytes(), kib(&status, "VmSize:"))?;
        let open = fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as f64);
        families.gauge("process_open_fds", "Open file descriptors", None, open)?;
        families.gauge("process_max_fds", "Most file descriptors that may be open (ulimit -n)", None, most_fds())?;
        let started = stat.as_ref().and_then(|stat| stat.start_seconds);
        let help = "When the process started, as Unix time";
        families.gauge("process_start_time", help, Some(&Unit::Seconds), started)?;
        families.gauge("process_threads", "Threads of the process", None, stat.map(|stat| stat.threads))
    }
}

/// A value of `/proc/self/status`, in bytes.
fn kib(status: &str, name: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kib| 1024.0 * kib)
}

fn most_fds() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    soft.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 7 18 12345 20 21";
        let stat = Stat::parse(stat, Some(1_000.0)).unwrap();
        assert_eq!((stat.cpu_seconds, stat.threads, stat.start_seconds), (3.0, 7.0, Some(1123.45)));
        assert!(Stat::parse("12 (cut", None).is_none() && Stat::parse("12 (a) S 1", None).is_none());
    }

    #[test]
    fn kernel_values_are_bytes() {
        assert_eq!(kib("VmSize:\t    9000 kB\nVmRSS:\t      12 kB\n", "VmRSS:"), Some(12_288.0));
        assert_eq!(kib("VmSize: x kB", "VmSize:"), None);
    }
}
