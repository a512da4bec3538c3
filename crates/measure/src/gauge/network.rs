//! `profiler network`: bandwidth and round trip to each server.

use std::fmt;
use std::time::Duration;

use clap::Args;
use headwater_cli::Progress;
use headwater_cli::values::some_seconds;
use headwater_pilot::{Link, NetworkOptions};
use headwater_types::BitsPerSecond;
use serde::Serialize;

use crate::served::{ClientArgs, ServedArgs};

const EXAMPLES: &str = "\
Examples:
  profiler network --servers node1:7440,node2:7440 --dataset photos
  profiler network --servers node1:7440 --dataset photos --seconds 10 --json

Each server sends stored photos for a while, alone: what arrives is the
median of quarters of a second. A round trip is one small question on a
connection that is open.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct NetworkArgs {
    #[command(flatten)]
    served: ServedArgs,

    #[command(flatten)]
    client: ClientArgs,

    /// Seconds for which bytes are fetched from each server
    #[arg(long, value_name = "SECONDS", default_value = "3.0", value_parser = some_seconds)]
    seconds: Duration,

    /// Receive at most so much, from all servers together
    #[arg(long, value_name = "BANDWIDTH")]
    limit_bandwidth: Option<BitsPerSecond>,
}

#[derive(Serialize)]
struct LinkRow {
    server: String,
    /// Which part of the photos that it has found it serves: K/N.
    partition: String,
    /// Bits per second; null from a server without samples.
    #[serde(rename = "bandwidth_bps")]
    bandwidth: Option<f64>,
    #[serde(rename = "slowest_bps")]
    slowest: f64,
    #[serde(rename = "fastest_bps")]
    fastest: f64,
    bytes: u64,
    /// Seconds.
    #[serde(rename = "round_trip_seconds")]
    round_trip: f64,
    #[serde(rename = "round_trip_shortest_seconds")]
    round_trip_shortest: f64,
    #[serde(rename = "round_trip_longest_seconds")]
    round_trip_longest: f64,
}

/// A row for each server.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct NetworkReport(Vec<LinkRow>);

/// Measures, and prints what came of it.
pub(crate) async fn network(args: &NetworkArgs, progress: &Progress) -> anyhow::Result<NetworkReport> {
    let time = args.seconds;
    let dataset = args.served.connect(args.limit_bandwidth, args.client.options()?).await?;
    let whole = (time.as_millis() as u64).saturating_mul(dataset.partitions().len() as u64);
    let bar = progress.items("milliseconds", Some(whole));
    let options = NetworkOptions { time, ..NetworkOptions::default() };
    let links = headwater_pilot::network(&dataset, &options, &|more| bar.add(more)).await?;
    drop(bar);
    Ok(NetworkReport(links.into_iter().map(LinkRow::from).collect()))
}

impl From<Link> for LinkRow {
    fn from(link: Link) -> Self {
        let [slowest, fastest] = link.spread;
        let [shortest, longest] = link.round_trips;
        Self {
            server: link.server.to_string(),
            partition: link.part.to_string(),
            bandwidth: link.bandwidth.map(BitsPerSecond::get),
            slowest,
            fastest,
            bytes: link.bytes,
            round_trip: link.round_trip.as_secs_f64(),
            round_trip_shortest: shortest.as_secs_f64(),
            round_trip_longest: longest.as_secs_f64(),
        }
    }
}

impl fmt::Display for NetworkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = ("server", "partition", "Mbps", "range", "round trip", "range, ms");
        write!(
            f,
            "{:24}  {:>9}  {:>10}  {:>19}  {:>10}  {:>17}",
            columns.0, columns.1, columns.2, columns.3, columns.4, columns.5
        )?;
        for row in &self.0 {
            let rate = row.bandwidth.map_or_else(|| "-".to_owned(), |bits| format!("{:.1}", bits / 1e6));
            let range = format!("{:.1} to {:.1}", row.slowest / 1e6, row.fastest / 1e6);
            let trips = format!("{:.2} to {:.2}", row.round_trip_shortest * 1e3, row.round_trip_longest * 1e3);
            let trip = format!("{:.2} ms", row.round_trip * 1e3);
            write!(f, "\n{:24}  {:>9}  {rate:>10}  {range:>19}  {trip:>10}  {trips:>17}", row.server, row.partition)?;
        }
        Ok(())
    }
}
