//! One run of the profiler.

use std::fmt;
use std::future::Future;

use anyhow::{Context as _, anyhow};
use headwater_cli::output::{print_json, print_text};
use headwater_cli::recipe::find as find_recipe;
use headwater_cli::{Progress, Signals};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::{Action, ProfilerArgs, RecipeArgs};
use crate::cache;
use crate::compare::compare;
use crate::datasets;
use crate::epoch::epoch;
use crate::fetch::fetch;
use crate::gauge::{dataset, machine, network};
use crate::import::{self, ImportArgs, ImportSource};
use crate::model;
use crate::plan::{self, PlanAction};
use crate::recipe::{self, Listing, Sheet};
use crate::report::{self, ReportAction};
use crate::simulate::{self, SimulateArgs, Simulated};

/// Does what the arguments say. The first signal stops it: what has come is kept where that is of use, and whatever is
/// written is whole.
///
/// # Errors
/// Those of the command; the signal, if one came.
pub async fn run(args: ProfilerArgs, progress: Progress) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let stop = CancellationToken::new();
    signals.guard(&stop, Box::pin(act(args, &progress, &stop))).await.into_result()
}

async fn act(args: ProfilerArgs, progress: &Progress, stop: &CancellationToken) -> anyhow::Result<()> {
    let json = args.common.json;
    match args.action {
        Action::Recipe(recipe) => show(&recipe, json),
        Action::Dataset(of) => dataset(&of, progress, stop).await?.print(json),
        Action::Network(of) => print(&until(stop, network(&of, progress)).await?, json),
        Action::Machine(of) => print(&until(stop, machine(&of, progress)).await?, json),
        Action::Model(of) => {
            let halves = model::output(&of)?;
            let servers = until(stop, model::connect(&of)).await?;
            let (info, bar) = (servers.as_ref().map(model::Servers::info), progress.clone());
            let measured = until(stop, computed(move || model::model(&of, info.as_ref(), &bar))).await?;
            print(&until(stop, measured.at(servers, progress)).await?.write(halves)?, json)
        }
        Action::Epoch(of) => until(stop, epoch(&of, progress)).await?.print(json),
        Action::Datasets(of) => {
            let report = until(stop, datasets::ask(&of)).await?;
            print(&report, json)?;
            report.check()
        }
        Action::Cache(of) => cache::show(&of, json, stop).await,
        Action::Compare(of) => print(&compare(&of)?, json),
        Action::Fetch(of) => fetch(&of, progress, stop).await?.print(json),
        Action::Import(ImportArgs { source: ImportSource::Sophon(of) }) => {
            let output = import::output(&of)?;
            let profile = until(stop, computed(move || import::read_sophon(&of))).await?;
            import::write(output, &profile)?.print(json)
        }
        Action::Plan(command) => match command.action {
            Some(PlanAction::Export(export)) => plan::export(&export),
            None => {
                let output = plan::output(&command.args)?;
                let planned = until(stop, computed(move || plan::plan(&command.args))).await?;
                print(&planned.write(output)?, json)
            }
        },
        Action::Report(command) => match command.action {
            Some(ReportAction::Sync(of)) => {
                let output = report::sync::output(&of)?;
                let (page, written) = until(stop, computed(move || report::sync::report(&of))).await?;
                output.write_all(page.as_bytes())?;
                print(&written, json)
            }
            None => {
                let (output, progress) = (report::output(&command.args)?, progress.clone());
                let (page, written) = until(stop, computed(move || report::report(&command.args, &progress))).await?;
                output.write_all(page.as_bytes())?;
                print(&written, json)
            }
        },
        Action::Simulate(SimulateArgs { what: Simulated::Sync(of) }) => {
            print(&until(stop, computed(move || simulate::sync(&of))).await?, json)
        }
        Action::Simulate(SimulateArgs { what: Simulated::Cache(of) }) => {
            let (output, progress) = (simulate::output(&of)?, progress.clone());
            let (report, page) = until(stop, computed(move || simulate::cache(&of, &progress))).await?;
            if let (Some(output), Some(page)) = (output, page) {
                output.write_all(page.as_bytes())?;
            }
            print(&report, json)
        }
        Action::Explain(explain) => print(&plan::explain(&explain)?, json),
    }
}

/// Work of which nothing is kept where it is stopped.
async fn until<T>(stop: &CancellationToken, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match stop.run_until_cancelled(Box::pin(work)).await {
        Some(result) => result,
        None => Err(anyhow!("stopped before the end: nothing was written")),
    }
}

/// The result of what computes for long, on a thread that may: the runtime's own would hear of no signal meanwhile.
async fn computed<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .context("a thread of the profiler ended before its work: please report it")?
}

/// A result, for people or as JSON.
fn print(result: &(impl Serialize + fmt::Display), json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(print_json(result)?);
    }
    Ok(print_text(result)?)
}

fn show(args: &RecipeArgs, json: bool) -> anyhow::Result<()> {
    let Some(name) = &args.recipe else {
        let recipes = recipe::in_the_box();
        if json {
            return Ok(print_json(&recipes.iter().map(recipe::to_json).collect::<Vec<_>>())?);
        }
        return Ok(print_text(&Listing(&recipes))?);
    };
    let recipe = find_recipe(name)?;
    if json {
        return Ok(print_json(&recipe::to_json(&recipe))?);
    }
    Ok(print_text(&Sheet(&recipe))?)
}
