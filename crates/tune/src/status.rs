//! `tuner status` and `tuner models`: what servers have, and what they are doing.

use std::time::Duration;

use headwater_cli::Outcome;
use headwater_cli::output::{print_json, print_text};
use headwater_client::{ClientOptions, Servers, caches, datasets, labellings, models};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::args::{ModelsArgs, StatusArgs};
use crate::labels::Unanswered;
use crate::report::{FleetStatus, ModelsSummary, Rates};

/// How often `--watch` asks.
const EVERY: Duration = Duration::from_secs(2);
/// How long a server is waited for: a glance does not wait for one that is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// Clears a terminal, and goes to its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Servers that did not answer, and datasets that somebody must mend.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unwell(String);

/// Asks all servers for their models.
pub(crate) async fn list_models(args: &ModelsArgs, stop: &CancellationToken) -> anyhow::Result<Outcome<ModelsSummary>> {
    let options = args.reach.options()?;
    let servers = stop.run_until_cancelled(args.reach.find()).await.ok_or(Unanswered)??;
    let asked = stop.run_until_cancelled(Box::pin(models(&servers, &options))).await;
    let summary = ModelsSummary::new(asked.ok_or(Unanswered)??);
    let unwell = summary.unwell().map_or(Ok(()), |words| Err(Unwell(words)));
    Ok(Outcome::of(summary, unwell))
}

/// Asks all servers how they are: once, or again and again until it is stopped, each time printed here.
pub(crate) async fn status(
    args: &StatusArgs,
    json: bool,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<FleetStatus>> {
    let mut options = args.reach.options()?;
    options.retry.connect_for = options.retry.connect_for.min(PATIENCE);
    options.retry.starting_for = options.retry.starting_for.min(PATIENCE);
    let (mut rates, mut is_shown) = (Rates::default(), false);
    let named = args.reach.servers();
    loop {
        let began = Instant::now();
        let asked = stop.run_until_cancelled(Box::pin(ask(&named, &options))).await;
        let status = match asked.transpose()? {
            Some(status) => rates.add(status, began.into_std()),
            None if is_shown => return Ok(Outcome::nothing()),
            None => return Err(Unanswered.into()),
        };
        if !args.watch {
            let unwell = status.unwell().map_or(Ok(()), |words| Err(Unwell(words)));
            return Ok(Outcome::of(status, unwell));
        }
        if json {
            print_json(&status)?;
        } else {
            redraw(&status)?;
        }
        is_shown = true;
        if stop.run_until_cancelled(tokio::time::sleep_until(began + EVERY)).await.is_none() {
            return Ok(Outcome::nothing());
        }
    }
}

/// Shows it in the place of what was shown before, where a person looks on.
fn redraw(status: &FleetStatus) -> std::io::Result<()> {
    let clear = if std::io::IsTerminal::is_terminal(&std::io::stdout()) { CLEAR } else { "" };
    print_text(&format_args!("{clear}{status}"))
}

async fn ask(servers: &Servers, options: &ClientOptions) -> anyhow::Result<FleetStatus> {
    let servers = servers.find().await?;
    let (datasets, caches, models, labellings) = tokio::try_join!(
        datasets(&servers, options),
        caches(&servers, options),
        models(&servers, options),
        labellings(&servers, options),
    )?;
    Ok(FleetStatus::new(datasets, caches, models, labellings))
}
