//! `profiler cache`: what servers keep of samples, and what comes of it.

mod report;
mod row;

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use headwater_cli::AccessArgs;
use headwater_cli::output::{print_json, print_text};
use headwater_client::{ClientOptions, ServerSource, Servers, caches};
use tokio_util::sync::CancellationToken;

use report::CachesReport;

const EXAMPLES: &str = "\
Examples:
  profiler cache --servers node1:7440
  profiler cache --servers node1:7440,node2:7440 --json
  profiler cache --servers node1:7440 --watch

Counts are from each server's start on. The exit code is 0 where every server
answered, and 1 otherwise: the table is printed all the same.";

/// How often `--watch` asks.
const EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CacheArgs {
    /// Storage servers
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', required = true)]
    servers: Vec<ServerSource>,

    #[command(flatten)]
    access: AccessArgs,
    /// Ask every two seconds until interrupted, and print each time what there is then
    #[arg(long)]
    watch: bool,
}

/// Asks all servers and prints what they say: once, or until it is stopped.
///
/// # Errors
/// No server, or one twice; once what the others say is printed, servers that did not answer.
pub(crate) async fn show(args: &CacheArgs, json: bool, stop: &CancellationToken) -> anyhow::Result<()> {
    let options = ClientOptions { access: args.access.open()?, ..ClientOptions::default() };
    let named = Servers::new(args.servers.clone());
    loop {
        let asking = async { caches(&named.find().await?, &options).await };
        let asked = stop.run_until_cancelled(asking).await;
        let Some(asked) = asked.transpose()? else {
            return if args.watch { Ok(()) } else { Err(anyhow::anyhow!("stopped before a server answered")) };
        };
        let report = CachesReport::new(asked);
        if json {
            print_json(&report)?;
        } else {
            print_text(&report)?;
        }
        if !args.watch {
            return match report.unanswered() {
                0 => Ok(()),
                silent => bail!("{silent} servers did not answer"),
            };
        }
        if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
            return Ok(());
        }
    }
}
