//! What several servers say of their caches, for people and for programs.

use std::fmt;

use headwater_client::ServerCache;
use headwater_types::shown;
use serde::Serialize;

use super::row::{Row, Setup, Share};

/// What the servers say.
#[derive(Debug, Serialize)]
pub(super) struct CachesReport {
    caches: Vec<Row>,
    /// Servers that did not answer, and why.
    unanswered: Vec<Unanswered>,
}

#[derive(Debug, Serialize)]
struct Unanswered {
    server: String,
    error: String,
}

// === impl CachesReport ===

impl CachesReport {
    pub(super) fn new(asked: Vec<ServerCache>) -> Self {
        let mut report = Self { caches: Vec::new(), unanswered: Vec::new() };
        for answer in asked {
            let server = answer.server.to_string();
            match answer.cache {
                Ok(cache) => report.caches.push(Row::new(server, cache)),
                Err(error) => report.unanswered.push(Unanswered { server, error: error.to_string() }),
            }
        }
        report
    }

    /// Servers that did not answer.
    pub(super) fn unanswered(&self) -> usize {
        self.unanswered.len()
    }
}

impl fmt::Display for CachesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, row) in self.caches.iter().enumerate() {
            if place > 0 {
                writeln!(f)?;
            }
            write!(f, "{row}")?;
        }
        for Unanswered { server, error } in &self.unanswered {
            write!(f, "\n{server} did not answer: {error}")?;
        }
        Ok(())
    }
}

// === impl Row ===

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(setup) = &self.setup else { return write!(f, "{}: keeps nothing (--no-cache)", self.server) };
        write!(f, "{}: {}, keeps {}", self.server, setup.policy, setup.kinds)?;
        sizes(f, setup)?;
        for (tier, kinds) in &self.tiers {
            for (kind, held) in kinds {
                let bytes = shown::bytes(held.bytes);
                write!(f, "\n  {tier:8} {kind:9} {:>10} entries  {bytes:>10}", held.entries)?;
            }
        }
        let happened = self.counts.iter().filter(|(_, count)| **count > 0);
        for (outcome, count) in happened {
            write!(f, "\n  {count:>10}  {outcome}")?;
        }
        for (reason, count) in self.rejected.iter().filter(|(_, count)| **count > 0) {
            write!(f, "\n  {count:>10}  rejected: {reason}")?;
        }
        if let Some(rate) = self.hit_rate() {
            write!(f, "\n  {:>9.1}%  of what was asked for was found", 100.0 * rate)?;
        }
        for (source, took) in self.latencies.iter().filter(|(_, took)| took.count > 0) {
            let time = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), shown::seconds);
            let (mean, p50, p99) = (time(took.mean), time(took.p50), time(took.p99));
            write!(
                f,
                "\n  {:>10}  from {source}: {mean} on average, half within {p50}, 99 % within {p99}",
                took.count
            )?;
        }
        let (read, stalled) = (shown::bytes(self.origin_bytes), shown::seconds(self.stalled_seconds));
        write!(f, "\n  {read} read from the stores; readers waited {stalled} for them")?;
        if self.packages > 0 {
            let bytes = shown::bytes(self.package_bytes);
            write!(f, "\n  {bytes} of them in {} packages of samples of low importance", self.packages)?;
        }
        self.share.as_ref().map_or(Ok(()), |share| shared(f, share))
    }
}

fn shared(f: &mut fmt::Formatter<'_>, share: &Share) -> fmt::Result {
    let peers = if share.peers.is_empty() { "nobody that answers".to_owned() } else { share.peers.join(", ") };
    write!(f, "\n  {} shares the store with {peers}", share.name)?;
    for (outcome, count) in share.forwarded.iter().filter(|(_, count)| **count > 0) {
        write!(f, "\n  {count:>10}  of others' samples: {outcome}")?;
    }
    match share.answered {
        0 => Ok(()),
        answered => write!(f, "\n  {answered:>10}  given to others"),
    }
}

