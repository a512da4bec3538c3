//! What a server says of its cache, checked.

use crate::proto;
use crate::status::Invalid;

/// Most lines of a list in a report: every outcome of every kind, several times over.
const MAX_LINES: usize = 1024;
/// Most bytes of a name or of a reason.
const MAX_TEXT: usize = 1024;

/// What a server keeps of samples, and what came of it since the server's start.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheReport {
    /// The server's version.
    pub server_version: String,
    /// How the cache is set up; `None` where the server keeps nothing.
    pub setup: Option<CacheSetup>,
    /// What happened to entries: outcome, kind, and how often.
    pub counts: Vec<(String, String, u64)>,
    /// What each tier holds: tier, kind, bytes and entries.
    pub holdings: Vec<(String, String, u64, u64)>,
    /// Entries that were not admitted: why, and how many.
    pub rejections: Vec<(String, u64)>,
    /// How long entries took to come.
    pub latencies: Vec<CacheLatency>,
    /// Bytes that the stores gave.
    pub origin_bytes: u64,
    /// Seconds in which readers waited for the stores and had nothing else to read, of all readers together.
    pub stalled_seconds: f64,
    /// Packages of samples of low importance that were read, each at once.
    pub packages: u64,
    /// Their bytes.
    pub package_bytes: u64,
    /// Who shares the store; `None` where nobody does.
    pub share: Option<CacheShare>,
}

/// The servers that share the store, and what came of asking each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheShare {
    /// What the server is called among them.
    pub name: String,
    /// The others that live.
    pub peers: Vec<String>,
    /// Samples whose home is another server: what came of them, and how many.
    pub forwarded: Vec<(String, u64)>,
    /// Samples that other servers asked of this one.
    pub answered: u64,
}

/// How a cache is set up, and how its disk is.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheSetup {
    /// What decides where there is no room for all.
    pub policy: String,
    /// What is kept.
    pub kinds: String,
    /// Most bytes in memory.
    pub memory_limit: u64,
    /// Most bytes on disk.
    pub ssd_limit: u64,
    /// What the entries take on disk, over all servers that share the folder.
    pub ssd_bytes: u64,
    /// What the file system has free; `None` where it does not say.
    pub ssd_free: Option<u64>,
    /// Why there is no part on disk at the moment; empty where there is one, or is to be none.
    pub ssd_trouble: String,
}

/// How long entries took to come that came from one source, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheLatency {
    /// Where they came from.
    pub source: String,
    /// How many there were.
    pub count: u64,
    /// All of them together.
    pub seconds: f64,
    /// What half of them did not exceed.
    pub p50: Option<f64>,
    /// What 99 of 100 did not exceed.
    pub p99: Option<f64>,
}

// === impl CacheReport ===

impl TryFrom<proto::CacheReport> for CacheReport {
    type Error = Invalid;

    fn try_from(report: proto::CacheReport) -> Result<Self, Invalid> {
        let proto::CacheReport { server_version, setup, counts, holdings, rejections, latencies, share, .. } = report;
        let most = [counts.len(), holdings.len(), rejections.len(), latencies.len()].into_iter().max();
        if most.is_some_and(|lines| lines > MAX_LINES) {
            return Err(Invalid::new(format!("a report of a cache has more than {MAX_LINES} lines")));
        }
        let count = |line: proto::CacheCount| Ok((text(line.outcome)?, text(line.kind)?, line.count));
        let holding = |line: proto::CacheHolding| Ok((text(line.tier)?, text(line.kind)?, line.bytes, line.entries));
        let rejection = |line: proto::CacheRejection| Ok((text(line.reason)?, line.count));
        Ok(Self {
            server_version: text(server_version)?,
            setup: setup.map(CacheSetup::try_from).transpose()?,
            counts: counts.into_iter().map(count).collect::<Result<_, Invalid>>()?,
            holdings: holdings.into_iter().map(holding).collect::<Result<_, Invalid>>()?,
            rejections: rejections.into_iter().map(rejection).collect::<Result<_, Invalid>>()?,
            latencies: latencies.into_iter().map(CacheLatency::try_from).collect::<Result<_, Invalid>>()?,
            origin_bytes: report.origin_bytes,
            stalled_seconds: seconds(report.stalled_seconds)?,
            packages: report.packages,
            package_bytes: report.package_bytes,
            share: share.map(CacheShare::try_from).transpose()?,
        })
    }
}

impl From<CacheReport> for proto::CacheReport {
    fn from(report: CacheReport) -> Self {
        let count = |(outcome, kind, count)| proto::CacheCount { outcome, kind, count };
        let holding = |(tier, kind, bytes, entries)| proto::CacheHolding { tier, kind, bytes, entries };
        let rejection = |(reason, count)| proto::CacheRejection { reason, count };
        Self {
            server_version: report.server_version,
            setup: report.setup.map(Into::into),
            counts: report.counts.into_iter().map(count).collect(),
            holdings: report.holdings.into_iter().map(holding).collect(),
            rejections: report.rejections.into_iter().map(rejection).collect(),
            latencies: report.latencies.into_iter().map(Into::into).collect(),
            origin_bytes: report.origin_bytes,
            stalled_seconds: report.stalled_seconds,
            packages: report.packages,
            package_bytes: report.package_bytes,
            share: report.share.map(Into::into),
        }
    }
}

// === impl CacheShare ===

impl TryFrom<proto::CacheShare> for CacheShare {
    type Error = Invalid;

