//! One run of the profiler.

use std::fmt;
use std::io::Write as _;

use headwater_cli::output::{print_json, stdout};
use headwater_cli::{Progress, Signals};
use serde::Serialize;

use crate::args::{Action, ProfilerArgs, RecipeArgs};
use crate::compare::compare;
use crate::epoch::epoch;
use crate::fetch::fetch;
use crate::gauge::{dataset, machine, network};
use crate::import::{ImportSource, import_sophon};
use crate::plan::{self, PlanAction};
use crate::recipe::{self, Listing, Sheet};
use crate::report::report;

/// Does what the arguments say. A signal ends it at once: whatever is written by then is whole.
///
/// # Errors
/// Those of the command; the signal, if one came.
pub async fn run(args: ProfilerArgs, progress: Progress) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    tokio::select! {
        result = act(&args, &progress) => result,
        signal = signals.next() => Err(signal.into()),
    }
}

async fn act(args: &ProfilerArgs, progress: &Progress) -> anyhow::Result<()> {
    match &args.action {
        Action::Recipe(recipe) => show(recipe, args.common.json),
        Action::Dataset(of) => print(&dataset(of, progress).await?, args.common.json),
        Action::Network(of) => print(&network(of, progress).await?, args.common.json),
        Action::Machine(of) => print(&machine(of, progress).await?, args.common.json),
        Action::Epoch(of) => print(&epoch(of, progress).await?, args.common.json),
        Action::Compare(of) => print(&compare(of)?, args.common.json),
        Action::Fetch(fetch_args) => {
            let summary = fetch(fetch_args, progress).await?;
            Ok(print_json(&summary)?)
        }
        Action::Import(import) => {
            let ImportSource::Sophon(sophon) = &import.source;
            print(&import_sophon(sophon)?, args.common.json)
        }
        Action::Plan(command) => match &command.action {
            Some(PlanAction::Export(export)) => plan::export(export),
            None => print(&plan::plan(&command.args)?, args.common.json),
        },
        Action::Report(of) => print(&report(of, progress)?, args.common.json),
        Action::Explain(explain) => print(&plan::explain(explain)?, args.common.json),
    }
}

/// A result, for people or as JSON.
fn print(result: &(impl Serialize + fmt::Display), json: bool) -> anyhow::Result<()> {
    if json {
        return Ok(print_json(result)?);
    }
    Ok(writeln!(stdout(), "{result}")?)
}

fn show(args: &RecipeArgs, json: bool) -> anyhow::Result<()> {
    let Some(name) = &args.recipe else {
        let recipes = recipe::in_the_box();
        if json {
            return Ok(print_json(&recipes.iter().map(recipe::to_json).collect::<Vec<_>>())?);
        }
        return Ok(writeln!(stdout(), "{}", Listing(&recipes))?);
    };
    let recipe = recipe::find(name)?;
    if json {
        return Ok(print_json(&recipe::to_json(&recipe))?);
    }
    Ok(writeln!(stdout(), "{}", Sheet(&recipe))?)
}