fn sizes(f: &mut fmt::Formatter<'_>, setup: &Setup) -> fmt::Result {
    let memory = shown::bytes(setup.memory_limit);
    let (taken, limit) = (shown::bytes(setup.ssd_bytes), shown::bytes(setup.ssd_limit));
    write!(f, "\n  at most {memory} in memory; {taken} of {limit} on disk")?;
    if let Some(free) = setup.ssd_free {
        write!(f, ", {} free there", shown::bytes(free))?;
    }
    match setup.ssd_trouble.is_empty() {
        true => Ok(()),
        false => write!(f, "\n  the disk is not used: {}", setup.ssd_trouble),
    }
}

#[cfg(test)]
mod tests {
    use headwater_client::{CacheLatency, CacheReport, CacheSetup, CacheShare};

    use super::*;

    fn answer() -> ServerCache {
        let setup = CacheSetup {
            policy: "planned".into(),
            kinds: "auto".into(),
            memory_limit: 1_000_000_000,
            ssd_limit: 20_000_000_000,
            ssd_bytes: 5_000_000_000,
            ssd_free: Some(70_000_000_000),
            ssd_trouble: String::new(),
        };
        let count = |outcome: &str, kind: &str, count| (outcome.to_owned(), kind.to_owned(), count);
        let report = CacheReport {
            server_version: "1.0.0".into(),
            setup: Some(setup),
            counts: vec![
                count("memory-hit", "encoded", 50),
                count("ssd-hit", "encoded", 20),
                count("ssd-hit", "indexed", 5),
                count("miss", "encoded", 25),
            ],
            holdings: vec![("memory".into(), "encoded".into(), 900_000_000, 9000)],
            rejections: vec![("worth-less".into(), 3)],
            latencies: vec![CacheLatency {
                source: "origin".into(),
                count: 2,
                seconds: 0.02,
                p50: Some(0.008),
                p99: None,
            }],
            origin_bytes: 2_500_000,
            stalled_seconds: 1.25,
            packages: 4,
            package_bytes: 500_000,
            share: Some(CacheShare {
                name: "node1".into(),
                peers: vec!["node2".into(), "node3".into()],
                forwarded: vec![("given".into(), 40), ("slow".into(), 0)],
                answered: 30,
            }),
        };
        ServerCache { server: "node1:7440".parse().unwrap(), cache: Ok(report) }
    }

    #[test]
    fn people_see_what_is_kept_what_was_found_and_where_time_went() {
        let text = CachesReport::new(vec![answer()]).to_string();
        for line in [
            "node1:7440: planned, keeps auto",
            "  at most 1 GB in memory; 5 GB of 20 GB on disk, 70 GB free there",
            "  memory   encoded         9000 entries      900 MB",
            "          50  memory-hit",
            "          25  ssd-hit",
            "           3  rejected: worth-less",
            "       75.0%  of what was asked for was found",
            "           2  from origin: 10 ms on average, half within 8 ms, 99 % within -",
            "  2.50 MB read from the stores; readers waited 1.25 s for them",
            "  500 kB of them in 4 packages of samples of low importance",
            "  node1 shares the store with node2, node3",
            "          40  of others' samples: given",
            "          30  given to others",
        ] {
            assert!(text.lines().any(|each| each == line), "{line:?} in\n{text}");
        }
    }

    #[test]
    fn programs_see_counts_by_kind_and_who_keeps_nothing_or_is_silent() {
        let mut off = answer();
        off.server = "node2:7440".parse().unwrap();
        off.cache = off.cache.map(|report| CacheReport { setup: None, ..report });
        let report = CachesReport::new(vec![answer(), off]);
        assert_eq!(report.unanswered(), 0);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["caches"][0]["counts"]["ssd-hit"], 25);
        assert_eq!(json["caches"][0]["kinds"]["indexed"]["ssd-hit"], 5);
        assert_eq!(json["caches"][0]["share"]["forwarded"]["given"], 40);
        assert_eq!(json["caches"][0]["latencies"]["origin"]["mean"], 0.01);
        assert!(json["caches"][1]["setup"].is_null());
        assert!(report.to_string().ends_with("node2:7440: keeps nothing (--no-cache)"));
    }
}
