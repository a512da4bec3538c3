//! The tuner: see `tuner --help`, and the crate `headwater-tune`, which does the work.

use std::process::ExitCode;

use headwater_cli::{Progress, exit, logs, runtime, settings, traces};
use headwater_tune::TunerArgs;

fn main() -> ExitCode {
    let args = match settings::parse::<TunerArgs>(headwater_cli::build!()) {
        Ok(args) => args.settled(),
        Err(code) => return code,
    };
    let json = args.json();
    let progress = Progress::detect(json);
    let result = logs::install(args.common(), &progress)
        .and_then(|()| traces::install("tuner"))
        .and_then(|()| runtime::block_on(headwater_tune::run(args, progress.clone())));
    exit::report(result, json)
}
