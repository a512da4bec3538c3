//! `scripts/torture server`, `scripts/torture fairness` and `scripts/torture sources`: tries situations in full, and
//! prints what was found.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use headwater_tests::strain::{Form, SITUATIONS, SOURCES, Situation, Stage, find, json, table};

/// Puts a storage server under strain, and says what it withstands
#[derive(Parser)]
#[command(name = "scripts/torture server")]
struct Args {
    /// Situations to try; where none is named all but those of very many samples
    situations: Vec<String>,
    /// Print the situations, and stop
    #[arg(long)]
    list: bool,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
    /// Try each in its small form: seconds, and no time is judged
    #[arg(long)]
    small: bool,
    /// Keep the photos that are drawn in this folder, for the next time
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if args.list {
        SITUATIONS.iter().chain(SOURCES).for_each(|each| println!("{:16} {}", each.name, each.about));
        return Ok(ExitCode::SUCCESS);
    }
    let chosen: Vec<&Situation> = match args.situations.is_empty() {
        true => SITUATIONS.iter().collect(),
        false => args.situations.iter().map(|name| named(name)).collect::<Result<_>>()?,
    };
    let form = if args.small { Form::Small } else { Form::Full };
    let mut tried = Vec::new();
    for situation in chosen {
        // A stage of its own: what one leaves behind is not the next one's.
        let stage = Stage::new(form, args.photos.as_deref())?;
        let one = situation.run(&stage);
        if !args.json {
            print!("{}", table(std::slice::from_ref(&one)));
        }
        tried.push(one);
    }
    if args.json {
        println!("{:#}", json(&tried));
    }
    let kept = tried.iter().all(|each| each.kept());
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn named(name: &str) -> Result<&'static Situation> {
    find(name).with_context(|| format!("there is no situation {name}: see --list"))
}
