//! `storage-server`: serves photos, tensors and features from where the photos rest. See the crate `headwater-server`.

use std::process::ExitCode;

use headwater_cli::{Progress, exit, logs, runtime, settings, traces};
use headwater_server::StorageServerArgs;

fn main() -> ExitCode {
    let args: StorageServerArgs = match settings::parse(headwater_cli::build!()) {
        Ok(args) => args,
        Err(code) => return code,
    };
    let json = args.common().json;
    let progress = if args.ends_by_itself() { Progress::detect(json) } else { Progress::hidden() };
    let result = logs::install(args.common(), &progress)
        .and_then(|()| traces::install("storage-server"))
        .and_then(|()| runtime::block_on(headwater_server::run(args, progress.clone())));
    exit::report(result, json)
}
