//! What the three programs share on the command line: settings, logs, progress, signals, exit codes.
//!
//! A program's `main` goes through these modules from top to bottom:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use headwater_cli::exit::UsageError;
//! use headwater_cli::settings::{Check, Findings};
//! use headwater_cli::version::Build;
//!
//! #[derive(clap::Parser)]
//! struct Args {
//!     #[command(flatten)]
//!     common: headwater_cli::Common,
//! }
//!
//! impl Check for Args {
//!     fn conflicts(&self) -> Vec<UsageError> {
//!         Vec::new()
//!     }
//!
//!     fn check(&self, _findings: &mut Findings) {}
//! }
//!
//! async fn run(_args: Args) -> anyhow::Result<()> {
//!     Ok(())
//! }
//!
//! fn main() -> ExitCode {
//!     // In a program `headwater_cli::build!()`, which its build script fills in.
//!     let args: Args = match headwater_cli::settings::parse(Build { commit: "unknown" }) {
//!         Ok(args) => args,
//!         Err(code) => return code,
//!     };
//!     let json = args.common.json;
//!     let progress = headwater_cli::Progress::detect(json);
//!     let result = headwater_cli::logs::install(&args.common, &progress)
//!         .and_then(|()| headwater_cli::traces::install("program"))
//!         .and_then(|()| headwater_cli::runtime::block_on(run(args)));
//!     headwater_cli::exit::report(result, json)
//! }
//! ```
//!
//! Standard output belongs to results, for people or as JSON; logs, bars and errors go to standard error.

mod access;
pub mod common;
mod limits;
pub mod settings;
pub mod values;
pub mod version;

mod stderr;

pub mod logs;
pub mod progress;

pub mod traces;

pub mod runtime;
pub mod signals;

pub mod input;
pub mod output;
pub mod outputs;
pub mod recipe;
mod user_cache;

pub mod failures;
pub mod outcome;

pub mod exit;

pub use access::AccessArgs;
pub use common::{Common, LogFormat};
pub use failures::{FailureArgs, Failures, MaxFailures};
pub use limits::LimitArgs;
pub use outcome::Outcome;
pub use outputs::{OutputFile, OutputFolder, Outputs};
pub use progress::{Bar, GrowingBar, Line, Progress};
pub use signals::{Hangups, Signal, Signals};
pub use user_cache::user_cache;
pub use version::{VERSION, commit};
