//! `storage-server`: serves photos, tensors and features from where the photos rest.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use headwater_cli::signals::Ended;
use headwater_cli::{Common, Progress, Signals, exit, logs, runtime, settings};
use headwater_server::{IndexArgs, ServeArgs};
use tokio_util::sync::CancellationToken;

/// Serves photos, tensors and features from where the photos rest
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES)]
struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a dataset over gRPC until SIGTERM
    Serve(Box<ServeArgs>),
    /// Re-write photos ahead, so that their crops are served without decoding
    Index(Box<IndexArgs>),
}

const EXAMPLES: &str = "\
Examples:
  storage-server serve --data /srv/photos --dataset photos
  storage-server index --data /srv/photos --index-dir /var/cache/headwater
  storage-server serve --data s3://bucket/photos --dataset photos --partition 1/2 --listen 0.0.0.0:7440
  storage-server serve --data /srv/photos --dataset photos --metrics-listen 127.0.0.1:9464 \\
      --model mobilenet=mobilenet_v2.onnx,recipe=mobilenet-eval

Every flag is also a variable (--cpu-workers: HEADWATER_CPU_WORKERS) and a key of --config FILE.toml.";

fn main() -> ExitCode {
    let args: Args = match settings::parse() {
        Ok(args) => args,
        Err(code) => return code,
    };
    let json = matches!(&args.command, Command::Index(index) if index.prints_json());
    let progress = match args.command {
        Command::Serve(_) => Progress::hidden(),
        Command::Index(_) => Progress::detect(json),
    };
    let result = logs::install(&args.common, &progress).and_then(|()| runtime::block_on(run(args.command, progress)));
    exit::report(result, json)
}

async fn run(command: Command, progress: Progress) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve(*args).await,
        Command::Index(args) => headwater_server::index(&args, &progress).await,
    }
}

async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let mut signals = Signals::install()?;
    let stop = CancellationToken::new();
    match signals.guard(&stop, headwater_server::serve(args, stop.clone())).await {
        Ended::Finished { value, .. } => value,
        Ended::Dropped(signal) => Err(signal.into()),
    }
}
