//! One run of the profiler.

use std::io::{self, Write as _};

use headwater_cli::output::print_json;
use headwater_cli::{Progress, Signals};

use crate::args::{Action, ProfilerArgs, RecipeArgs};
use crate::fetch::fetch;
use crate::recipe::{self, Listing, Sheet};

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
        Action::Recipe(recipe) => show(recipe, args.json),
        Action::Fetch(fetch_args) => {
            let summary = fetch(fetch_args, progress).await?;
            Ok(print_json(&summary)?)
        }
    }
}

fn show(args: &RecipeArgs, json: bool) -> anyhow::Result<()> {
    let Some(name) = &args.recipe else {
        let recipes = recipe::in_the_box();
        if json {
            return Ok(print_json(&recipes.iter().map(recipe::to_json).collect::<Vec<_>>())?);
        }
        return Ok(writeln!(io::stdout(), "{}", Listing(&recipes))?);
    };
    let recipe = recipe::find(name)?;
    if json {
        return Ok(print_json(&recipe::to_json(&recipe))?);
    }
    Ok(writeln!(io::stdout(), "{}", Sheet(&recipe))?)
}