    fn try_from(share: proto::CacheShare) -> Result<Self, Invalid> {
        let proto::CacheShare { name, peers, forwarded, answered } = share;
        if peers.len().max(forwarded.len()) > MAX_LINES {
            return Err(Invalid::new(format!("a report of a cache has more than {MAX_LINES} lines")));
        }
        let line = |line: proto::CacheForwarded| Ok((text(line.outcome)?, line.count));
        Ok(Self {
            name: text(name)?,
            peers: peers.into_iter().map(text).collect::<Result<_, _>>()?,
            forwarded: forwarded.into_iter().map(line).collect::<Result<_, Invalid>>()?,
            answered,
        })
    }
}

impl From<CacheShare> for proto::CacheShare {
    fn from(share: CacheShare) -> Self {
        let CacheShare { name, peers, forwarded, answered } = share;
        let line = |(outcome, count)| proto::CacheForwarded { outcome, count };
        Self { name, peers, forwarded: forwarded.into_iter().map(line).collect(), answered }
    }
}

// === impl CacheSetup ===

impl TryFrom<proto::CacheSetup> for CacheSetup {
    type Error = Invalid;

    fn try_from(setup: proto::CacheSetup) -> Result<Self, Invalid> {
        let proto::CacheSetup { policy, kinds, memory_limit, ssd_limit, ssd_bytes, ssd_free, ssd_trouble } = setup;
        let (policy, kinds, ssd_trouble) = (text(policy)?, text(kinds)?, text(ssd_trouble)?);
        Ok(Self { policy, kinds, memory_limit, ssd_limit, ssd_bytes, ssd_free, ssd_trouble })
    }
}

impl From<CacheSetup> for proto::CacheSetup {
    fn from(setup: CacheSetup) -> Self {
        let CacheSetup { policy, kinds, memory_limit, ssd_limit, ssd_bytes, ssd_free, ssd_trouble } = setup;
        Self { policy, kinds, memory_limit, ssd_limit, ssd_bytes, ssd_free, ssd_trouble }
    }
}

// === impl CacheLatency ===

impl TryFrom<proto::CacheLatency> for CacheLatency {
    type Error = Invalid;

    fn try_from(latency: proto::CacheLatency) -> Result<Self, Invalid> {
        Ok(Self {
            source: text(latency.source)?,
            count: latency.count,
            seconds: seconds(latency.seconds)?,
            p50: latency.p50.map(seconds).transpose()?,
            p99: latency.p99.map(seconds).transpose()?,
        })
    }
}

impl From<CacheLatency> for proto::CacheLatency {
    fn from(latency: CacheLatency) -> Self {
        let CacheLatency { source, count, seconds, p50, p99 } = latency;
        Self { source, count, seconds, p50, p99 }
    }
}

/// A name or a reason, which a terminal can show.
fn text(text: String) -> Result<String, Invalid> {
    match text.len() <= MAX_TEXT && !text.contains(char::is_control) {
        true => Ok(text),
        false => Err(Invalid::new("a report of a cache has a name that is too long, or has control characters")),
    }
}

fn seconds(seconds: f64) -> Result<f64, Invalid> {
    match seconds.is_finite() && seconds >= 0.0 {
        true => Ok(seconds),
        false => Err(Invalid::new(format!("a report of a cache has {seconds} seconds"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> CacheReport {
        let setup = CacheSetup {
            policy: "planned".into(),
            kinds: "auto".into(),
            memory_limit: 1 << 30,
            ssd_limit: 1 << 40,
            ssd_bytes: 4096,
            ssd_free: Some(5),
            ssd_trouble: String::new(),
        };
        let latency = CacheLatency { source: "ssd".into(), count: 3, seconds: 0.5, p50: Some(0.1), p99: None };
        CacheReport {
            server_version: "1.0.0".into(),
            setup: Some(setup),
            counts: vec![("memory-hit".into(), "encoded".into(), 7)],
            holdings: vec![("memory".into(), "encoded".into(), 100, 2)],
            rejections: vec![("worth-less".into(), 4)],
            latencies: vec![latency],
            origin_bytes: 9,
            stalled_seconds: 1.5,
            packages: 3,
            package_bytes: 400,
            share: Some(CacheShare {
                name: "node1".into(),
                peers: vec!["node2".into()],
                forwarded: vec![("given".into(), 5)],
                answered: 6,
            }),
        }
    }

    #[test]
    fn a_report_reads_back_as_it_was_written() {
        assert_eq!(CacheReport::try_from(proto::CacheReport::from(report())), Ok(report()));
        let off = CacheReport { setup: None, counts: Vec::new(), share: None, ..report() };
        assert_eq!(CacheReport::try_from(proto::CacheReport::from(off.clone())), Ok(off));
    }

    #[test]
    fn what_a_terminal_or_a_sum_could_not_bear_is_refused() {
        let good = proto::CacheReport::from(report());
        let refused = |report: proto::CacheReport| CacheReport::try_from(report).unwrap_err().to_string();
        assert!(refused(proto::CacheReport { server_version: "\u{1b}[2J".into(), ..good.clone() }).contains("control"));
        assert!(refused(proto::CacheReport { server_version: "x".repeat(1025), ..good.clone() }).contains("too long"));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(refused(proto::CacheReport { stalled_seconds: wrong, ..good.clone() }).contains("seconds"));
        }
        let peers = vec!["node".to_owned(); 1025];
        let share = proto::CacheShare { peers, ..proto::CacheShare::default() };
        assert!(refused(proto::CacheReport { share: Some(share), ..good.clone() }).contains("1024 lines"));
        let counts = vec![good.counts[0].clone(); 1025];
        assert!(refused(proto::CacheReport { counts, ..good }).contains("1024 lines"));
    }
}
