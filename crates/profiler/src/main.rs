//! The profiler: shows recipes, and fetches samples from storage servers.

use std::process::ExitCode;

use headwater_cli::{Progress, exit, logs, runtime, settings, traces};
use headwater_measure::{ProfilerArgs, run};

fn main() -> ExitCode {
    let args: ProfilerArgs = match settings::parse(headwater_cli::build!()) {
        Ok(args) => args,
        Err(code) => return code,
    };
    let json = args.common.json;
    let progress = Progress::detect(json);
    let result = logs::install(&args.common, &progress)
        .and_then(|()| traces::install("profiler"))
        .and_then(|()| runtime::block_on(run(args, progress)));
    exit::report(result, json)
}
